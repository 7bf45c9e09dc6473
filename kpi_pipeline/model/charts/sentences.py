"""The sentences of charts, written from the numbers of a variant.

A variant's chart has zero or more sentences: `{"currency": code, "sentence": name, "values": {...}}`,
`currency` only where the chart has currencies, and then at most one sentence a currency, in the order of
the currencies. An empty chart has none: its empty state is shown instead. Values are plain JSON, never
formatted text, and have these kinds:

| kind | value | written (es) |
|---|---|---|
| money | integer, minor units of the sentence's currency | $1.234 M |
| share | float, 0.93 is 93% | 93,0% |
| days | float or integer | 12,3 días |
| count | integer | 1.234 |
| month | YYYY-MM | mar 2024 |
| day | YYYY-MM-DD | 28 jun 2024 |
| name | a client, project or manager as it stands in the data | Minera Ñandú |
| state, bucket, stage | a value of the chart's column of that name | 31-60 días |

Each sentence of `SENTENCES` below documents its values and its condition. The builder of a payload takes the
first sentence of the chart whose condition holds and all of whose values exist (no value is None); where
none does, the chart has no sentence for that currency. Values come from the sums of the variant, not only
from the rows drawn: "the total" includes the others that a top 10 leaves out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from kpi_pipeline.model.labels import LANGUAGES, Kind, Language, Text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with typed places for values: `{share:share} of receivables …`.

    Attributes:
        name: Its key in payloads, unique within a chart.
        when: The condition under which it is used, and what its values are.
        template: The text, with a place `{value:kind}` for each value.
    """

    name: str
    when: str
    template: Text

    def __post_init__(self) -> None:
        es, en = (dict(places(self.template.into(language))) for language in LANGUAGES)
        if es != en:
            raise ValueError(f"sentence {self.name}: languages differ in their values: {es} and {en}")

    @property
    def values(self) -> Mapping[str, Kind]:
        """The values it needs, each with its kind."""
        return dict(places(self.template.es))

    def written(
        self, language: Language, values: Mapping[str, Any], write: Callable[[Kind, Any], str]
    ) -> str:
        """The sentence with its values in place.

        Args:
            language: In which language.
            values: All its values.
            write: Writes one value of a kind in that language.

        Raises:
            KeyError: If a value is missing.
        """
        texts = []
        for text, value, kind, _ in Formatter().parse(self.template.into(language)):
            texts.append(text)
            if value is not None:
                texts.append(write(Kind(kind or ""), values[value]))
        return "".join(texts)


def places(template: str) -> Iterator[tuple[str, Kind]]:
    """The places of a template: each value's name and kind.

    Raises:
        ValueError: If a place has no known kind.
    """
    for _, value, kind, _ in Formatter().parse(template):
        if value is not None:
            yield value, Kind(kind or "")


def _declared(*sentences: Sentence) -> dict[str, Sentence]:
    return {sentence.name: sentence for sentence in sentences}


