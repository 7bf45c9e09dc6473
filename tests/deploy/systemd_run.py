"""A `systemd-run` that starts a command with what it is given, and nothing else, as the shipped one does.

It starts it as the present user: folders of others are what the test makes of them.
"""

import os
import sys
from pathlib import Path


def main() -> None:
    """Replace this process by the command, with its environment."""
    root, words = Path(os.environ["TEST_ROOT"]), sys.argv[1:]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(root)}
    while words[0] != "--":
        name, _, value = words.pop(0).partition("=")
        if name == "--setenv":
            variable, _, given = value.partition("=")
            environment[variable] = given
        elif name == "--property" and value.startswith("EnvironmentFile="):
            named = value.partition("=")[2]
            file = root / named.removeprefix("-").removeprefix("/")
            if file.exists() or not named.startswith("-"):
                lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
                environment |= dict(line.split("=", 1) for line in lines)
    environment["KPI_HOME"] = str(root / environment["KPI_HOME"].removeprefix("/"))
    assert words[1] == "/opt/kpi/.venv/bin/kpi"
    os.chdir(root)
    os.execve(sys.executable, [sys.executable, "-m", "kpi_pipeline.cli", *words[2:]], environment)


if __name__ == "__main__":
    main()
