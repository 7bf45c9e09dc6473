"""The reference of settings, generated from `.env.example`, which a test compares with the code."""

import re
from pathlib import Path
from typing import Final

from docs.generate.markdown import generated_from, prose, table

_EXAMPLE: Final = Path(__file__).parents[2] / ".env.example"
_SECTION: Final = re.compile(r"# --- (.+?) -+")
_VARIABLE: Final = re.compile(r"# ([A-Z_]+)=(.*)")


def page() -> str:
    """The page, in Markdown."""
    sections = [
        f"# Settings\n\n{generated_from('.env.example')}\n\n"
        "Settings are environment variables. A file `.env` in the working directory may hold them; the "
        "environment has precedence over `.env`, and both over what `kpi load` has chosen.\n"
    ]
    rows: list[tuple[str, str, str]] = []
    meaning: list[str] = []
    for line in [*_EXAMPLE.read_text(encoding="utf-8").splitlines(), "# --- End ---"]:
        if section := _SECTION.fullmatch(line):
            if rows:
                sections.append(table(("Variable", "Default", "Meaning"), rows))
            if section[1] != "End":
                sections.append(f"## {section[1]}\n")
            rows, meaning = [], []
        elif variable := _VARIABLE.fullmatch(line):
            default = f"`{variable[2]}`" if variable[2] else ""
            rows.append((f"`{variable[1]}`", default, prose(" ".join(meaning)) or "As above."))
            meaning = []
        elif line.startswith("# "):
            meaning.append(line[2:])
        else:
            meaning = []
    return "\n".join(sections)
