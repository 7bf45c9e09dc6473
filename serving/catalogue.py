"""The catalogues that generations carry, checked before anything relies on their shape."""

import logging
from collections.abc import Callable, Hashable, Mapping
from datetime import date
from string import Formatter
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from kpi_pipeline.cache.codec import CorruptPayload
from kpi_pipeline.cache.freshness import AnswerState
from kpi_pipeline.cache.manifest import ManifestEntry
from kpi_pipeline.cache.reading.reader import CacheReader, CacheUnavailable, NothingPublished
from kpi_pipeline.model.drawings import Drawing
from kpi_pipeline.model.labels import LANGUAGES, Kind, Text

_LOG: Final = logging.getLogger(__name__)

_KINDS: Final = frozenset(kind.value for kind in Kind)


def _text(published: Any) -> Text:
    match published:
        case {"es": str(es), "en": str(en)}:
            return Text(es, en)
    raise ValueError("not a text in both languages")


def _of_known_kinds(template: Text) -> Text:
    for text in (template.es, template.en):
        kinds = [kind or "" for _, value, kind, _ in Formatter().parse(text) if value is not None]
        if unknown := [kind for kind in kinds if kind not in _KINDS]:
            raise ValueError(f"a sentence has a value of an unknown kind: {unknown[0]!r}")
    return template


_Kind = Annotated[Kind, Field(strict=False)]
_Text = Annotated[Text, BeforeValidator(_text)]
_Sentence = Annotated[_Text, AfterValidator(_of_known_kinds)]

_DRAWING: Final = TypeAdapter(Drawing)

Derived = TypeVar("Derived")

_MOST_MONTH_ENDS: Final = 8
"""How many catalogues of month ends a process keeps: readers compare a few dates."""

CATALOGUE_SOURCES: Final = ("dashboards", "kpis", "charts", "financials")
"""Products whose catalogues are the same in shape, in the order in which one is taken."""


class _Described(BaseModel, strict=True, frozen=True):
    """An entry with texts: a catalogue has each as two keys, such as `label_es` and `label_en`."""

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, published: Any) -> Any:
        if not isinstance(published, Mapping):
            return published
        texts = {
            name: {language: published.get(f"{name}_{language}") for language in LANGUAGES}
            for name, field in cls.model_fields.items()
            if field.annotation is Text
        }
        return {**published, **texts}


class Value(BaseModel, strict=True, frozen=True):
    """One value of a dimension and how many certificates have it."""

    value: str
    count: int


class Dimension(_Described, strict=True, frozen=True):
    """One way to filter: its role is when or what; costs may lack it."""

    name: str
    parameters: list[str]
    label: _Text
    role: Literal["time", "attribute"]
    kind: _Kind
    of_costs: bool
    values: list[Value]


class Period(_Described, strict=True, frozen=True):
    """A quick period: values of a dimension, or none of any for all time."""

    name: str
    spellings: list[str]
    label: _Text
    dimension: str | None
    values: list[str]


class Group(_Described, strict=True, frozen=True):
    """Values of a dimension that are asked for by one word."""

    dimension: str
    name: str
    spellings: list[str]
    label: _Text
    values: list[str]


class Kpi(_Described, strict=True, frozen=True):
    """A KPI: what it measures, which way is good, its target, and what its card shows.

    Attributes:
        is_set: Whether the target that it is measured against is set, if it needs one.
        needs_costs: Whether it has no value under filters by what costs lack.
        period: Whether it is what stands on the day, or the events of the window; empty where it is neither.
        count: The KPI that counts the certificates behind it; empty where none does.
        meaning: What it measures.
        basis: Its quotient, with the places of `descriptions.basis_text`; empty where it is not shown.
    """

    name: str
    label: _Text
    unit: Literal["money", "count", "days", "share"]
    direction: Literal["up", "down", "neutral"]
    per_currency: bool
    group: str
    target: int | float | None
    is_set: bool
    needs_costs: bool
    period: Literal["day", "window", ""]
    count: str
    basis: _Text
    meaning: _Text


