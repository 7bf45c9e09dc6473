"""The profile of a client or project as its template shows it, besides its cards and charts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from kpi_pipeline.cache.open_items import OpenItemsDay
from kpi_pipeline.model.bridge import BRIDGE_DIMENSIONS
from kpi_pipeline.model.dimensions import CLIENT
from kpi_pipeline.model.labels import Counted
from kpi_pipeline.model.listing import USUAL_COLUMNS
from serving.pages.addresses import CERTIFICATES_PATH, CHANGES_PATH, HOME_PATH, PageAddress
from serving.pages.certificates.view import ListView, ListWriter
from serving.pages.charts.view import ChartPart, ChartView
from serving.pages.compare.drawing import points_table, side_by_side
from serving.pages.compare.figures import ComparedKpi
from serving.pages.compare_links import compare_link
from serving.pages.context import PageContext
from serving.pages.downloads.statement_files import statement_path
from serving.pages.filters.form import Option
from serving.pages.page_data import PageData
from serving.pages.published.table_rows import TableFigures
from serving.pages.writing import NamedLink
from serving.profile.look_up import ProfileResult, open_parameters

_HABIT: Final = ("payment_days_median", "payment_days_p90")
_OLDEST: Final = "oldest_open"
_SHOWN: Final = ("number", "client", "project", "days_late", "issued_on", "due_on", "approved", "open")


@dataclass(frozen=True, slots=True)
class OldestOpen:
    """The oldest open item of a currency.

    Attributes:
        number: Of the certificate, with its project.
        url: The page of the certificate.
        text: Its amount, and how old and late it is.
    """

    number: str
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class StatementChoice:
    """What can be chosen of a statement of account.

    Attributes:
        days: Values and labels of the days, and whether each is chosen.
        document_url: The statement as a PDF.
        workbook_url: The same as a workbook.
        has_reconstructed: Whether a day rests on certificates of later.
    """

    days: list[Option]
    document_url: str
    workbook_url: str
    has_reconstructed: bool


@dataclass(frozen=True, slots=True)
class ProfileView:
    """All that the template shows of a profile besides cards and charts.

    Attributes:
        links: To pages of the same client or project.
        oldest: Its oldest open items, one a currency.
        open: Its open certificates, the first due first; None at a month end without a list.
        count: How many there are; without a list, what it is called.
        all_url: The list of all of them; empty without one.
        statement: Its statement of account; None of a project, and of a month end of which there is none.
    """

    links: list[NamedLink]
    oldest: list[OldestOpen]
    open: ListView | None
    count: str
    all_url: str
    statement: StatementChoice | None


def profile_view(
    result: ProfileResult, data: PageData, days: Sequence[OpenItemsDay], context: PageContext
) -> ProfileView:
    """What is shown of a profile.

    Args:
        result: The profile.
        data: Its figures, read.
        days: The month ends of which there are statements of account, the latest first.
        context: What the list of its certificates is written with.
    """
    oldest = [
        one for table in data.figures.tables if table.table.name == _OLDEST for one in _oldest(table, context)
    ]
    statement = _statement(result, days, context) if result.dimension == CLIENT.name else None
    if result.open is None:
        title = context.texts["profile_receivables"]
        return ProfileView(list(_links(result, context)), oldest, None, title, "", statement)
    # All are of the client or project itself.
    shown = tuple(name for name in _SHOWN if name != result.dimension)
    columns = tuple(name for name in (*USUAL_COLUMNS, *_SHOWN) if name in shown)
    listed = replace(result.open, request=replace(result.open.request, columns=tuple(dict.fromkeys(columns))))
    view = ListWriter(listed, context, "").view()
    totals = listed.certificates.totals(listed.selection)
    count = context.formats.count(totals.count - totals.credit_notes)
    kept = open_parameters()
    own = [(result.dimension, result.value)]
    return ProfileView(
        list(_links(result, context)),
        oldest,
        view,
        context.texts["profile_open"].format(count=Counted(count)),
        PageAddress(CERTIFICATES_PATH, context.address.language, context.address.as_of, kept).of(own),
        statement,
    )


def habit_chart(data: PageData, context: PageContext) -> list[ChartView]:
    """Days to payment at the end of each month, as a chart; none where there is no point of them."""
    writer, texts = context.writer, context.texts
    kpis = [kpi for name in _HABIT if (kpi := writer.kpi(name)) is not None]
    values = tuple(data.figures.kpis[kpi.name][0] for kpi in kpis)
    if len(kpis) < len(_HABIT):
        return []
    habit, labels = ComparedKpi(kpis[0], "", values), [writer.label(kpi) for kpi in kpis]
    drawing = side_by_side(habit, labels, data.figures.months, writer)
    if drawing is None:
        return []
    part = ChartPart("", [], drawing, points_table(habit, labels, data.figures.months, writer))
    description = texts["compare_drawn"].format(values=writer.formats.together(labels))
    return [ChartView("payment-habit", texts["profile_habit"], description, "", [part], is_wide=False)]


def _links(result: ProfileResult, context: PageContext) -> list[NamedLink]:
    own = [(result.dimension, result.value)]
    paths = [("profile_figures", HOME_PATH)]
    if result.open is not None:
        paths.append(("profile_certificates", CERTIFICATES_PATH))
    # Of the past there are no bridges.
    if context.address.as_of is None and result.dimension in BRIDGE_DIMENSIONS:
        paths.append(("changes", CHANGES_PATH))
    return [
        *(
            NamedLink(replace(context.address, path=path).of(own), context.texts[name])
            for name, path in paths
        ),
        compare_link(result.dimension, result.value, context),
    ]


def _statement(
    result: ProfileResult, days: Sequence[OpenItemsDay], context: PageContext
) -> StatementChoice | None:
    """What can be chosen; of a profile at a month end, that alone, None where there is no statement of it."""
    texts, day = context.texts, context.formats.day
    path, shown = statement_path(result.value), result.figures.entry.as_of
    options = []
    if result.figures.requested_as_of is not None:
        days = [one for one in days if one.day == shown]
        if not days:
            return None
    else:
        options.append(Option("", texts["account_statement_today"].format(day=day(shown)), "", chosen=True))
    for one in days:
        label = day(one.day)
        if one.known_on is not None:
            label = texts["account_statement_reconstructed"].format(day=label, known_on=day(one.known_on))
        options.append(Option(one.day.isoformat(), label, "", chosen=one.day == shown))
    return StatementChoice(
        options,
        f"{path}.pdf",
        f"{path}.xlsx",
        any(one.known_on is not None for one in days),
    )


def _oldest(table: TableFigures, context: PageContext) -> list[OldestOpen]:
    writer = context.writer
    found = []
    for row in table.rows:
        name = "profile_oldest" if row["overdue_days"] is None else "profile_oldest_overdue"
        text = context.texts[name].format(
            amount=writer.formats.money(row["amount"], row["currency"]).full,
            age=writer.days(row["age_days"]),
            late="" if row["overdue_days"] is None else writer.days(row["overdue_days"]),
        )
        url = writer.certificate_url(row["project"], row["certificate_id"])
        found.append(OldestOpen(row["certificate_id"], url, text))
    return found
