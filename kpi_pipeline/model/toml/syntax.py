"""What is wrong in a file that is no TOML, and how to write it."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Final

from kpi_pipeline.model.toml.places import unfinished_line

_TYPOGRAPHIC: Final = re.compile("[\u2018\u2019\u201c\u201d\u201e\u201f\u00ab\u00bb]")
_GENERAL: Final = 'A setting is `key = "text"` or `key = ["one", "two"]`; close each quote and bracket'
_KEY: Final = r"([\w.-]+)"


def syntax_fault(
    text: str, error: tomllib.TOMLDecodeError, may_show: Callable[[str], bool] | None = None
) -> tuple[int, str]:
    """The line of what is no TOML, from 1, and a description with advice.

    Args:
        text: The file's.
        error: The parser's.
        may_show: Whether a line holds no secret; None where none does.
    """
    parts = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    reason, number, column = parts.groups() if parts else (str(error), None, None)
    lines = text.splitlines()
    at = int(number) if number else min(unfinished_line(text), max(len(lines), 1))
    line = lines[at - 1].strip() if at <= len(lines) else ""
    where = f" at column {column}" if column else ""
    reason = reason[:1].lower() + reason[1:]
    if may_show is not None and not may_show(line):
        return at, f"not valid TOML ({reason}{where}). {_GENERAL}"
    return at, f"`{line}` is not valid TOML ({reason}{where}). {next(_advice(line, reason))}"


def _advice(line: str, reason: str) -> Iterator[str]:
    """What to write instead, the most probable first."""
    if _TYPOGRAPHIC.search(line):
        straight = _TYPOGRAPHIC.sub('"', line)
        yield f"Write straight quotes: `{straight}`"
    if "twice" in reason or "overwrite" in reason:
        yield "It stands in the file more than once: keep one and put into it what both say"
    if line.startswith("["):
        name = line.partition("#")[0].strip("[] ")
        yield f"Write a heading alone on its line: `[{name}]`"
    if "\\" in line and '"' in line:
        single = line.replace('"', "'")
        yield f"A text with a backslash needs single quotes: `{single}`"
    if bare := re.fullmatch(rf"{_KEY}\s*[=:]\s*([^\"'\[{{=:#]*?)\s*(?:#.*)?", line):
        text = json.dumps(bare[2], ensure_ascii=False)
        yield f"Write texts in quotes after an equals sign: `{bare[1]} = {text}`"
    if pair := re.fullmatch(rf"{_KEY}\s*:\s*(.+)", line):
        yield f"Write an equals sign: `{pair[1]} = {pair[2]}`"
    if not re.match(rf"(?:{_KEY}|\"[^\"]+\"|'[^']+')\s*=", line):
        yield 'A key has letters without accents, digits, - and _; quote any other: `"a key" = "text"`'
    yield _GENERAL
