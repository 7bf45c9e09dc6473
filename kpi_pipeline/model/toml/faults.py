"""What is wrong in a file of settings: where, what was found, what is allowed, and what to write."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.toml.places import Path, Places

_TOP_LEVEL: Final = "at the top of the file"

_EXPECTED: Final[Mapping[str, str]] = {
    "string_type": 'give a text in quotes, such as "sent"',
    "string_too_short": "the text is empty",
    "string_too_long": "the text is longer than one character",
    "tuple_type": 'give a list of texts, such as ["sent"]',
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "int_type": "give a whole number",
    "float_type": "give a number, such as 0.5",
    "finite_number": "give a number, such as 0.5",
    "greater_than_equal": "give a number from 0",
    "dict_type": "give a table of settings, not one value",
    "model_type": "give a table of settings, not one value",
    "too_short": "the list is empty",
}
"""Type of pydantic's error to what is expected."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        path: The table or key.
        sentence: What is wrong and what is allowed.
        write: What to write there, as TOML; empty where that is not known.
        is_table: Whether the path is a table's.
    """

    path: Path
    sentence: str
    write: str = ""
    is_table: bool = False


class Faults(ValueError):
    """Raised by checks of a model: what is wrong, with paths from the model's table down."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(fault.sentence for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where settings were written, so that what is found later can name the place.

    Attributes:
        name: The file's name.
        places: The lines of its keys.
    """

    name: str
    places: Places = field(default_factory=Places)

    def place(self, path: Path, is_table: bool = False) -> str:
        """A place in words: `own.toml line 12, [dates] timezone`."""
        line = self.places.line_of(path)
        at = self.name if line is None else f"{self.name} line {line}"
        written = self.places.written(path, is_table) if path else ""
        return f"{at}, {written}" if written else at

    def as_text(self, fault: Fault) -> str:
        """A fault with its place and what to write."""
        write = f". Write {fault.write}" if fault.write else ""
        return f"{self.place(fault.path, fault.is_table)}: {fault.sentence}{write}"


def refuse(faults: Iterable[Fault]) -> None:
    """Raise faults, if there are any.

    Raises:
        Faults: With all of them.
    """
    if found := tuple(faults):
        raise Faults(found)


def nearest(given: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that is most like a given one; None where none is like it."""
    by_fold = {fold(word): word for word in allowed}
    close = get_close_matches(fold(given), by_fold, n=1, cutoff=0.75)
    return by_fold[close[0]] if close else None


def one_of(given: str, allowed: Iterable[str], meant: str | None = None) -> str:
    """What is allowed instead of a word, and the one that is meant: the nearest where it is not known."""
    words = list(allowed)
    meant = meant or nearest(given, words)
    return f"{f'did you mean {meant}? Allowed' if meant else 'allowed'}: {', '.join(words)}"


