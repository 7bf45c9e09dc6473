"""Cards as HTML. A page has a dozen: written here they take a third of the time of a template."""

from collections.abc import Callable, Iterator, Mapping

from markupsafe import Markup

from kpi_pipeline.model.pages import EXPECTED
from serving.catalogue import Catalogue
from serving.pages.cards.cards import Card, CardGroup, aim_text
from serving.pages.cards.values import CardFigure, Change
from serving.pages.formats import NO_DATA
from serving.pages.templates import written
from serving.pages.writing import Writer

_ARROWS = {"up": "M5 1l4 7H1z", "down": "M5 9l4-7H1z", "level": "M1 4h8v2H1z"}
_MARKS = {True: "M1.5 5.5l2.2 2.2L8.5 2.5", False: "M2 2l6 6M8 2l-6 6"}


class CardWriter:
    """Writes the cards of one page.

    Args:
        writer: Has the language, the texts and the addresses.
    """

    def __init__(self, writer: Writer) -> None:
        self._texts = writer.texts
        self._writer = writer
        url, catalogue = writer.meanings_url, writer.catalogue
        self._abouts = catalogue.derived(("abouts", writer.language, url), _abouts_of(writer, url))

    def group(self, group: CardGroup) -> Markup:
        """The list of a group of cards."""
        kind = "leads" if group.leads else "compact odd" if len(group.cards) % 2 else "compact"
        heading = "h4" if group.heading else "h3"
        cards = "".join(text for card in group.cards for text in self._card(card, heading))
        # Every text in it is escaped.
        return Markup(f'<ul class="cards {kind} across-{group.across}">\n{cards}</ul>\n')  # noqa: S704

    def _card(self, card: Card, heading: str) -> Iterator[str]:
        name, label = written(card.name), written(card.label)
        period = f'<span class="covers">{written(card.period)}</span>' if card.period else ""
        yield (
            f'<li class="card panel card-{name}">\n'
            f'<div class="card-head"><{heading}>{label}</{heading}>{period}'
            f"{self._about(card, name, label)}</div>\n"
        )
        for figure in card.figures:
            yield from self._figure(figure, card.url, explains=card.kpi is not None)
        if card.parts:
            parts = "".join(
                f'<li><a href="{written(part.url)}">{written(part.text)}</a></li>'
                if part.url
                else f"<li>{written(part.text)}</li>"
                for part in card.parts
            )
            yield f'<ul class="parts">{parts}</ul>\n'
        yield "</li>\n"

    def _figure(self, figure: CardFigure, url: str, *, explains: bool) -> Iterator[str]:
        exact = f' title="{written(figure.exact)}"' if figure.exact else ""
        amount = _amount(figure)
        if url:
            amount = f'<a href="{written(url)}">{amount}</a>'
        unit = f' <span class="unit">{written(figure.unit)}</span>' if figure.unit else ""
        currency = f' <span class="currency">{written(figure.currency)}</span>' if figure.currency else ""
        yield f'<div class="figure">\n<p class="value"{exact}>{amount}{unit}{currency}</p>\n'
        if figure.change is not None:
            yield self._change(figure.change)
        if figure.spark is not None:
            yield (
                f'<svg class="spark" viewBox="{figure.spark.view_box}" preserveAspectRatio="none" '
                f'aria-hidden="true"><path d="{figure.spark.path}"/></svg>\n'
            )
        if figure.change is not None:
            yield f'<p class="before">{self._values(figure.change.values)}</p>\n'
        if figure.quarters:
            yield f'<p class="before">{self._values(figure.quarters)}</p>\n'
        if figure.target is not None:
            is_met = figure.target.is_met
            yield (
                f'<p class="target target-{"met" if is_met else "missed"}"><svg class="mark" '
                f'viewBox="0 0 10 10" aria-hidden="true"><path d="{_MARKS[is_met]}"/></svg>'
                f"{written(figure.target.text)}</p>\n"
            )
        # What a value is made of stands beside its meaning; what it lacks, or its band, stands here.
        if figure.secondary and (not explains or figure.text == NO_DATA):
            yield f'<p class="secondary">{written(figure.secondary)}</p>\n'
        yield "</div>\n"

    def _change(self, change: Change) -> str:
        texts, way = self._texts, change.way
        by = f'<span aria-hidden="true">{texts["way_level"]}</span>'
        trend = ""
        if way != "level":
            by = written(change.text)
            if change.trend:
                trend = f' <span class="trend">{texts[f"trend_{change.trend}"]}</span>'
        kind = f" trend-{change.trend}" if change.trend else ""
        return (
            f'<p class="change{kind}"><svg class="arrow" viewBox="0 0 10 10" aria-hidden="true">'
            f'<path d="{_ARROWS[way]}"/></svg><span class="unseen">{texts[f"way_{way}"]} </span>'
            f"{by}{trend}</p>\n"
        )

    def _values(self, values: str) -> str:
        """Both values: an arrow for the eye, a word for the ear."""
        said = f'<span aria-hidden="true">←</span><span class="unseen">{self._texts["change_from"]}</span>'
        return written(values).replace("←", said)

    def _about(self, card: Card, name: str, label: str) -> str:
        """What a figure measures: opened by a button, without a script, and closed by Escape or elsewhere."""
        before, after = self._abouts.get(card.name, ("", ""))
        now = "".join(f"<p>{written(text)}</p>" for text in card.formulas)
        if card.more:
            after += f'<p><a href="{written(card.more.url)}">{written(card.more.label)}</a></p>'
        return (
            f'<button type="button" class="about" popovertarget="about-{name}" aria-label="'
            f'{written(self._texts["about_figure"].format(label=card.label))}">i</button>'
            f'<div class="about-text" id="about-{name}" popover><p class="about-title">{label}</p>'
            f"{before}{now}{after}</div>"
        )


def _amount(figure: CardFigure) -> str:
    if not figure.symbol:
        return written(figure.text)
    before, symbol, after = figure.text.partition(figure.symbol)
    return f'{written(before)}<span class="symbol">{written(symbol)}</span>{written(after)}'


def _abouts_of(writer: Writer, url: str) -> Callable[[Catalogue], Mapping[str, tuple[str, str]]]:
    """What is said of each figure whatever its value: its meaning, then its target and where to read more."""

    def of(catalogue: Catalogue) -> Mapping[str, tuple[str, str]]:
        more = written(writer.texts["about_more"])
        abouts = {EXPECTED: (f"<p>{written(writer.texts['expected_meaning'])}</p>", "")}
        for kpi in catalogue.kpis:
            aim = aim_text(kpi, writer)
            link = f'<p><a href="{written(url)}#meaning-{kpi.name}">{more}</a></p>' if url else ""
            abouts[kpi.name] = (
                f"<p>{written(kpi.meaning.into(writer.language))}</p>",
                (f"<p>{written(aim)}</p>" if aim else "") + link,
            )
        return abouts

    return of