SENTENCES: Final[dict[str, dict[str, Sentence]]] = {
    "monthly_trend": _declared(
        Sentence(
            "totals_and_dso",
            "dso of the last month exists. since: the first month; until: the business date, which ends the "
            "last month so far; proposed, approved, paid: sums of the months drawn; dso: that of the last "
            "month.",
            Text(
                "Por meses calendario, de {since:month} al {until:day}, se propusieron {proposed:money}, se "
                "aprobaron {approved:money} y se cobraron {paid:money}; el DSO es de {dso:days}.",
                "By calendar month, from {since:month} to {until:day}, {proposed:money} was proposed, "
                "{approved:money} approved and {paid:money} collected; DSO stands at {dso:days}.",
            ),
        ),
        Sentence(
            "totals",
            "Otherwise. Values as above, without dso.",
            Text(
                "Por meses calendario, de {since:month} al {until:day}, se propusieron {proposed:money}, se "
                "aprobaron {approved:money} y se cobraron {paid:money}.",
                "By calendar month, from {since:month} to {until:day}, {proposed:money} was proposed, "
                "{approved:money} approved and {paid:money} collected.",
            ),
        ),
    ),
    "ageing": _declared(
        Sentence(
            "oldest",
            "The amount of the bucket 120+ and that of all buckets are above zero. share, amount: of the "
            "bucket 120+.",
            Text(
                "{share:share} de los saldos impagos tiene más de 120 días ({amount:money}).",
                "{share:share} of the unpaid amount is older than 120 days ({amount:money}).",
            ),
        ),
        Sentence(
            "none_oldest",
            "The amount of all buckets is above zero and the bucket 120+ has no certificate. bucket, share: "
            "of the bucket with the largest amount, the younger one of equals.",
            Text(
                "Ningún saldo tiene más de 120 días; {share:share} de los saldos impagos tiene "
                "{bucket:bucket}.",
                "Nothing is older than 120 days; {share:share} of the unpaid amount is {bucket:bucket} old.",
            ),
        ),
    ),
    "states": _declared(
        Sentence(
            "largest",
            "The amount of all states is above zero. state, amount: of the state with the largest amount, "
            "the first one of equals; share: of the amount of all states.",
            Text(
                "De los abiertos y los pagados en el periodo, {share:share} del monto propuesto está en "
                "estado «{state:state}» ({amount:money}).",
                "Of open certificates and those paid in the period, {share:share} of the proposed amount is "
                "in “{state:state}” ({amount:money}).",
            ),
        ),
    ),
    "client_performance": _declared(
        Sentence(
            "leader_and_overdue",
            "Something is overdue (above zero) and approved is above zero. client, approved: of the largest "
            "approved amount; share: of the approved total; overdue_client, overdue: of the largest overdue "
            "amount. Of equals, the first name by alphabet.",
            Text(
                "{client:name} concentra {share:share} del monto aprobado ({approved:money}); el mayor monto "
                "vencido es de {overdue_client:name} ({overdue:money}).",
                "{client:name} accounts for {share:share} of the approved amount ({approved:money}); "
                "{overdue_client:name} owes the largest overdue amount ({overdue:money}).",
            ),
        ),
        Sentence(
            "leader_and_most_overdue",
            "As the one before; the largest overdue amount is more than half of what is overdue.",
            Text(
                "{client:name} concentra {share:share} del monto aprobado ({approved:money}); la mayor parte "
                "de lo vencido es de {overdue_client:name} ({overdue:money}).",
                "{client:name} accounts for {share:share} of the approved amount ({approved:money}); "
                "{overdue_client:name} owes most of what is overdue ({overdue:money}).",
            ),
        ),
        Sentence(
            "leader",
            "Approved is above zero. Values as above, without the overdue ones.",
            Text(
                "{client:name} concentra {share:share} del monto aprobado ({approved:money}); nada está "
                "vencido.",
                "{client:name} accounts for {share:share} of the approved amount ({approved:money}); nothing "
                "is overdue.",
            ),
        ),
    ),
    "manager_performance": _declared(
        Sentence(
            "leader_and_overdue",
            "As of client_performance, with project_manager and overdue_manager.",
            Text(
                "{project_manager:name} está a cargo de {share:share} del monto aprobado ({approved:money}); "
                "el mayor monto vencido es de {overdue_manager:name} ({overdue:money}).",
                "{project_manager:name} manages {share:share} of the approved amount ({approved:money}); "
                "{overdue_manager:name} has the largest overdue amount ({overdue:money}).",
            ),
        ),
        Sentence(
            "leader_and_most_overdue",
            "As of client_performance.",
            Text(
                "{project_manager:name} está a cargo de {share:share} del monto aprobado ({approved:money}); "
                "la mayor parte de lo vencido es de {overdue_manager:name} ({overdue:money}).",
                "{project_manager:name} manages {share:share} of the approved amount ({approved:money}); "
                "{overdue_manager:name} has most of what is overdue ({overdue:money}).",
            ),
        ),
        Sentence(
            "leader",
            "As of client_performance.",
            Text(
                "{project_manager:name} está a cargo de {share:share} del monto aprobado ({approved:money}); "
                "nada está vencido.",
                "{project_manager:name} manages {share:share} of the approved amount ({approved:money}); "
                "nothing is overdue.",
            ),
        ),
    ),
    "concentration": _declared(
        Sentence(
            "top_three",
            "At least four clients have receivables. client, amount: of the largest receivables; share: of "
            "total receivables; three_share: share of the three largest.",
            Text(
                "{client:name} debe {share:share} de las cuentas por cobrar ({amount:money}); los tres "
                "mayores clientes, {three_share:share}.",
                "{client:name} owes {share:share} of receivables ({amount:money}); the three largest "
                "clients, {three_share:share}.",
            ),
        ),
        Sentence(
            "top",
            "Total receivables are above zero. Values as above, without three_share.",
            Text(
                "{client:name} debe {share:share} de las cuentas por cobrar ({amount:money}).",
                "{client:name} owes {share:share} of receivables ({amount:money}).",
            ),
        ),
    ),
    "cash_flow": _declared(
        Sentence(
            "expected",
            "A month has an expected amount above zero. month: the first whole one, or else the first "
            "expected; amount, low, high: its amount, low_90 and high_90; total: all expected months.",
            Text(
                "En {month:month} se espera cobrar {amount:money} (intervalo del 90%: de {low:money} a "
                "{high:money}); en todos los meses, {total:money}. Solo considera lo ya emitido.",
                "In {month:month}, {amount:money} is expected (90% interval: {low:money} to {high:money}); "
                "{total:money} over all months. It covers only what is already issued.",
            ),
        ),
        Sentence(
            "no_forecast",
            "There is no forecast. collected: sum of the collected months drawn.",
            Text(
                "Aún no hay pronóstico: el historial de pagos es muy corto para ponerlo a prueba. En los "
                "últimos meses se cobraron {collected:money}.",
                "There is no forecast yet: the payment history is too short to test one. In the last months, "
                "{collected:money} was collected.",
            ),
        ),
        Sentence(
            "nothing_expected",
            "Otherwise. collected: sum of the collected months drawn.",
            Text(
                "No se esperan cobros en los próximos meses; en los últimos se cobraron {collected:money}.",
                "No collections are expected in the coming months; {collected:money} was collected in the "
                "last ones.",
            ),
        ),
    ),
    "opex_capex": _declared(
        Sentence(
            "split",
            "The sum of opex and capex is above zero. since, until: as of monthly_trend; opex, capex: sums "
            "of the months drawn; share: opex of their sum.",
            Text(
                "Por meses calendario, de {since:month} al {until:day}, {share:share} de los costos es "
                "operacional ({opex:money}); la inversión suma {capex:money}.",
                "By calendar month, from {since:month} to {until:day}, {share:share} of costs is operating "
                "expense ({opex:money}); capital expense comes to {capex:money}.",
            ),
        ),
    ),
    "margin_by_project": _declared(
        Sentence(
            "some_lose",
            "A project has a margin below zero. losing: how many have; projects: how many there are; "
            "project, margin: of the largest margin, the first name by alphabet of equals.",
            Text(
                "Proyectos con margen negativo: {losing:count} de {projects:count}. El mayor margen es de "
                "{project:name} ({margin:money}).",
                "Projects with a negative margin: {losing:count} of {projects:count}. The largest margin is "
                "that of {project:name} ({margin:money}).",
            ),
        ),
        Sentence(
            "none_loses",
            "There is a project. Values as above, without the counts.",
            Text(
                "Ningún proyecto tiene margen negativo. El mayor es de {project:name} ({margin:money}).",
                "No project has a negative margin. The largest is that of {project:name} ({margin:money}).",
            ),
        ),
    ),
    "stages": _declared(
        Sentence(
            "bottleneck",
            "total is above zero. stage, days: of the stage with the most mean days, the first of equals; "
            "total: the end of the last stage.",
            Text(
                "La etapa más lenta es «{stage:stage}»: {days:days} de {total:days} en promedio.",
                "The slowest stage is “{stage:stage}”: {days:days} of {total:days} on average.",
            ),
        ),
    ),
    "payment_heatmap": _declared(
        Sentence(
            "best_month",
            "Something was collected (above zero). month, amount: of the largest collected sum of a month, "
            "the latest of equals; client, paid: of the largest sum of a client over the months drawn, the "
            "first name by alphabet of equals; both over all clients.",
            Text(
                "El mes de más cobros fue {month:month} ({amount:money}); el cliente que más pagó, "
                "{client:name} ({paid:money}).",
                "The month with the most collections was {month:month} ({amount:money}); {client:name} paid "
                "the most ({paid:money}).",
            ),
        ),
    ),
    "kpi_trend": _declared(
        Sentence(
            "dso_better",
            "DSO of the first month that has one is above that of the last month. since: that first month; "
            "before, now: the two values.",
            Text(
                "El DSO bajó de {before:days} a {now:days} desde {since:month}.",
                "DSO fell from {before:days} to {now:days} since {since:month}.",
            ),
        ),
        Sentence(
            "dso_worse",
            "It is below that of the last month. Values as above.",
            Text(
                "El DSO subió de {before:days} a {now:days} desde {since:month}.",
                "DSO rose from {before:days} to {now:days} since {since:month}.",
            ),
        ),
        Sentence(
            "dso_level",
            "It equals that of the last month, or the last month is the only one. since, now as above.",
            Text(
                "El DSO se mantiene en {now:days} desde {since:month}.",
                "DSO has stayed at {now:days} since {since:month}.",
            ),
        ),
    ),
}
"""The sentences of each chart by name, in the order in which they are tried."""
