"""Every setting, typed, from the environment, `.env` and the source chosen by `kpi load`."""

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    HttpUrl,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kpi_pipeline.logs import LogFormat
from kpi_pipeline.model.timezones import DEFAULT_TIMEZONE, known_timezone

Seconds = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(ge=0)]
# 0 lets the system choose a free port.
Port = Annotated[int, Field(ge=0, le=65535)]
# Whole units of a currency.
Amount = Annotated[int, Field(gt=0, le=10**12, strict=True)]
Cuts = tuple[Amount, Amount, Amount]

SOURCE_FILE = "source.toml"
"""File under KPI_HOME in which `kpi load` stores the chosen source."""

OTHER_CURRENCIES: Final = "*"
"""Key for every currency that is not named."""

_AMOUNT_CUTS: Final[Mapping[str, Cuts]] = {
    "CLP": (1_000_000, 5_000_000, 10_000_000),
    OTHER_CURRENCIES: (1_000, 5_000, 10_000),
}
_EXAMPLES: Final = {
    "amount_cuts": '{"USD": [1000, 5000, 10000]}',
    "monthly_targets": '{"CLP": 100000000}',
}


class AccessMode(StrEnum):
    """How readers prove who they are."""

    OPEN = "open"  # nobody is asked: only where no other machine can connect
    ACCOUNTS = "accounts"  # by names and passwords of this program
    PROXY = "proxy"  # a proxy in front has asked, and names the person


