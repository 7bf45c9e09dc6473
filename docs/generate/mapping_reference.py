"""The reference of mapping files, generated from the model that reads them."""

import inspect
import json
import re
import types
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.generate.markdown import generated_from, prose, table
from kpi_pipeline.model import mapping
from kpi_pipeline.model.certificates import CERTIFICATE_SCHEMA, REASON_ADVICE
from kpi_pipeline.model.costs import COST_SCHEMA
from kpi_pipeline.model.dimensions import DIMENSIONS

_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "": mapping.SourceMapping,
    "source": mapping.TableSource,
    "dates": mapping.Dates,
    "amounts": mapping.Amounts,
    "state_rules": mapping.StateRule,
    "log": mapping.ChangeLog,
    "costs": mapping.CostSource,
    "costs.lines": mapping.CostLines,
}
"""By name of the TOML table."""

_MEANINGS: Final = {
    **{dimension.name: f"{dimension.label.en}." for dimension in DIMENSIONS},
    "certificate_id": "What identifies a certificate; several columns are joined by `/`.",
    "project": "Project that the certificate or cost belongs to.",
    "client": "Client who is to pay.",
    "project_manager": "Person responsible for the project (*jefe de proyecto*).",
    "administrator": "Person who administers the contract (*gestor*).",
    "project_type": "Kind of project or department.",
    "state": "Stage that the certificate has reached; see `[states]`.",
    "detailed_state": "Finer stage, as the source writes it.",
    "rejection_reason": "Why the client refused the certificate.",
    "failure_kind": "What went wrong inside the firm.",
    "month": "Billing month; without it the month of issue.",
    "issued_on": "Day of issue.",
    "sent_on": "Day on which it was sent to the client.",
    "conformity_on": "Day of the client's written acceptance (*conformidad*).",
    "expected_payment_on": "Due date, where the source gives one.",
    "paid_on": "Day of payment.",
    "currency": "ISO 4217 code, such as `CLP`.",
    "amount_proposed": "Amount claimed.",
    "amount_approved": "Amount that the client accepted; the claimed one stands in where it is empty.",
    "amount_paid": "Paid so far, where clients pay in parts; what is neither paid nor retained stays open.",
    "amount_retained": "Kept back by the client until it is released.",
    "rework_count": "How often the client requested rework, where no log tells when.",
    "rejection_count": "How often the client refused it, where no log tells when.",
    "updated_at": "Moment of the row's last change; makes detection of changes cheap.",
    "cost_id": "What identifies a supplier's invoice.",
    "invoiced_on": "Date of the invoice; decides its month.",
    "due_on": "Day on which it is due.",
    "amount": "Net amount.",
    "kind": "`opex` or `capex`; see `[costs.kinds]`.",
    "supplier": "Who sent the invoice.",
}
_COST_MEANINGS: Final = {"paid_on": "Day on which the supplier was paid."}


def page() -> str:
    """The page, in Markdown."""
    sections = [
        f"# Mapping file\n\n{generated_from('kpi_pipeline/model/mapping')}\n\n"
        "A mapping file is TOML. It names the source's tables and columns and lists the source's "
        "spellings of states and kinds of cost. Unknown keys are errors. Spellings are compared without "
        "regard to case, accents and repeated spaces. [Your own database](../own-database.md) explains "
        "the steps.\n"
    ]
    for name, model in _TABLES.items():
        summary, meanings = _documented(model)
        title = f"`{_in_brackets(name)}`" if name else "Top level"
        sections.append(f"## {title}\n\n{summary}\n\n{_fields(model, meanings)}")
    sections.append(
        "## Columns of a certificate\n\nKeys of `[columns]`. A default goes under `[defaults]`.\n\n"
        + _columns(CERTIFICATE_SCHEMA, mapping.MAPPABLE, mapping.REQUIRED, _MEANINGS)
    )
    sections.append(
        "## Columns of a cost\n\nKeys of `[costs.columns]`. Defaults are those of `[defaults]`.\n\n"
        + _columns(COST_SCHEMA, mapping.COST_MAPPABLE, mapping.COST_REQUIRED, _MEANINGS | _COST_MEANINGS)
    )
    reasons = [(f"`{reason.value}`", prose(advice)) for reason, advice in REASON_ADVICE.items()]
    sections.append(
        "## Why rows are refused\n\nRefused rows are kept in a quarantine with their reasons.\n\n"
        + table(("Reason", "What to do"), reasons)
    )
    return "\n".join(sections)


def _documented(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """The docstring of a model: its text without the attributes, and that of each attribute."""
    doc = inspect.getdoc(model) or ""
    before, _, rest = doc.partition("Attributes:\n")
    lines = rest.splitlines()
    end = next((at for at, line in enumerate(lines) if line and not line.startswith(" ")), len(lines))
    meanings: dict[str, str] = {}
    for line in lines[:end]:
        if match := re.match(r" {4}(\w+): (.*)", line):
            name, meanings[match[1]] = match[1], match[2]
        elif line.strip():
            meanings[name] += " " + line.strip()
    summary = "\n".join((before.strip(), "", "\n".join(lines[end:]).strip())).strip()
    return summary, meanings


def _fields(model: type[BaseModel], meanings: Mapping[str, str]) -> str:
    rows = [
        (f"`{name}`", _type(field.annotation, name), _default(field), prose(meanings[name]))
        for name, field in model.model_fields.items()
    ]
    return table(("Key", "Type", "Default", "Meaning"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or isinstance(default, BaseModel) or default in ((), {}, ""):
        return ""
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _type(annotation: Any, name: str) -> str:
    """A type in the terms of TOML."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(part, name) for part in parts if part is not type(None)))
    if origin is Literal:
        return " or ".join(f"`{json.dumps(part, ensure_ascii=False)}`" for part in parts)
    if origin is tuple:
        of_tables = isinstance(parts[0], type) and issubclass(parts[0], BaseModel)
        return f"tables `{_in_brackets(_title(parts[0]))}`" if of_tables else "list of texts"
    if origin is dict:
        keys, values = parts
        of = (
            f" ({', '.join(f'`{key.value}`' for key in keys)})"
            if isinstance(keys, type) and issubclass(keys, StrEnum)
            else ""
        )
        return f"table{of} of {_type(values, name)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"table `{_in_brackets(_title(annotation))}`"
    return "`true` or `false`" if annotation is bool else "text"


def _title(model: type[BaseModel]) -> str:
    return next(title for title, known in _TABLES.items() if known is model)


def _in_brackets(name: str) -> str:
    """The heading of a table in TOML; of one that may be repeated, the heading of each."""
    return f"[[{name}]]" if _TABLES[name] is mapping.StateRule else f"[{name}]"


def _columns(
    schema: pa.Schema, mappable: Iterable[str], required: Iterable[str], meanings: Mapping[str, str]
) -> str:
    rows = []
    for field in schema:
        if field.name not in mappable:
            continue
        needed = "required" if field.name in required else ""
        if field.name in mapping.DEFAULTABLE and not needed:
            needed = "column or default" if field.name in ("state", "currency") else "default possible"
        rows.append((f"`{field.name}`", _column_type(field), needed, meanings[field.name]))
    return table(("Column", "Type", "", "Meaning"), rows)


def _column_type(field: pa.Field) -> str:
    if field.name.startswith("amount"):
        return "amount"
    named = {
        pa.string(): "text",
        pa.date32(): "date",
        pa.int64(): "whole number",
        pa.timestamp("us"): "moment",
    }
    return named[field.type]
