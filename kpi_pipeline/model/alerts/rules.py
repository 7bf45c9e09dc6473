"""The tables of the file of rules: what is watched, how strictly, and who is told."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from kpi_pipeline.model.alerts.kinds import RULE_KINDS, TOLD_DAYS
from kpi_pipeline.model.alerts.rule_kind import Group, Measure, RuleKind, Severity
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.toml.faults import (
    Fault,
    Faults,
    as_toml,
    nearest,
    one_of,
    refuse,
)
from kpi_pipeline.model.work_lists import WATCHED_IDLE_DAYS

FIRST_IDLE, LAST_IDLE = WATCHED_IDLE_DAYS[0], WATCHED_IDLE_DAYS[1] - TOLD_DAYS
"""Days without movement that a rule may name."""

_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PAGES: Final = tuple(page.name for page in PAGES)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9_-]{1,40}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def _seconds(given: object) -> object:
    if isinstance(given, str) and (match := _DURATION.fullmatch(given)):
        return int(match[1]) * _UNIT_S[match[2]]
    raise _found(given, 'write a duration like "30s", "5m", "4h" or "1d"')


def _time(given: object) -> object:
    if isinstance(given, str) and (match := _CLOCK.fullmatch(given)):
        return time(int(match[1]), int(match[2]))
    raise _found(given, 'write a time of day like "20:00"')


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise Faults([Fault((), "name an environment variable here, never the address or secret itself")])
    return name


def _page(name: str) -> str:
    if name not in _PAGES:
        raise _found(name, one_of(name, _PAGES))
    return name


def _currency(code: str) -> str:
    if code and not _CURRENCY.fullmatch(code):
        raise _found(code, 'write a currency as its code, such as "CLP"')
    return code


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise _found(name, "a name has up to 40 small letters without accents, digits, - and _")
    return name


def _found(given: object, allowed: str) -> Faults:
    return Faults([Fault((), f"found {as_toml(given)}; {allowed}")])


Duration = Annotated[int, BeforeValidator(_seconds)]
"""A duration in seconds, written like "5m"."""

ClockTime = Annotated[time, BeforeValidator(_time)]
PageName = Annotated[str, AfterValidator(_page)]
SeverityName = Annotated[Severity, Field(strict=False)]
GroupName = Annotated[Group, Field(strict=False)]
VariableName = Annotated[str, AfterValidator(_variable)]
CurrencyCode = Annotated[str, AfterValidator(_currency)]
Name = Annotated[str, AfterValidator(_name)]


class _Table(BaseModel):
    """A table of the file: unknown keys are errors, and no value is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rule(_Table):
    """One rule.

    Attributes:
        kind: One of the kinds of rules; the rule's own name by default.
        enabled: Whether it is evaluated.
        severity: How urgent its alerts are.
        hold_s: For how long it must hold before an alert begins.
        clear_for_s: For how long it must not hold before the alert is resolved.
        threshold: Of what is measured: beyond it an alert begins.
        clear: What is measured must come back to this before the alert is resolved; `threshold` by default.
        currency: Of the threshold, where it is an amount.
        remind_s: After how long an alert that lasts is reported again; 0 never.
    """

    kind: str
    severity: SeverityName
    enabled: bool = True
    hold_s: Duration = Field(0, alias="for")
    clear_for_s: Duration = Field(0, alias="clear_for")
    threshold: float | None = Field(None, ge=0, allow_inf_nan=False)
    clear: float | None = Field(None, ge=0, allow_inf_nan=False)
    currency: CurrencyCode = ""
    remind_s: Duration = Field(0, alias="remind")

    @property
    def of(self) -> RuleKind:
        """Its kind."""
        return RULE_KINDS[self.kind]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[Fault]:
        if self.kind not in RULE_KINDS:
            meant = nearest(self.kind, RULE_KINDS)
            write = f"`kind = {as_toml(meant)}`" if meant else ""
            yield Fault(("kind",), f"found {as_toml(self.kind)}; {one_of(self.kind, RULE_KINDS)}", write)
            return
        kind, limits = self.of, {"threshold": self.threshold, "clear": self.clear}
        given = {name: limit for name, limit in limits.items() if limit is not None}
        if kind.measure is None:
            for name, limit in given.items():
                yield Fault(
                    (name,),
                    f"found {limit:g}; {kind.name} is a condition and has none: use `for` and `clear_for`",
                )
        elif self.threshold is None and not kind.has_target:
            yield Fault(("threshold",), f"required, but not given; {kind.name} needs one, in {kind.measure}")
        if kind.measure is Measure.SHARE:
            for name, limit in given.items():
                if limit > 1:
                    yield Fault((name,), f"found {limit:g}; a share is between 0 and 1")
        if kind.name == "idle" and not FIRST_IDLE <= (self.threshold or 0) <= LAST_IDLE:
            yield Fault(
                ("threshold",), f"found {self.threshold or 0:g}; give from {FIRST_IDLE} to {LAST_IDLE} days"
            )
        if kind.per_currency and not self.currency:
            write = '`currency = "CLP"`'
            yield Fault(("currency",), "required, but not given: name that of the threshold", write)
        elif self.currency and not kind.per_currency:
            yield Fault(("currency",), f"found {as_toml(self.currency)}; {kind.name} has none")
        if self.clear is not None and self.threshold is not None and self.clear > self.threshold:
            yield Fault(
                ("clear",),
                f"found {self.clear:g}; give at most the threshold of {self.threshold:g}: an alert that "
                "begins would be resolved at once",
            )


