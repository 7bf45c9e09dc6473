"""What changed as files: the parts of each figure, or the certificates of a figure or part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from flask import Blueprint, Response, request

from kpi_pipeline.cache.bridges import Moved
from kpi_pipeline.model.bridge import BRIDGE_FIGURE_BY_NAME, BRIDGE_FIGURES, BRIDGE_PART_BY_NAME, DSO
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.list_standings import LIST_STANDINGS
from kpi_pipeline.model.listing import LISTED_WITH
from serving.bridge.look_up import BridgeResult, look_up_bridge
from serving.cache_access import current_connection, current_settings
from serving.pages.addresses import CHANGES_PATH
from serving.pages.downloads.about import Provenance, file_name, filter_in_name, notices_of
from serving.pages.downloads.preparing import preparing_answer
from serving.pages.downloads.sheet_files import SheetFile
from serving.pages.downloads.sheets import Sheet, SheetCell, sheet_cell
from serving.pages.page_data import filter_label, pages_on
from serving.pages.writing import Writer, writer_for
from serving.problems import DOWNLOADS_PATH
from serving.responses import LANGUAGE_PARAMETER, reader_language

BRIDGE_FILES: Final = f"{DOWNLOADS_PATH}{CHANGES_PATH.removeprefix('/manager')}"

_STANDING_LABELS: Final = {one.name: one.label for one in LIST_STANDINGS}

routes: Final = Blueprint("bridge_files", __name__)


@dataclass(frozen=True, slots=True)
class _File:
    """What a file is written from."""

    result: BridgeResult
    writer: Writer
    notices: list[str]

    @classmethod
    def of_request(cls) -> "_File | Response":
        """That of the present request; that it is being prepared where the bridge is."""
        language, connection = reader_language(), current_connection()
        pairs = list(request.args.items(multi=True))
        result = look_up_bridge(connection, [pair for pair in pairs if pair[0] != LANGUAGE_PARAMETER])
        if result.is_missing:
            return preparing_answer(result.figures)
        writer = writer_for(language, connection.catalogues.of(LISTED_WITH), current_settings().timezone)
        notices = notices_of(connection, LISTED_WITH, pages_on(connection, None), result.figures, writer)
        return cls(result, writer, notices)

    @property
    def title(self) -> str:
        return self.writer.texts["changes"]

    @property
    def filtered(self) -> str:
        return filter_label(self.writer.catalogue, self.result.figures.answered, self.writer)

    @property
    def held(self) -> list[tuple[str, str]]:
        """Figure, part and currency of the certificates; empty of the parts of all figures."""
        asked, texts = self.result.request, self.writer.texts
        labels = (BRIDGE_FIGURE_BY_NAME.get(asked.figure), BRIDGE_PART_BY_NAME.get(asked.part))
        heads = (texts["bridge_figure"], texts["bridge_part"])
        named = [
            (head, self._text(one.label)) for head, one in zip(heads, labels, strict=True) if one is not None
        ]
        return [*named, (texts["sheet_currency"], asked.currency)] if asked.currency else named

    @property
    def provenance(self) -> Provenance:
        bridge, entry = self.result.bridge, self.result.figures.entry
        days = (bridge.opens_on, bridge.closes_on)
        return Provenance(self.filtered, entry, self.notices, self.writer, self.held[:1], days)

    def sheet(self) -> Sheet:
        """The certificates where a figure is requested, else the parts of each."""
        return self._certificates() if self.result.request.figure else self._parts()

    def _parts(self) -> Sheet:
        texts = self.writer.texts
        names = ("figure", "part", "amount", "count", "certificates")
        heads = [texts["sheet_currency"], *(texts[f"bridge_{name}"] for name in names)]
        return Sheet("changes", self.title, heads, list(self._part_rows()))

    def _part_rows(self) -> Iterator[list[SheetCell]]:
        bridge = self.result.bridge
        for of_currency in self.result.currencies:
            for figure in BRIDGE_FIGURES:
                held, code = of_currency["figures"][figure.name], of_currency["currency"]
                own = [SheetCell(code), SheetCell(self._text(figure.label))]
                yield [*own, *self._end(bridge.opens_on, held["opening"], code)]
                for part in held["parts"]:
                    yield [
                        *own,
                        SheetCell(self._text(BRIDGE_PART_BY_NAME[part["part"]].label)),
                        self._amount(part["amount"], code),
                        SheetCell(part["count"], "count"),
                        SheetCell(part["certificates"], "count"),
                    ]
                yield [*own, *self._end(bridge.closes_on, held["closing"], code)]
            yield from self._dso_rows(of_currency)

    def _dso_rows(self, of_currency: Mapping[str, Any]) -> Iterator[list[SheetCell]]:
        """Those of DSO: days in place of amounts."""
        bridge, held = self.result.bridge, of_currency[DSO]
        own = [SheetCell(of_currency["currency"]), SheetCell(self.writer.texts["bridge_dso_days"])]
        nothing = [SheetCell(None), SheetCell(None)]
        yield [*own, self._day_label(bridge.opens_on), _days(held["opening"]["tenths"]), *nothing]
        for part in held["parts"]:
            label = self._text(BRIDGE_PART_BY_NAME[part["part"]].label)
            yield [*own, SheetCell(label), _days(part["tenths"]), *nothing]
        yield [*own, self._day_label(bridge.closes_on), _days(held["closing"]["tenths"]), *nothing]

    def _day_label(self, day: date) -> SheetCell:
        return SheetCell(self.writer.texts["bridge_end"].format(day=self.writer.formats.day(day)))

    def _end(self, day: date, held: dict[str, Any], currency: str) -> list[SheetCell]:
        return [
            self._day_label(day),
            self._amount(held["amount"], currency),
            SheetCell(None),
            SheetCell(held["count"], "count"),
        ]

    def _certificates(self) -> Sheet:
        texts, figure = self.writer.texts, BRIDGE_FIGURE_BY_NAME[self.result.request.figure]
        names = ("part", "before", "after", "change", "standing_before", "standing_after")
        heads = [
            texts["list_number"],
            *(
                self.writer.label(one)
                for one in self.writer.catalogue.dimensions
                if one.name in self._dimensions()
            ),
            texts["sheet_currency"],
            *(texts[f"bridge_{name}"] for name in (*names, "due_before", "due_after")),
        ]
        rows = [self._certificate(moved) for moved in self.result.all_certificates()]
        return Sheet("changes", self._text(figure.label), heads, rows)

    def _dimensions(self) -> list[str]:
        named = self.result.all_certificates(self.result.places[:1])
        return list(named[0].values)[1:] if named else []

    def _certificate(self, moved: Moved) -> list[SheetCell]:
        dimensions = [one.name for one in self.writer.catalogue.dimensions if one.name in moved.values]
        standings = (moved.standing_before, moved.standing_after)
        return [
            SheetCell(moved.values["number"]),
            *(SheetCell(moved.values[name]) for name in dimensions),
            SheetCell(moved.currency),
            SheetCell(self._text(BRIDGE_PART_BY_NAME[moved.part].label)),
            *(self._amount(one, moved.currency) for one in (moved.before, moved.after, moved.change)),
            *(SheetCell(None if name is None else self._text(_STANDING_LABELS[name])) for name in standings),
            *(SheetCell(day, "day") for day in (moved.due_before, moved.due_after)),
        ]

    def _amount(self, minor: int, currency: str) -> SheetCell:
        return sheet_cell("money", minor, currency, self.writer)

    def _text(self, label: Text) -> str:
        return label.into(self.writer.language)

    def of_sheet(self) -> SheetFile:
        """What is written."""
        figures = self.result.figures
        titles = [self.title, *(text for _, text in self.held)]
        days = [self.result.bridge.opens_on, self.result.bridge.closes_on, figures.entry.as_of]
        name = file_name(titles, days, filter_in_name(self.filtered, self.writer))
        return SheetFile(self.sheet(), figures, self.title, name, self.provenance, self.writer)


def _days(tenths: int | None) -> SheetCell:
    return SheetCell(None if tenths is None else Decimal(tenths).scaleb(-1), "days")


@routes.get(f"{BRIDGE_FILES}.csv")
def as_csv() -> Response:
    """The rows as CSV."""
    file = _File.of_request()
    return file if isinstance(file, Response) else file.of_sheet().as_csv()


@routes.get(f"{BRIDGE_FILES}.xlsx")
def as_workbook() -> Response:
    """The rows as a workbook."""
    file = _File.of_request()
    return file if isinstance(file, Response) else file.of_sheet().as_workbook()
