"""Certificates as JSON: a page of a selection and what the whole of it sums to, or a single one."""

from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.reading.listing.certificates import Value, is_marked, value_of
from kpi_pipeline.cache.reading.listing.matching import Totals
from kpi_pipeline.cache.reading.listing.sorting import Row
from kpi_pipeline.model.certificate_details import APPROVED_ASSUMED
from kpi_pipeline.model.components import NEXT_DAYS
from kpi_pipeline.model.forecast import SURVIVAL_SCALE
from kpi_pipeline.model.listing import LIST_COLUMNS, LIST_REASONS, LISTED_WITH, ListColumn
from serving.api.stamped_json import stamped_json
from serving.cache_access import current_connection
from serving.listing.detail import CertificateDetail, Outlook, StageDays, look_up_certificate
from serving.listing.look_up import ListResult, look_up_list
from serving.pages.addresses import CERTIFICATES_API_PATH

routes: Final = Blueprint("certificates", __name__)


@routes.get(CERTIFICATES_API_PATH)
def certificates() -> Response:
    """A page of the list."""
    result = look_up_list(current_connection(), list(request.args.items(multi=True)))
    return stamped_json(result.figures, result.digest, lambda: _document(result, _page_of(result)))


@routes.get(f"{CERTIFICATES_API_PATH}/<path:project>/<number>")
def certificate(project: str, number: str) -> Response:
    """One certificate."""
    found = look_up_certificate(current_connection(), project, number, list(request.args.items(multi=True)))
    listed = found.listed
    digest = blake2b(f"{listed.digest} {project}/{number}".encode(), digest_size=16).hexdigest()
    return stamped_json(listed.figures, digest, lambda: _document(listed, _detail(found)))


def _document(result: ListResult, data: dict[str, Any]) -> dict[str, Any]:
    figures = result.figures
    identity = {"product": LISTED_WITH, "filter": figures.answered, "scope": figures.entry.scope}
    return {"data": data, "meta": {**identity, **figures.meta()}}


def _page_of(result: ListResult) -> dict[str, Any]:
    asked, page = result.request, result.page()
    return {
        "certificates": [certificate_values(row, asked.shown) for row in page.rows],
        "totals": list_totals(page.totals),
        "standing": asked.standings,
        "search": asked.search,
        **{reason.name: dict(asked.reasons).get(reason.name) for reason in LIST_REASONS},
        "expected_in": asked.expected or None,
        "work_list": asked.work_list or None,
        "sort": str(asked.order),
        "offset": asked.offset,
        "limit": asked.limit,
    }


def _detail(found: CertificateDetail) -> dict[str, Any]:
    outlook = found.outlook()
    return {
        "certificate": {
            **certificate_values(found.row, LIST_COLUMNS),
            APPROVED_ASSUMED: found.is_marked(APPROVED_ASSUMED),
        },
        "milestones": [
            {"milestone": name, "on": day.isoformat(), "days_since_previous": gap}
            for name, day, gap in found.milestones
        ],
        "stages": [_stage(one) for one in found.stages()],
        "outlook": None if outlook is None else _outlook(outlook),
    }


def _stage(one: StageDays) -> dict[str, Any]:
    usual = None
    if one.usual is not None:
        usual = {"days": one.usual.days, "count": one.usual.count, "of_client": one.usual.is_own}
    return {"stage": one.stage.name, "days": one.days, "running": one.is_running, "usual": usual}


def _outlook(outlook: Outlook) -> dict[str, Any]:
    next_days = None
    if outlook.next_days is not None:
        share, expected = outlook.next_days
        next_days = {"days": NEXT_DAYS, "paid": share / SURVIVAL_SCALE, "expected": expected}
    return {
        "rule": outlook.rule,
        "reason": outlook.reason,
        "months": [
            {"month": month, "paid_by_end": share / SURVIVAL_SCALE, "expected": expected}
            for (month, share), expected in zip(outlook.months, outlook.expected, strict=True)
        ],
        "next_days": next_days,
        "likely_by": outlook.likely_by,
        "nearly_certain_by": outlook.nearly_certain_by,
    }


def certificate_values(row: Row, columns: Sequence[ListColumn]) -> dict[str, Any]:
    """Some columns of a row of the list as JSON."""
    values = {column.name: _plain(value_of(row, column.name)) for column in columns}
    return {
        **values,
        "currency": value_of(row, "currency"),
        "due_assumed": is_marked(row, "due_assumed"),
    }


def list_totals(totals: Totals) -> dict[str, Any]:
    """What a list sums to as JSON."""
    return {
        "count": totals.count,
        "credit_notes": totals.credit_notes,
        "amounts": [{"currency": code, **sums} for code, sums in sorted(totals.amounts.items())],
    }


def _plain(value: Value) -> str | int | float | None:
    return value.isoformat() if isinstance(value, date) else value