class Route(_Table):
    """Who is told what, and where. The address comes from the environment or a file: it holds secrets.

    Attributes:
        url_env: Environment variable of the addresses, in apprise's form, separated by spaces.
        url_file: File of them, one a line, which only its owner may read; relative to the file of rules.
        language: In which messages are written.
        severities: Which are sent.
        groups: Whether those on the system, on the figures, or both. On the figures unless it says otherwise:
            those on the system name commands, addresses and original errors.
        products: Alerts on these only; empty: on all, and those that concern none.
    """

    url_env: VariableName | None = None
    url_file: str | None = None
    language: Language = "es"
    severities: Annotated[tuple[SeverityName, ...], Field(min_length=1, strict=False)] = tuple(Severity)
    groups: Annotated[tuple[GroupName, ...], Field(min_length=1, strict=False)] = (Group.BUSINESS,)
    products: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        refuse([*_one_given("url", self.url_env, self.url_file), *_unknown_products(self.products)])
        return self


class Webhook(_Table):
    """An address that is told of each new generation; messages are signed.

    Attributes:
        url_env: Environment variable of its address.
        url_file: File of it, which only its owner may read.
        secret_env: Environment variable of the secret that signs.
        secret_file: File of it, likewise.
        products: Generations of these only; empty: of all.
    """

    url_env: VariableName | None = None
    url_file: str | None = None
    secret_env: VariableName | None = None
    secret_file: str | None = None
    products: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        secret = _one_given("secret", self.secret_env, self.secret_file)
        refuse([*_one_given("url", self.url_env, self.url_file), *secret, *_unknown_products(self.products)])
        return self


class Summary(_Table):
    """The figures of a page as a PDF and a workbook, sent on certain days.

    Attributes:
        url_env: Environment variable of the addresses, as of a route.
        url_file: File of them, likewise.
        page: The page, by its name.
        filter: Values by dimension, as in the page's address; empty: everything.
        every: `day` or `week`.
        weekday: The day of the week, of a weekly one.
        at: The time of day, in KPI_TIMEZONE.
        language: In which it is written.
    """

    url_env: VariableName | None = None
    url_file: str | None = None
    page: PageName
    filter: dict[str, Annotated[tuple[str, ...], Field(strict=False)]] = Field({})
    every: Literal["day", "week"] = "day"
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = "monday"
    at: ClockTime = time(8)
    language: Language = "es"

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        refuse(_one_given("url", self.url_env, self.url_file))
        return self

    def last_due(self, moment: datetime) -> datetime:
        """When it was due last.

        Args:
            moment: The present, on the clock of the settings' time zone.
        """
        due = datetime.combine(moment.date(), self.at, moment.tzinfo)
        if self.every == "week":
            due -= timedelta(days=(due.weekday() - _WEEKDAYS.index(self.weekday)) % 7)
        if due > moment:
            due -= timedelta(days=7 if self.every == "week" else 1)
        return due


class QuietHours(_Table):
    """Hours, in KPI_TIMEZONE, in which messages wait for their end.

    Attributes:
        begin: When they begin.
        end: When they end; before `begin`: on the next day.
        severities: Which messages wait.
    """

    begin: ClockTime = Field(alias="from")
    end: ClockTime = Field(alias="to")
    severities: Annotated[tuple[SeverityName, ...], Field(min_length=1, strict=False)] = (
        Severity.INFO,
        Severity.WARNING,
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.begin == self.end:
            at = self.begin.isoformat("minutes")
            raise Faults(
                [Fault(("to",), f"found {as_toml(at)}, as `from`; leave [quiet_hours] out for none")]
            )
        return self

    def ends_after(self, moment: datetime) -> datetime | None:
        """When the quiet hours around a moment end; None outside of them.

        Args:
            moment: On the clock of the settings' time zone.
        """
        clock = moment.time().replace(tzinfo=None)
        if self.begin < self.end:
            if not self.begin <= clock < self.end:
                return None
            days = 0
        elif clock >= self.begin:
            days = 1
        elif clock < self.end:
            days = 0
        else:
            return None
        day = moment.date() + timedelta(days=days)
        return datetime.combine(day, self.end, moment.tzinfo)


class AlertRules(_Table):
    """The whole file.

    Attributes:
        rules: By name.
        routes: By name.
        quiet_hours: None for none.
        webhooks: By name.
        summaries: By name.
    """

    rules: dict[Name, Rule] = Field({})
    routes: dict[Name, Route] = Field({})
    quiet_hours: QuietHours | None = None
    webhooks: dict[Name, Webhook] = Field({})
    summaries: dict[Name, Summary] = Field({})

    @property
    def enabled(self) -> dict[str, Rule]:
        """The rules that are evaluated."""
        return {name: rule for name, rule in self.rules.items() if rule.enabled}


def _one_given(of: str, variable: str | None, file: str | None) -> Iterator[Fault]:
    """What is wrong where not exactly one of an environment variable and a file is named."""
    if (variable is None) == (file is None):
        found = "neither" if variable is None else "both"
        yield Fault((), f"{found} of {of}_env and {of}_file given; give one of them", is_table=True)


def _unknown_products(products: tuple[str, ...]) -> Iterator[Fault]:
    for product in products:
        if product not in PRODUCTS:
            yield Fault(("products",), f"found {as_toml(product)}; {one_of(product, PRODUCTS)}")
