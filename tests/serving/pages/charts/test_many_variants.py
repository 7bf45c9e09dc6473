"""Every chart of many variants, drawn: what is drawn is what the table beside it holds."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_pipeline.compute.catalogue import catalogue as catalogue_of_cube
from kpi_pipeline.compute.cube.cube import Cube
from kpi_pipeline.compute.payloads import payloads
from kpi_pipeline.model.filters import Filter
from serving.catalogue import Catalogue
from serving.pages.addresses import PageAddress
from serving.pages.charts.shapes import Bars, Heat, Plot, Trends
from serving.pages.charts.view import ChartView, chart_view
from serving.pages.drill_down import DrillDown
from serving.pages.formats import Formats
from serving.pages.list_links import ListLinks
from serving.pages.published.figures import read_figures
from serving.pages.writing import Writer
from tests.conftest import DEMO_DAY
from tests.oracle.both_ways import BothWays
from tests.oracle.standing_rows import STANDING_ROWS

pytestmark = pytest.mark.slow

LEAKED = re.compile(r"\b(None|null|undefined|NaN|nan|inf)\b")
VARIANTS = 40  # of each cube, spread over all that it has
SLACK = 0.02  # what rounding to hundredths of a percent may add


@pytest.fixture(scope="module")
def cubes(small_demo: Path) -> list[Cube]:
    """The demo, and a few certificates that are credit notes or cancelled."""
    demo = BothWays.of_source(f"sqlite:///{small_demo}", "edp", [])
    few = [BothWays.of_certificates(STANDING_ROWS[name]) for name in ("credit notes", "only cancelled")]
    return [one.cube(DEMO_DAY) for one in (demo, *few)]


def charts(cube: Cube) -> Iterator[tuple[Filter, ChartView]]:
    known = Catalogue.model_validate(catalogue_of_cube(cube))
    formats = Formats("es", {one.code: one.decimals for one in known.currencies}, ZoneInfo("UTC"))
    filters = list(cube.candidate_filters())
    slices = [cube.select(filters[:: max(1, len(filters) // VARIANTS)])]
    for page in known.pages:
        address = PageAddress(f"/manager/{page.name}", "es")
        for requested, data in payloads(page.product, slices):
            writer = Writer("es", formats, known, DrillDown(known, requested.as_dict(), address))
            for chart in read_figures(data, page, known).charts:
                yield requested, chart_view(chart, ListLinks({}, is_cohort=False, writer=writer))


def test_what_is_drawn_is_what_the_table_holds(cubes) -> None:
    drawn = 0
    for cube in cubes:
        for requested, chart in charts(cube):
            for part in chart.parts:
                drawn += 1
                check(part.drawing, part.table, f"{chart.name} of {requested}")
                assert not LEAKED.search(written(part)), f"{chart.name} of {requested}: {written(part)}"
    assert drawn > 1000


def written(part) -> str:
    """All that a part of a chart says."""
    return repr(part).replace("=None", "=").replace("order='nan'", "")


def check(drawing, table, where: str) -> None:
    match drawing:
        case Bars():
            check_bars(drawing, table, where)
        case Plot():
            months = [row[0].text for row in table.rows]
            assert len(drawing.months) == len(set(months)) > 0, where
            for month in drawing.months:
                assert all(rect.width > 0 for rect in month.columns), where
                within = [month.slot.x - SLACK <= rect.x for rect in month.columns]
                within += [
                    rect.x + rect.width <= month.slot.x + month.slot.width + SLACK for rect in month.columns
                ]
                within += [0 <= rect.y <= rect.y + rect.height <= drawing.height for rect in month.columns]
                assert all(within), where
            for x, y in drawing.line.points if drawing.line else ():
                assert 0 <= x <= 100, where
                assert 0 <= y <= drawing.height, where
        case Trends():
            assert all(trend.months and trend.line.points for trend in drawing.trends), where
        case Heat():
            assert all(len(cells) == len(drawing.heads) for _, cells in drawing.rows), where
            assert all(0 <= cell.level <= drawing.levels for _, cells in drawing.rows for cell in cells), (
                where
            )
        case _:
            raise AssertionError(where)


def check_bars(drawing: Bars, table, where: str) -> None:
    names = [row[0].text for row in table.rows]
    labels = [row.label for row in drawing.rows]
    assert labels[: len(names)] == names, where  # a waterfall ends in its total
    for row in drawing.rows:
        assert row.mark.label.splitlines()[0] == row.label, where
        for bar in row.bars:
            assert -SLACK <= bar.x <= bar.x + bar.width <= 100 + SLACK, where
    points = [row.point for row in drawing.rows if row.point is not None]
    assert all(before <= after for before, after in pairwise(points)), where
    assert all(0 < point <= 100 for point in points), where