class Settings(BaseSettings):
    """All settings; a field's alias is its environment variable and its argument.

    Precedence: arguments, environment, `.env`, then `source.toml` under KPI_HOME. Read them again for each
    run: the chosen source may change while a worker lives.
    """

    # What is wrong is named without what was given: among that are secrets.
    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    # State.
    home: Path = Field(Path(".kpi"), alias="KPI_HOME")

    # Source.
    source_url: SecretStr | None = Field(None, alias="KPI_SOURCE_URL")
    source_mapping: str = Field("edp", alias="KPI_SOURCE_MAPPING")
    as_of: date | None = Field(None, alias="KPI_AS_OF")
    timezone: str = Field(DEFAULT_TIMEZONE, alias="KPI_TIMEZONE")
    max_rejected_share: float = Field(0.05, ge=0, le=1, alias="KPI_MAX_REJECTED_SHARE")
    max_rejected_amount_share: float = Field(0.05, ge=0, le=1, alias="KPI_MAX_REJECTED_AMOUNT_SHARE")
    max_fall_share: float = Field(0.2, ge=0, le=1, alias="KPI_MAX_FALL_SHARE")

    # Definitions.
    critical_days: Days = Field(60, alias="KPI_CRITICAL_DAYS")
    payment_term_days: Days = Field(30, alias="KPI_PAYMENT_TERM_DAYS")
    window_months: int = Field(12, ge=1, le=60, alias="KPI_WINDOW_MONTHS")
    fast_days: Days = Field(25, alias="KPI_FAST_DAYS")
    # The last ageing bucket begins on day 121.
    loss_days: int = Field(365, gt=121, alias="KPI_LOSS_DAYS")
    dso_target_days: Days = Field(35, alias="KPI_DSO_TARGET_DAYS")
    dso_benchmark_days: Days = Field(45, alias="KPI_DSO_BENCHMARK_DAYS")
    stable_share: float = Field(0.05, ge=0, le=1, alias="KPI_STABLE_SHARE")
    # JSON objects by currency; a currency that is not named keeps its default.
    amount_cuts: Annotated[Mapping[str, Cuts], NoDecode] = Field(_AMOUNT_CUTS, alias="KPI_AMOUNT_CUTS")
    monthly_targets: Annotated[Mapping[str, Amount], NoDecode] = Field({}, alias="KPI_MONTHLY_TARGETS")

    # Cache.
    redis_url: SecretStr | None = Field(None, alias="REDIS_URL")
    redis_serving_url: SecretStr | None = Field(None, alias="REDIS_SERVING_URL")
    ttl_dashboards: Seconds = Field(300, alias="REDIS_CACHE_TTL_DASHBOARD")
    ttl_kpis: Seconds = Field(600, alias="REDIS_CACHE_TTL_KPIS")
    ttl_charts: Seconds = Field(900, alias="REDIS_CACHE_TTL_CHARTS")
    ttl_financials: Seconds = Field(1800, alias="REDIS_CACHE_TTL_FINANCIALS")
    stale_grace: Seconds = Field(86_400, alias="REDIS_CACHE_STALE_GRACE")
    refresh_lead: Seconds = Field(60, alias="KPI_REFRESH_LEAD_S")

    # History.
    history_months: int = Field(36, ge=1, le=240, alias="KPI_HISTORY_MONTHS")
    # The last so many month ends are published by themselves where they are not kept.
    backfill_months: int = Field(13, ge=0, le=240, alias="KPI_BACKFILL_MONTHS")
    history_bytes: int = Field(256 * 2**20, gt=0, alias="KPI_HISTORY_BYTES")

    # Dagster's run history.
    dagster_postgres_url: SecretStr | None = Field(None, alias="DAGSTER_POSTGRES_URL")
    run_retention_days: int = Field(3, ge=1, alias="KPI_RUN_RETENTION_DAYS")
    failed_run_retention_days: int = Field(30, ge=1, alias="KPI_FAILED_RUN_RETENTION_DAYS")
    max_runs: int = Field(5_000, ge=100, alias="KPI_MAX_RUNS")

    # Precompute set.
    precompute_max_variants: int = Field(20_000, ge=1, alias="KPI_PRECOMPUTE_MAX_VARIANTS")
    precompute_max_bytes: int = Field(64 * 2**20, ge=1, alias="KPI_PRECOMPUTE_MAX_BYTES")

    # Audit: variants that each one recomputes, and from how many rows at most; scopes have as many again.
    audit_variants: int = Field(20, ge=1, le=1_000, alias="KPI_AUDIT_VARIANTS")
    audit_rows: int = Field(3_000, ge=1, alias="KPI_AUDIT_ROWS")

    # Serving: bytes of answers that each of its processes keeps.
    serving_memory_bytes: int = Field(8 * 2**20, ge=0, alias="KPI_SERVING_MEMORY_BYTES")

    # Worker: bytes that one of its processes may hold after a run to go on.
    worker_memory_bytes: int = Field(1536 * 2**20, ge=2**20, alias="KPI_WORKER_MEMORY_BYTES")
    celery_broker_url: SecretStr | None = Field(None, alias="CELERY_BROKER_URL")
    celery_result_backend: SecretStr | None = Field(None, alias="CELERY_RESULT_BACKEND")

    # Addresses; everything listens on the loopback interface only.
    web_port: Port = Field(5000, alias="KPI_WEB_PORT")
    dagster_port: Port = Field(3000, alias="KPI_DAGSTER_PORT")
    redis_port: Port = Field(0, alias="KPI_REDIS_PORT")
    # Where open pages hear of new figures.
    events_port: Port = Field(0, alias="KPI_EVENTS_PORT")
    max_listeners: int = Field(12_000, ge=1, le=60_000, alias="KPI_MAX_LISTENERS")
    web_workers: int = Field(1, ge=0, le=64, alias="KPI_WEB_WORKERS")
    dagster_url: HttpUrl | None = Field(None, alias="KPI_DAGSTER_URL")
    code_server: str = Field("127.0.0.1:4000", pattern=r"^[A-Za-z0-9._-]+:\d{1,5}$", alias="KPI_CODE_SERVER")
    # Host names that serving accepts in addition to the loopback ones, separated by commas.
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), alias="KPI_ALLOWED_HOSTS")

    # Logs.
    log_format: LogFormat = Field(LogFormat.CONSOLE, alias="KPI_LOG_FORMAT")
    access_log: bool = Field(True, alias="KPI_ACCESS_LOG")

    # Alerts.
    alerts_file: Path | None = Field(None, alias="KPI_ALERTS_FILE")
    # Where readers find the pages, for links in messages and the way back from an identity provider.
    public_url: HttpUrl | None = Field(None, alias="KPI_PUBLIC_URL")

    # Access. A short token or secret can be guessed.
    access: AccessMode = Field(AccessMode.OPEN, alias="KPI_ACCESS")
    access_url: SecretStr | None = Field(None, alias="KPI_ACCESS_URL")
    # File of scopes: who may see which part of the figures.
    policy: Path | None = Field(None, alias="KPI_POLICY")
    proxy_secret: SecretStr | None = Field(None, min_length=16, alias="KPI_PROXY_SECRET")
    # Networks of proxies in front, whose word on where a request comes from counts.
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1/128")), alias="KPI_TRUSTED_PROXIES"
    )
    session_idle_minutes: int = Field(60, ge=1, le=1440, alias="KPI_SESSION_IDLE_MINUTES")
    session_hours: int = Field(12, ge=1, le=720, alias="KPI_SESSION_HOURS")
    admin_token: SecretStr | None = Field(None, min_length=16, alias="KPI_ADMIN_TOKEN")
    api_token: SecretStr | None = Field(None, alias="KPI_API_TOKEN")
    webhook_secret: SecretStr | None = Field(None, min_length=16, alias="KPI_WEBHOOK_SECRET")

    # An identity provider by which people sign in too (OpenID Connect).
    oidc_issuer: str | None = Field(None, alias="KPI_OIDC_ISSUER")
    oidc_client_id: str | None = Field(None, alias="KPI_OIDC_CLIENT_ID")
    oidc_client_secret: SecretStr | None = Field(None, alias="KPI_OIDC_CLIENT_SECRET")
    oidc_client_secret_file: Path | None = Field(None, alias="KPI_OIDC_CLIENT_SECRET_FILE")
    # As the sign-in page calls it.
    oidc_name: str | None = Field(None, max_length=40, alias="KPI_OIDC_NAME")
    # Claims of its ID token: the person's name, and what the policy gives roles for.
    oidc_person_claim: str = Field("email", alias="KPI_OIDC_PERSON_CLAIM")
    oidc_groups_claim: str | None = Field(None, alias="KPI_OIDC_GROUPS_CLAIM")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the source chosen by `kpi load` below the environment."""
        homes = (source().get("KPI_HOME") for source in (init_settings, env_settings, dotenv_settings))
        home = next(filter(None, homes), ".kpi")
        chosen = TomlConfigSettingsSource(settings_cls, Path(home) / SOURCE_FILE)
        return init_settings, env_settings, dotenv_settings, chosen

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        return known_timezone(name)

    @field_validator("dagster_postgres_url")
    @classmethod
    def _address_of_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("postgresql://"):
            raise ValueError("not the address of a PostgreSQL database: postgresql://user:password@host/name")
        return url

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, hosts: object) -> object:
        return _listed(hosts) if isinstance(hosts, str) else hosts

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_networks(cls, networks: object) -> object:
        return tuple(map(_network, _listed(networks))) if isinstance(networks, str) else networks

    @field_validator("amount_cuts", "monthly_targets", mode="before")
    @classmethod
    def _json_object(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            # The example shows the quotes that JSON needs.
            raise ValueError(f"not a JSON object; write it like {_EXAMPLES[str(info.field_name)]}")  # noqa: TRY004
        return parsed

    @field_validator("amount_cuts")
    @classmethod
    def _ascending_cuts(cls, cuts: Mapping[str, Cuts]) -> Mapping[str, Cuts]:
        _check_currencies(set(cuts) - {OTHER_CURRENCIES})
        for currency, (low, middle, high) in cuts.items():
            if not low < middle < high:
                raise ValueError(f"the cuts of {currency} must ascend, like [1000, 5000, 10000]")
        return {**_AMOUNT_CUTS, **cuts}

    @field_validator("monthly_targets")
    @classmethod
    def _targets_of_currencies(cls, targets: Mapping[str, int]) -> Mapping[str, int]:
        _check_currencies(set(targets))
        return targets

    @model_validator(mode="after")
    def _absolute_home(self) -> Self:
        # Every process must use the same folder, whatever its working directory.
        object.__setattr__(self, "home", self.home.resolve())
        if self.policy is not None:
            object.__setattr__(self, "policy", self.policy.resolve())
        return self

    @model_validator(mode="after")
    def _proxy_proves_itself(self) -> Self:
        if self.access is AccessMode.PROXY and self.proxy_secret is None:
            raise ValueError("KPI_ACCESS=proxy needs KPI_PROXY_SECRET, by which the proxy proves itself")
        return self

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        secrets = (self.oidc_client_secret, self.oidc_client_secret_file)
        given = (self.oidc_issuer, self.oidc_client_id, *secrets, self.oidc_name, self.oidc_groups_claim)
        if given == (None,) * len(given):
            return self
        if self.oidc_issuer is None or self.oidc_client_id is None or secrets == (None, None):
            raise ValueError(
                "an identity provider needs KPI_OIDC_ISSUER, KPI_OIDC_CLIENT_ID and KPI_OIDC_CLIENT_SECRET "
                "(or KPI_OIDC_CLIENT_SECRET_FILE): set all of them or none"
            )
        if None not in secrets:
            raise ValueError("set KPI_OIDC_CLIENT_SECRET or KPI_OIDC_CLIENT_SECRET_FILE, not both")
        if not is_confidential_address(self.oidc_issuer) or {"?", "#"} & set(self.oidc_issuer):
            raise ValueError(
                "KPI_OIDC_ISSUER is the address that the provider calls its issuer: https, without a query "
                "(http on this machine only)"
            )
        self._check_way_back()
        return self

    def _check_way_back(self) -> None:
        """Check what the rest of the settings must say where there is an identity provider."""
        if self.access is not AccessMode.ACCOUNTS:
            raise ValueError("KPI_OIDC_ISSUER needs KPI_ACCESS=accounts: people sign in there, by it or not")
        if self.public_url is None or not is_confidential_address(str(self.public_url)):
            raise ValueError(
                "KPI_OIDC_ISSUER needs KPI_PUBLIC_URL, to which the provider leads people back: https (http "
                "on this machine only)"
            )
        if self.oidc_groups_claim is not None and self.policy is None:
            raise ValueError(
                "KPI_OIDC_GROUPS_CLAIM needs KPI_POLICY, whose table [groups] says which role each group has"
            )

    @cached_property
    def ttl(self) -> dict[str, int]:
        """Seconds for which each product stays fresh."""
        return {
            "kpis": self.ttl_kpis,
            "dashboards": self.ttl_dashboards,
            "charts": self.ttl_charts,
            "financials": self.ttl_financials,
        }

    @property
    def dagster_home(self) -> Path:
        """Dagster's folder."""
        return self.home / "dagster"

    @property
    def storage(self) -> Path:
        """Folder of snapshots: certificates, quarantine, roll-up."""
        return self.home / "storage"

    @property
    def archive(self) -> Path:
        """Folder of what is restored when Redis has lost it."""
        return self.storage / "archive"

    def today(self) -> date:
        """The business date: KPI_AS_OF, or the current day in KPI_TIMEZONE."""
        return self.as_of or self.calendar_day()

    def calendar_day(self) -> date:
        """The current day in KPI_TIMEZONE, whatever the business date."""
        return datetime.now(ZoneInfo(self.timezone)).date()


