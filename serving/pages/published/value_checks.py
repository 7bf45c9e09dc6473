"""Checks of values against their kinds."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from kpi_pipeline.model.labels import Kind

Value = int | float | str | None

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_CURRENCY: Final = re.compile(r"([A-Z]{3})?", re.ASCII)


def is_of(kind: str) -> Callable[[Value], bool]:
    """The check for values of a kind; numbers, days and reasons may be None."""
    return _IS_OF.get(kind, _is_text)


def _is_text(value: Value) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: Value) -> bool:
    return value is None or isinstance(value, str)


def _is_whole(value: Value) -> bool:
    return value is None or isinstance(value, int)


def _is_number(value: Value) -> bool:
    return value is None or isinstance(value, (int, float))


def _is_month(value: Value) -> bool:
    return isinstance(value, str) and _MONTH.fullmatch(value) is not None


def _is_currency(value: Value) -> bool:
    return isinstance(value, str) and _CURRENCY.fullmatch(value) is not None


def _is_day(value: Value) -> bool:
    if value is None:
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value) is not None
    except ValueError:
        return False


_IS_OF: Final[Mapping[str, Callable[[Any], bool]]] = {
    Kind.MONEY: _is_whole,
    Kind.COUNT: _is_whole,
    Kind.SHARE: _is_number,
    Kind.DAYS: _is_number,
    Kind.READING: _is_number,
    Kind.MONTH: _is_month,
    Kind.CURRENCY: _is_currency,
    Kind.DAY: _is_day,
    Kind.REASON: _is_text_or_none,
}