def as_toml(value: object) -> str:
    """A value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def faults_of(
    errors: Iterable[ErrorDetails],
    data: Mapping[str, Any],
    model: type[BaseModel],
    secrets: Set[str] = frozenset(),
) -> Iterator[Fault]:
    """What pydantic found wrong in a file's data, each place once.

    Args:
        errors: What it found.
        data: The file's data.
        model: What describes the file.
        secrets: Keys whose values are not to be shown.
    """
    seen: set[Path] = set()
    errors = list(errors)
    unknown = [place_in_data(error, data) for error in errors if error["type"] == "extra_forbidden"]
    for error in errors:
        path = place_in_data(error, data)
        # A list without its wrong entries is not empty too.
        if error["type"] == "too_short" and any(
            place_in_data(other, data)[: len(path)] == path for other in errors if other is not error
        ):
            continue
        if error["type"] == "missing":
            path = (*path, error["loc"][-1])
            # A key that is misspelled is not missing too.
            if any(nearest(str(other[-1]), [str(path[-1])]) for other in unknown if other[:-1] == path[:-1]):
                continue
        raised = error.get("ctx", {}).get("error")
        if isinstance(raised, Faults):
            for fault in raised.faults:
                yield Fault((*path, *fault.path), fault.sentence, fault.write, fault.is_table)
        elif path not in seen:
            seen.add(path)
            yield _fault(path, error, data, model, hidden=not secrets.isdisjoint(path))


def place_in_data(error: ErrorDetails, data: Any) -> Path:
    """The path of the value that an error is of; where a key is missing that of its table."""
    path: Path = ()
    for part in error["loc"]:
        # pydantic adds the names of alternatives, and `[key]`.
        known = (
            part in data if isinstance(data, Mapping) else isinstance(data, list) and isinstance(part, int)
        )
        if not known:
            break
        data = data[part]
        path = (*path, part)
    return path


def _fault(
    path: Path, error: ErrorDetails, data: Mapping[str, Any], model: type[BaseModel], *, hidden: bool
) -> Fault:
    kind, given = error["type"], error["input"]
    is_table = isinstance(_value(data, path), Mapping)
    if kind == "extra_forbidden":
        return _unknown(path, is_table, model)
    if kind == "missing":
        return Fault(path, "required, but not given", _missing(path, model))
    if kind == "enum" and error["loc"][-1] == "[key]":
        return _unknown_key(path, is_table, _words(error), _value(data, path))
    if kind in {"enum", "literal_error"}:
        allowed = _words(error) if kind == "enum" else _literals(model, path)
        by_text = {str(word): word for word in allowed}
        meant = by_text[nearest(str(given), by_text) or str(allowed[0])]
        like = one_of(str(given), map(str, allowed))
        if kind == "literal_error":
            like = f"allowed: {', '.join(map(as_toml, allowed))}"
        entry = [meant] if isinstance(path[-1], int) else meant
        return Fault(path, f"found {as_toml(given)}; {like}", f"`{_key(path)} = {as_toml(entry)}`")
    write = ""
    if kind == "value_error":
        sentence = error["msg"].removeprefix("Value error, ")
    elif not (sentence := above_headings(path, model)):
        sentence = _EXPECTED.get(kind, error["msg"])
        if hidden:
            return Fault(path, sentence, "", is_table)
        sentence = f"found {as_toml(given)}; {sentence}"
        if isinstance(given, str | int | float) and kind in {"tuple_type", "string_type"}:
            write = f"`{_key(path)} = {as_toml([str(given)] if kind == 'tuple_type' else str(given))}`"
    return Fault(path, sentence, write, is_table)


def above_headings(path: Path, model: type[BaseModel]) -> str:
    """What to do about a setting of the whole file that TOML counts to the heading above it; else empty."""
    name = str(path[-1]) if len(path) > 1 else ""
    return f"{name} belongs above the first heading of the file" if name in model.model_fields else ""


def _key(path: Path) -> str:
    """The key that a value belongs to, also where it is an entry of its list."""
    return str(next(part for part in reversed(path) if isinstance(part, str)))


def _unknown_key(path: Path, is_table: bool, allowed: list[str], value: object) -> Fault:
    """A key of a table whose keys are given words, such as states."""
    name = str(path[-1])
    meant = nearest(name, allowed) or allowed[0]
    write = f"`{meant} = {as_toml(['…'] if is_table else value)}`"
    return Fault(path, f"not allowed; {one_of(name, allowed)}", write, is_table)


def _missing(path: Path, model: type[BaseModel]) -> str:
    name = str(path[-1])
    above = _model_at(model, path[:-1])
    field_info = _field_of(above, name)
    if field_info is not None and get_origin(field_info.annotation) is dict:
        return f"the heading `[{name}]`, and its settings below"
    return f'`{name} = "…"` {_under(path)}'


def _unknown(path: Path, is_table: bool, model: type[BaseModel]) -> Fault:
    """A section or key that does not exist."""
    above = _model_at(model, path[:-1])
    fields = [field_info.alias or field for field, field_info in above.model_fields.items()] if above else []
    name = str(path[-1])
    meant = nearest(name, fields)
    sections = [
        f"{section}.…" if get_origin(section_field.annotation) is dict else section
        for section, section_field in model.model_fields.items()
        if _field_of(_model_in(section_field.annotation), name) is not None
    ]
    sentence = f"no such {'section' if is_table else 'key'} {_under(path)}; "
    if meant is None and sections and not is_table:
        sentence += f"it belongs under {' or '.join(f'[{section}]' for section in sections)}; "
    written = ".".join(str(part) for part in (*path[:-1], meant) if isinstance(part, str))
    write = (f"`[{written}]`" if is_table else f"`{meant} = …`") if meant else ""
    return Fault(path, sentence + one_of(name, sorted(fields)), write, is_table)


def _under(path: Path) -> str:
    table = ".".join(str(part) for part in path[:-1] if isinstance(part, str))
    return f"under [{table}]" if table else _TOP_LEVEL


def _words(error: ErrorDetails) -> list[str]:
    """The words that pydantic names as allowed."""
    return re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))


def _literals(model: type[BaseModel], path: Path) -> list[object]:
    """The values that a field may have."""
    above = _model_at(model, path[:-1])
    field_info = _field_of(above, str(path[-1]))
    annotation = field_info.annotation if field_info else None
    parts = [annotation, *get_args(annotation)]
    return [value for part in parts if get_origin(part) is Literal for value in get_args(part)]


def _value(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        else:
            return None
    return data


def _model_at(model: type[BaseModel] | None, path: Path) -> type[BaseModel] | None:
    """The model of a table of the file."""
    is_named = False
    for part in path:
        if isinstance(part, int):
            continue
        if is_named:
            # A table of tables: its keys are names, each of the same model.
            is_named = False
            continue
        field_info = _field_of(model, part)
        model = _model_in(field_info.annotation) if field_info else None
        is_named = field_info is not None and get_origin(field_info.annotation) is dict
    return model


def _field_of(model: type[BaseModel] | None, key: str) -> FieldInfo | None:
    """The field that a key of a model's table is of; None where there is none."""
    fields = model.model_fields.items() if model else ()
    return next((info for name, info in fields if key == (info.alias or name)), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