def current_settings() -> Settings:
    """The current settings, read again only when the environment or a file has changed.

    A run needs them about thirty times, and reading them takes 2 ms.
    """
    home = os.environ.get("KPI_HOME")
    if not home:
        # Only `.env` can name the folder of the chosen source.
        return Settings()
    files = (Path(".env").absolute(), Path(home).absolute() / SOURCE_FILE)
    return _settings_of(frozenset(os.environ.items()), tuple((path, _version(path)) for path in files))


@lru_cache(maxsize=1)
def _settings_of(_environment: frozenset[tuple[str, str]], _files: tuple[object, ...]) -> Settings:
    return Settings()


def is_confidential_address(url: str) -> bool:
    """Whether nobody between can read what is sent there: by https or on this machine, and without a user."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    is_near = host in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and is_near)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{error}: write networks like 10.0.0.0/8, separated by commas") from None
    if not network.prefixlen:
        raise ValueError(f"{text} is everybody, whose word would count: name the networks of proxies alone")
    return network


def _check_currencies(codes: set[str]) -> None:
    if codes:
        # Imported only when needed: the list takes time to load.
        from babel.numbers import list_currencies  # noqa: PLC0415

        if unknown := sorted(codes - list_currencies()):
            raise ValueError(f"unknown currency {unknown[0]!r}; use an ISO 4217 code such as CLP")


def _version(path: Path) -> tuple[int, int, int] | None:
    """What differs between two versions of a file; None when there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