class KpiGroup(_Described, strict=True, frozen=True):
    """KPIs that stand under one heading."""

    name: str
    label: _Text


class Currency(BaseModel, strict=True, frozen=True):
    """A currency of the data and how many decimals its amounts have."""

    code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=8)]


class Column(_Described, strict=True, frozen=True):
    """One column of a chart or table: the kind of its values, and the dimension that they lead to."""

    name: str
    label: _Text
    kind: _Kind
    dimension: str


class Chart(_Described, strict=True, frozen=True):
    """A chart: texts, columns, drawing, sentences by name with a place `{value:kind}` for each value, and
    digests of its specifications.
    """

    name: str
    spec_es: str
    spec_en: str
    title: _Text
    description: _Text
    nothing: _Text
    columns: list[Column]
    drawing: Drawing
    sentences: dict[str, _Sentence]

    @field_validator("drawing", mode="before")
    @classmethod
    def _drawing(cls, published: Any) -> Drawing:
        return _DRAWING.validate_python(published)

    @model_validator(mode="after")
    def _draws_its_own_columns(self) -> Self:
        if unknown := sorted(self.drawing.columns - {column.name for column in self.columns}):
            raise ValueError(f"the drawing of {self.name} names no column of its data: {unknown[0]!r}")
        return self


class Table(_Described, strict=True, frozen=True):
    """A table: its texts, its columns, where payloads hold it and how its rows are laid out."""

    name: str
    block: str
    layout: Literal["rows", "forecast", "statement"]
    title: _Text
    note: _Text
    nothing: _Text
    columns: Annotated[list[Column], Field(min_length=1)]


class Lead(BaseModel, strict=True, frozen=True):
    """A figure that leads a page, and the KPIs that stand beneath it."""

    figure: str
    parts: list[str]


class Page(_Described, strict=True, frozen=True):
    """A page: which KPIs, charts and tables of a product it shows, and which figures lead it."""

    name: Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")]
    label: _Text
    product: str
    kpis: list[str]
    leads: list[Lead]
    charts: list[str]
    tables: list[str]


class Catalogue(BaseModel, strict=True, frozen=True):
    """What serving relies on in a catalogue; there may be more in it.

    Attributes:
        window_months: Months of the window over which flows are summed.
        window_first: Its first day.
        loss_rates: By currency and ageing bucket, of a million receivable what ended as lost; None where that
            is not known.
        profile: What is shown of a single client or project.
        not_receivable: KPIs that every page shows beside its cards.
        reference: The page that explains every KPI.
    """

    as_of: Annotated[date, Field(strict=False)]
    dimensions: list[Dimension]
    periods: list[Period]
    groups: list[Group]
    kpis: list[Kpi]
    kpi_groups: list[KpiGroup]
    window_months: Annotated[int, Field(ge=1)]
    window_first: Annotated[date, Field(strict=False)]
    currencies: list[Currency]
    charts: list[Chart]
    tables: list[Table]
    pages: list[Page]
    profile: Page
    not_receivable: list[str]
    reference: str
    labels: dict[_Kind, dict[str, _Text]]
    loss_rates: dict[str, dict[str, int | None]]
    specs: dict[str, dict[str, Any]]
    _derived: dict[Hashable, Any] = PrivateAttr(default_factory=dict)

    def derived(self, key: Hashable, derive: Callable[["Catalogue"], Derived]) -> Derived:
        """What is worked out of it alone: once, however many pages need it.

        Args:
            key: What it is known by; everything else that it depends on is part of it.
            derive: Works it out.
        """
        if key not in self._derived:
            self._derived[key] = derive(self)
        derived: Derived = self._derived[key]
        return derived


