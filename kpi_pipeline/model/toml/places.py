"""Where the keys of a TOML file stand: the standard parser gives values without their lines."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
"""Keys from the top of a file down to a value; a number counts the entries of a list from 0."""


@dataclass(frozen=True, slots=True)
class Places:
    """The lines of a file's keys, and how its tables are written.

    Attributes:
        lines: Path of a table or key to its line, from 1.
        repeated: Paths of tables that are written as `[[table]]`.
    """

    lines: Mapping[Path, int] = field(default_factory=dict)
    repeated: frozenset[Path] = frozenset()

    def line_of(self, path: Path) -> int | None:
        """The line of a key, or of the nearest table above it; None where that is the whole file.

        A table that has no heading of its own begins where the first below it does.
        """
        below = [line for written, line in self.lines.items() if written[: len(path)] == path]
        if path and below:
            return min(below)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def written(self, path: Path, is_table: bool) -> str:
        """A path as TOML writes it: `name`, `[dates]`, `[dates] timezone`, `[[state_rules]] state`."""
        while not is_table and isinstance(path[-1], int):
            path = path[:-1]  # an entry of a list
        table, key = (path, None) if is_table else (path[:-1], path[-1])
        names = [str(part) for part in table if isinstance(part, str)]
        dotted = ".".join(map(written_key, names))
        is_repeated = tuple(part for part in table if isinstance(part, str)) in self.repeated
        heading = f"[[{dotted}]]" if is_repeated else f"[{dotted}]"
        written = ([heading] if names else []) + ([] if key is None else [written_key(str(key))])
        return " ".join(written)


def written_key(key: str) -> str:
    """A key as TOML writes it: in quotes where it holds more than letters, digits, `-` and `_`."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else '"' + key.replace('"', '\\"') + '"'


def places_of(text: str) -> Places:
    """Find the lines of the keys of a file that is valid TOML."""
    lines: dict[Path, int] = {}
    repeated: dict[Path, int] = {}
    table: Path = ()
    for line, written, parsed in _statements(text):
        if written.startswith("["):
            names = tuple(_names(parsed))
            # An entry of a repeated table is a table of its own, and so is what stands below it.
            if written.startswith("[["):
                repeated[names] = repeated.get(names, -1) + 1
            table = _numbered(names, repeated)
            lines.setdefault(table, line)
        else:
            for path in _paths(parsed):
                lines.setdefault((*table, *path), line)
    return Places(lines, frozenset(repeated))


def unfinished_line(text: str) -> int:
    """The line of the statement that a file ends in the middle of, from 1."""
    end = 0
    for line, written, _ in _statements(text):
        end = line + written.count("\n")
    lines = text.splitlines()
    while end < len(lines) and not lines[end].partition("#")[0].strip():
        end += 1
    return end + 1


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Headings and settings with their line: the fewest lines in sequence that are valid by themselves."""
    pending: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        pending.append(line)
        statement = "\n".join(pending)
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if parsed:
            yield number - len(pending) + 1, statement.lstrip(), parsed
        pending.clear()


def _names(parsed: Any) -> Iterator[str]:
    """The names in a heading, from what it alone is parsed as."""
    while parsed:
        if isinstance(parsed, list):
            parsed = parsed[0]
            continue
        name, parsed = next(iter(parsed.items()))
        yield name


def _numbered(names: tuple[str, ...], repeated: Mapping[Path, int]) -> Path:
    path: Path = ()
    for count in range(1, len(names) + 1):
        path = (*path, names[count - 1])
        if names[:count] in repeated:
            path = (*path, repeated[names[:count]])
    return path


def _paths(parsed: Mapping[str, Any]) -> Iterator[Path]:
    """The paths of a setting and of what its inline tables hold."""
    for key, value in parsed.items():
        yield (key,)
        if isinstance(value, Mapping):
            yield from ((key, *path) for path in _paths(value))
