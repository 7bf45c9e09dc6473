"""The files with which pages draw charts: the drawing program, and how each chart is drawn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson
import vl_convert

from kpi_pipeline.compute.charts import plots
from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES, Theme
from kpi_pipeline.model.charts import CHARTS
from kpi_pipeline.model.labels import LANGUAGES, Language

_PACKAGE: Final = "vl-convert-python"


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file.

    Attributes:
        name: By which pages find it.
        origin: What it is made from: the same one gives the same content.
        mimetype: Its media type.
        make: Makes its content.
    """

    name: str
    origin: str
    mimetype: str
    make: Callable[[], bytes]


def page_files() -> Iterator[PageFile]:
    """Every file, cheap to name and not made before it is needed: making the program takes a second, once.

    `vega` is Vega, Vega-Lite and Vega-Embed as one module that gives Vega-Embed. `plots_<language>_<theme>`
    draw charts in the boxes of a page, `pictures_<language>` as pictures of their own, in either theme.
    """
    yield PageFile("vega", _maker(), "text/javascript", _program)
    for language in LANGUAGES:
        origin = f"{_maker()} of {_digest(_pictures(language))}"
        yield _json(f"pictures_{language}", origin, partial(_pictures, language))
        for theme in THEMES:
            yield _json(f"plots_{language}_{theme}", origin, partial(_plots, language, theme))


@cache
def _maker() -> str:
    """What makes files: the package, and the code of ours, of which every change counts."""
    code = b"".join(Path(path).read_bytes() for path in (__file__, plots.__file__))
    return f"{_PACKAGE} {version(_PACKAGE)} by {_digest(code)}"


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _json(name: str, origin: str, make: Callable[[], bytes]) -> PageFile:
    return PageFile(name, origin, "application/json", make)


@cache
def _program() -> bytes:
    return vl_convert.javascript_bundle("export default vegaEmbed;").encode()


@cache
def _plots(language: Language, theme: Theme) -> bytes:
    charts = {
        name: _drawn(name, plots.plot(name, language, theme)) for name in CHARTS if plots.is_plotted(name)
    }
    return orjson.dumps({"charts": charts, "numbers": NUMBERS[language]})


@cache
def _pictures(language: Language) -> bytes:
    """What charts are drawn from in one language, whatever the theme."""
    charts = {name: _drawn(name, specification(name, language)) for name in CHARTS}
    return orjson.dumps({"charts": charts, "numbers": NUMBERS[language], "themes": THEMES})


def _drawn(name: str, spec: Any) -> dict[str, Any]:
    return {"spec": spec, "columns": CHARTS[name].columns, "amounts": CHARTS[name].amounts}
