"""Fuzz one border: `python -m tests.fuzz TARGET FOLDER [options of libFuzzer]`.

The folder keeps the inputs that reached something new, and what made it fail.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kpi_pipeline", "serving"]):
    from tests.fuzz.targets import TARGETS
    from tests.fuzz.web import target


def main() -> None:
    """Fuzz until the options say that it is enough; ends the process."""
    name, folder, *options = sys.argv[1:]
    chosen = target() if name == "requests" else TARGETS[name]
    inputs = Path(folder) / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(chosen.seeds):
        (inputs / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(inputs)], chosen.take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
