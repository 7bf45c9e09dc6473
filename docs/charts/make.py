"""Make the page of all charts: in the browser and from the server, in light and dark, Spanish and English.

    python docs/charts/make.py            # writes docs/charts/build/index.html and what it needs
    python docs/charts/make.py FOLDER     # the same elsewhere
    python docs/charts/make.py FOLDER es-light en-dark    # with the server's pictures of these looks alone

The page needs no network and no permission to run inline code.
"""

import shutil
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

import orjson
import vl_convert
from babel.numbers import get_currency_precision
from samples import Columns, Said, columns, sentences
from writing import Writer

from kpi_pipeline.compute.charts.rendering import render_svg
from kpi_pipeline.compute.charts.specifications import specification
from kpi_pipeline.compute.charts.themes import NUMBERS, THEMES
from kpi_pipeline.model.charts import CHARTS, Chart
from kpi_pipeline.model.labels import LANGUAGES, Kind, Language, Text

_HERE: Final = Path(__file__).parent
_NUMERIC: Final = (Kind.MONEY, Kind.SHARE, Kind.DAYS, Kind.COUNT, Kind.READING)

_BROWSER: Final = Text("En el navegador", "In the browser")
_SERVER: Final = Text("Del servidor (SVG)", "From the server (SVG)")
_TABLE: Final = Text("Ver los datos", "See the data")
_NOTHING: Final = Text("Sin datos:", "Without data:")


def make(folder: Path, looks: Sequence[str] = ()) -> None:
    """Write the page into a folder.

    Args:
        folder: Is made if need be; files of an earlier page are replaced.
        looks: Which pictures of the server are made, each `language-theme`; none: all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sample = columns()
    said = sentences(sample)
    for name in ("page.css", "page.js"):
        shutil.copy(_HERE / name, folder / name)
    (folder / "vega.js").write_text(vl_convert.javascript_bundle())
    for name, given in sample.items():
        for language in LANGUAGES:
            for theme in THEMES:
                look = f"{language}-{theme}"
                if not looks or look in looks:
                    (folder / f"{name}-{look}.svg").write_text(render_svg(name, given, language, theme))
    articles = "".join(
        _article(CHARTS[name], sample[name], said[name], language)
        for name in CHARTS
        for language in LANGUAGES
    )
    page = (_HERE / "page.html").read_text()
    page = page.replace("{articles}", articles).replace("{data}", _data(sample))
    (folder / "index.html").write_text(page)


def _data(sample: dict[str, Columns]) -> str:
    """All that the browser draws from, as JSON that may stand in a page."""
    codes = _currencies(sample)
    data = {
        "charts": {
            name: {
                "columns": sample[name],
                "amounts": CHARTS[name].amounts,
                "specs": {language: specification(name, language) for language in LANGUAGES},
            }
            for name in CHARTS
        },
        "decimals": {code: get_currency_precision(code) for code in codes},
        "themes": THEMES,
        "numbers": NUMBERS,
    }
    return orjson.dumps(data).decode().replace("<", "\\u003c")


def _currencies(sample: dict[str, Columns]) -> tuple[str, ...]:
    codes = (code for given in sample.values() for code in given.get("currency", ()) if code)
    return tuple(dict.fromkeys(codes))


def _article(chart: Chart, given: Columns, said: list[Said], language: Language) -> str:
    title = escape(chart.title.into(language))
    writer = Writer(language, _currencies({chart.name: given}))
    sentences_said = "".join(f"<p>{escape(_sentence(chart, one, writer, language))}</p>" for one in said)
    return f"""
<article lang="{language}" id="{chart.name}-{language}" data-chart="{chart.name}">
  <h2>{title}</h2>
  <p class="quiet">{escape(chart.description.into(language))}</p>
  {sentences_said}
  <div class="pair">
    <figure><figcaption>{_BROWSER.into(language)}</figcaption><div class="drawn"></div></figure>
    <figure><figcaption>{_SERVER.into(language)}</figcaption><img alt="{title}"></figure>
  </div>
  <details><summary>{_TABLE.into(language)}</summary>{_table(chart, given, writer, language)}</details>
  <p class="quiet">{_NOTHING.into(language)} {escape(chart.nothing.into(language))}</p>
</article>"""


def _sentence(chart: Chart, said: Said, writer: Writer, language: Language) -> str:
    currency = said.get("currency", "")
    sentence = chart.sentences[said["sentence"]]
    words = sentence.written(
        language, said["values"], lambda kind, value: writer.in_sentence(kind, value, currency)
    )
    return f"{currency}: {words}" if currency else words


def _table(chart: Chart, given: Columns, writer: Writer, language: Language) -> str:
    def tag(kind: Kind) -> str:
        return '<td class="number">' if kind in _NUMERIC else "<td>"

    rows = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    head = "".join(f'<th scope="col">{escape(field.label.into(language))}</th>' for field in chart.fields)
    body = "".join(
        "<tr>"
        + "".join(
            f"{tag(field.kind)}{escape(writer.in_table(field.kind, row[field.name], row))}</td>"
            for field in chart.fields
        )
        + "</tr>"
        for row in rows
    )
    caption = f"<caption>{escape(chart.title.into(language))}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else _HERE / "build"
    make(target, sys.argv[2:])
    sys.stdout.write(f"{target / 'index.html'}\n")
