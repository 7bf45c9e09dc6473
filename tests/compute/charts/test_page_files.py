"""The files of pages: what draws charts, in every language and theme."""

import re

import orjson

from kpi_pipeline.compute.charts.page_files import page_files
from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.model.charts import CHARTS


def made() -> dict[str, bytes]:
    return {file.name: file.make() for file in page_files()}


def test_there_is_one_program_and_what_it_draws_from() -> None:
    files = list(page_files())
    kinds = {file.name: file.mimetype for file in files}
    assert kinds.pop("vega") == "text/javascript"
    assert set(kinds) == {
        *(f"pictures_{language}" for language in ("es", "en")),
        *(f"plots_{language}_{theme}" for language in ("es", "en") for theme in ("light", "dark")),
    }
    assert set(kinds.values()) == {"application/json"}
    assert [file.origin for file in page_files()] == [file.origin for file in files]


def test_the_program_gives_what_pages_call() -> None:
    assert re.search(rb"export ?\{[\w$]+ as default\};$", made()["vega"])


def test_every_chart_can_be_drawn_and_tells_its_amounts() -> None:
    files = made()
    for language in ("es", "en"):
        pictures = orjson.loads(files[f"pictures_{language}"])
        assert pictures["charts"].keys() == CHARTS.keys()
        assert set(pictures["themes"]) == {"light", "dark"}
        for name, chart in CHARTS.items():
            assert pictures["charts"][name]["spec"] == specification(name, language)
            assert tuple(pictures["charts"][name]["columns"]) == chart.columns
            assert tuple(pictures["charts"][name]["amounts"]) == chart.amounts
        light, dark = (orjson.loads(files[f"plots_{language}_{theme}"]) for theme in ("light", "dark"))
        assert light["numbers"] == dark["numbers"] == pictures["numbers"]
        assert light["charts"].keys() == dark["charts"].keys() == CHARTS.keys() - {"payment_heatmap"}
        assert light["charts"] != dark["charts"]