class Catalogues:
    """The catalogue of each product's live generation, checked once a generation.

    Args:
        reader: Where they are read.
    """

    def __init__(self, reader: CacheReader) -> None:
        self._reader = reader
        self._known: dict[str, tuple[Mapping[str, Any], Catalogue | None]] = {}
        self._of_month_ends: dict[tuple[str, str], tuple[Mapping[str, Any], Catalogue]] = {}

    def stored(self, product: str) -> Mapping[str, Any]:
        """A product's catalogue as it was published.

        Raises:
            NothingPublished: If there is none.
            CacheUnavailable: If Redis cannot be reached and none is known.
            CorruptPayload: If it is no catalogue.
        """
        return self._checked(product)[0]

    def of(self, product: str) -> Catalogue:
        """A product's catalogue with its types; raises as `stored` does."""
        return self._checked(product)[1]

    def stored_as_of(self, product: str, as_of: date) -> Mapping[str, Any]:
        """The catalogue of a product's newest month end on or before a date, as it was published.

        Raises:
            NoMonthEnd: If none is kept.
            NothingPublished: If it has lost its catalogue.
            CacheUnavailable: If Redis cannot be reached.
            CorruptPayload: If it is no catalogue.
        """
        return self._checked_as_of(product, as_of)[0]

    def as_of(self, product: str, as_of: date) -> Catalogue:
        """The same with its types; raises as `stored_as_of` does."""
        return self._checked_as_of(product, as_of)[1]

    def on(self, product: str, as_of: date | None) -> Catalogue:
        """That of the present, or of a date of the past; raises as `of` and `as_of` do."""
        return self.of(product) if as_of is None else self.as_of(product, as_of)

    def any(self) -> tuple[str, ManifestEntry]:
        """The product whose catalogue speaks for all, and its live generation.

        Returns:
            The first of `CATALOGUE_SOURCES` that has not expired; an expired one when all have.

        Raises:
            NothingPublished: If no product has a catalogue.
            CacheUnavailable: If Redis cannot be reached and none is known.
            CorruptPayload: If one is no catalogue and no other product has any.
        """
        manifest = self._reader.manifest()
        failure: Exception = NothingPublished(CATALOGUE_SOURCES[0])
        expired: tuple[str, ManifestEntry] | None = None
        for product in CATALOGUE_SOURCES:
            if (entry := manifest.get(product)) is None:
                continue
            try:
                self._checked(product)
            except (NothingPublished, CorruptPayload, CacheUnavailable) as error:
                failure = error
                continue
            if self._reader.state_of(entry) is not AnswerState.EXPIRED:
                return product, entry
            expired = expired or (product, entry)
        if expired is None:
            raise failure
        return expired

    def _checked_as_of(self, product: str, as_of: date) -> tuple[Mapping[str, Any], Catalogue]:
        key = (product, self._reader.month_ends.entry(product, as_of).generation)
        if (known := self._of_month_ends.get(key)) is not None:
            return known
        stored = self._reader.month_ends.catalogue(product, as_of)
        checked = _check(product, stored)
        if checked is None:
            raise CorruptPayload(f"the catalogue of a month end of {product} is none: run `kpi backfill`")
        if len(self._of_month_ends) >= _MOST_MONTH_ENDS:
            self._of_month_ends.clear()
        self._of_month_ends[key] = (stored, checked)
        return stored, checked

    def _checked(self, product: str) -> tuple[Mapping[str, Any], Catalogue]:
        stored = self._reader.catalogue(product)
        known = self._known.get(product)
        if known is None or known[0] is not stored:
            known = (stored, _check(product, stored))
            self._known[product] = known
        if known[1] is None:
            raise CorruptPayload(f"the catalogue of {product} is none: publish it again")
        return known[0], known[1]


def _check(product: str, stored: Mapping[str, Any]) -> Catalogue | None:
    try:
        return Catalogue.model_validate(stored)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        # Logged once a generation: what is found is kept either way.
        _LOG.error("the catalogue of %s is none: %s: %s", product, where, problem["msg"])
        return None
