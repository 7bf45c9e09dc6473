"""The files of a CSV source: one path, or a pattern that names several."""

import re
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from kpi_pipeline.sources.errors import SourceError

_SUFFIX = re.compile(r"\.(csv|tsv|txt)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvPath:
    """A file of a source.

    Attributes:
        path: Where it is.
        name: What messages call it: its path below the folder of the source.
    """

    path: Path
    name: str


def is_csv(address: str) -> bool:
    """Whether an address is the path of a CSV file or a pattern of such, tabulated text included."""
    return "://" not in address and _SUFFIX.search(address) is not None


def is_pattern(address: str) -> bool:
    """Whether an address names files by a pattern: a path that exists goes before one."""
    return has_magic(address) and not Path(address).expanduser().exists()


def csv_paths(address: str) -> list[CsvPath]:
    """The files that an address names, sorted by name, whatever the order of their folder.

    In a pattern `*` stands for any text, `?` for one character, `[23]` for one of those and `**` for folders
    at any depth. A folder that exists goes before a pattern. The ending may be of any case, and hidden files
    do not count.

    Args:
        address: A path, which may not exist, or a pattern.

    Raises:
        SourceError: If no file matches a pattern; names it and the folder.
    """
    path = Path(address).expanduser()
    if not is_pattern(address):
        return [CsvPath(path, path.name)]
    folder = next(parent for parent in path.parents if parent.exists())
    pattern = path.relative_to(folder)
    if not has_magic(pattern.parts[0]):
        raise SourceError(f"there is no folder {folder.absolute() / pattern.parts[0]}; check the path")
    matches = glob(_any_case(str(pattern)), root_dir=folder, recursive=True)  # noqa: PTH207 - Path.glob follows no links
    names = sorted(name for name in set(matches) if not (folder / name).is_dir())
    if not names:
        raise SourceError(
            f"no file matches {str(pattern)!r} in the folder {folder.absolute()}; check the pattern"
        )
    return [CsvPath(folder / name, name) for name in names]


def _any_case(pattern: str) -> str:
    """A pattern whose ending is of any case: that of a spreadsheet's exports varies."""
    ending = "".join(f"[{char}{char.upper()}]" for char in Path(pattern).suffix[1:].lower())
    return f"{pattern[: -len(Path(pattern).suffix)]}.{ending}"
