"""The file of rules: what is watched, how strictly, and who is told."""

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from kpi_pipeline.model.alerts.kinds import RULE_KINDS, TOLD_DAYS
from kpi_pipeline.model.alerts.rule_kind import Group, Measure, RuleKind, Severity
from kpi_pipeline.model.dimensions import PRODUCTS
from kpi_pipeline.model.labels import Language
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.work_lists import WATCHED_IDLE_DAYS

FIRST_IDLE, LAST_IDLE = WATCHED_IDLE_DAYS[0], WATCHED_IDLE_DAYS[1] - TOLD_DAYS
"""Days without movement that a rule may name."""

_DURATION: Final = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PAGES: Final = tuple(page.name for page in PAGES)
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_SECRETS: Final = frozenset({"url", "url_env", "url_file", "secret", "secret_env", "secret_file"})
"""Keys whose values are never shown: somebody may have written the secret itself there."""


class RulesError(ValueError):
    """A file of rules that cannot be used; the message says where and what to do."""


def _seconds(given: object) -> object:
    if isinstance(given, str) and (match := _DURATION.fullmatch(given)):
        return int(match[1]) * _UNIT_S[match[2]]
    raise ValueError('not a duration; write it like "30s", "5m", "4h" or "1d"')


def _time(given: object) -> object:
    if isinstance(given, str) and (match := _CLOCK.fullmatch(given)):
        return time(int(match[1]), int(match[2]))
    raise ValueError('not a time of day; write it like "20:00"')


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError("name an environment variable here, never the address or secret itself")
    return name


def _page(name: str) -> str:
    if name not in _PAGES:
        raise ValueError(f"no such page; allowed: {', '.join(_PAGES)}")
    return name


Duration = Annotated[int, BeforeValidator(_seconds)]
"""A duration in seconds, written like "5m"."""

ClockTime = Annotated[time, BeforeValidator(_time)]
PageName = Annotated[str, AfterValidator(_page)]
SeverityName = Annotated[Severity, Field(strict=False)]
GroupName = Annotated[Group, Field(strict=False)]
VariableName = Annotated[str, AfterValidator(_variable)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]


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
    currency: str = Field("", pattern=r"^([A-Z]{3})?$")
    remind_s: Duration = Field(0, alias="remind")

    @property
    def of(self) -> RuleKind:
        """Its kind."""
        return RULE_KINDS[self.kind]

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind not in RULE_KINDS:
            raise ValueError(f"kind: {self.kind!r} is no kind of rule; one of: {', '.join(RULE_KINDS)}")
        kind = self.of
        if kind.measure is None and (self.threshold is not None or self.clear is not None):
            raise ValueError(
                f"threshold: {kind.name} is a condition and has none; use `for` and `clear_for` instead"
            )
        if kind.measure is not None and self.threshold is None and not kind.has_target:
            raise ValueError(f"threshold: missing; {kind.name} needs one, in {kind.measure.value}")
        if kind.measure is Measure.SHARE and max(self.threshold or 0, self.clear or 0) > 1:
            raise ValueError("threshold: a share is between 0 and 1")
        if kind.name == "idle" and not FIRST_IDLE <= (self.threshold or 0) <= LAST_IDLE:
            raise ValueError(f"threshold: from {FIRST_IDLE} to {LAST_IDLE} days")
        if kind.per_currency != bool(self.currency):
            wanted = "missing; name that of the threshold" if kind.per_currency else f"{kind.name} has none"
            raise ValueError(f"currency: {wanted}")
        if self.clear is not None and self.threshold is not None and self.clear > self.threshold:
            raise ValueError(
                f"clear: {self.clear:g} is above the threshold of {self.threshold:g}: an alert that begins "
                "would be resolved at once"
            )
        return self


class Route(_Table):
    """Who is told what, and where. The address comes from the environment or a file: it holds secrets.

    Attributes:
        url_env: Environment variable of the addresses, in apprise's form, separated by spaces.
        url_file: File of them, one a line, which only its owner may read; relative to the file of rules.
        language: In which messages are written.
        severities: Which are sent.
        groups: Whether those on the system, on the figures, or both.
        products: Alerts on these only; empty: on all, and those that concern none.
    """

    url_env: VariableName | None = None
    url_file: str | None = None
    language: Language = "es"
    severities: Annotated[tuple[SeverityName, ...], Field(min_length=1, strict=False)] = tuple(Severity)
    groups: Annotated[tuple[GroupName, ...], Field(min_length=1, strict=False)] = tuple(Group)
    products: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.url_env is None) == (self.url_file is None):
            raise ValueError("url_env, url_file: give one of both")
        _check_products(self.products)
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
        if (self.url_env is None) == (self.url_file is None):
            raise ValueError("url_env, url_file: give one of both")
        if (self.secret_env is None) == (self.secret_file is None):
            raise ValueError("secret_env, secret_file: give one of both")
        _check_products(self.products)
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
        if (self.url_env is None) == (self.url_file is None):
            raise ValueError("url_env, url_file: give one of both")
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
            raise ValueError("to: the same as from; leave [quiet_hours] out for none")
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


def parse_rules(defaults: str, text: str, origin: str) -> AlertRules:
    """Read a file of rules. Each key of it replaces that of the defaults.

    Args:
        defaults: The file shipped with the package, as TOML.
        text: The user's file, as TOML; empty for none.
        origin: Its name, for messages.

    Raises:
        RulesError: If the text is no TOML or a value is not allowed; names each key, its value and what is
            allowed.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{origin}: not valid TOML: {error}") from error
    merged = _merged(tomllib.loads(defaults), given)
    rules = merged.get("rules")
    if isinstance(rules, dict):
        named = {
            name: {"kind": name, **rule} if isinstance(rule, dict) else rule for name, rule in rules.items()
        }
        merged = {**merged, "rules": named}
    try:
        return AlertRules.model_validate(merged)
    except ValidationError as error:
        raise RulesError(f"{origin}: " + "; ".join(map(_problem, error.errors(include_url=False)))) from None


def _merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for key, value in given.items():
        before = merged.get(key)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _problem(problem: Any) -> str:
    """One problem of the file: the key, the value and what is allowed."""
    where = ".".join(str(part) for part in problem["loc"]) or "file"
    message = problem["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be ", "allowed: ")
    if problem["type"] == "extra_forbidden":
        return f"{where}: no such key; allowed: {', '.join(_keys_at(problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return f"{where}: missing"
    named = str(problem["loc"][-1]) if problem["loc"] else ""
    shown = isinstance(problem["input"], str | int | float | bool) and named not in _SECRETS
    return f"{where}: {problem['input']!r}: {message}" if shown else f"{where}: {message}"


def _keys_at(place: tuple[str | int, ...]) -> list[str]:
    """The keys that a table of the file may have."""
    tables: dict[str, type[_Table]] = {
        "rules": Rule,
        "routes": Route,
        "webhooks": Webhook,
        "summaries": Summary,
        "quiet_hours": QuietHours,
    }
    table = tables[str(place[0])] if place else AlertRules
    return [field.alias or name for name, field in table.model_fields.items()]


def _check_products(products: tuple[str, ...]) -> None:
    if unknown := [product for product in products if product not in PRODUCTS]:
        raise ValueError(f"products: {unknown[0]!r} is no product; one of: {', '.join(PRODUCTS)}")
