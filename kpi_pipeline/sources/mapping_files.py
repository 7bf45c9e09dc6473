"""Mapping files: those shipped with the package and the user's own."""

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kpi_pipeline.model.mapping import SourceMapping

_SHIPPED = resources.files("kpi_pipeline.sources") / "mappings"

_KEPT_MAPPINGS: Final = 8
"""Of so many texts the mappings are kept: a run asks for its own several times."""


def shipped() -> list[str]:
    """Names of the mappings shipped with the package, sorted."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in _SHIPPED.iterdir() if entry.name.endswith(".toml")
    )


def load_mapping(name_or_path: str) -> "SourceMapping":
    """Read a mapping.

    Args:
        name_or_path: A shipped name, or the path of a TOML file.

    Raises:
        MappingError: If the mapping is missing, unreadable or malformed; the message says what to do.
    """
    # Imported only when needed: who chooses a source asks for the names alone.
    from kpi_pipeline.model.mapping import MappingError  # noqa: PLC0415

    if name_or_path in shipped():
        return _parsed((_SHIPPED / f"{name_or_path}.toml").read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")  # Notepad writes a byte order mark.
    except FileNotFoundError as error:
        raise MappingError(
            f"{path}: no such mapping file; give the path of one, or a shipped name: {', '.join(shipped())}"
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: not UTF-8 text; save the mapping file as UTF-8") from error
    except OSError as error:
        raise MappingError(
            f"{path}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
    return _parsed(text, str(path))


@lru_cache(_KEPT_MAPPINGS)
def _parsed(text: str, origin: str) -> "SourceMapping":
    from kpi_pipeline.model.mapping import parse_mapping  # noqa: PLC0415

    return parse_mapping(text, origin)
