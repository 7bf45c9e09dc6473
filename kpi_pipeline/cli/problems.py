"""Expected errors of commands: printed as one sentence, with an exit code and without a traceback."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from kpi_pipeline.cli.console import print_json, print_problem
from kpi_pipeline.settings import SOURCE_FILE, Settings

FAILED: Final = 1
NOT_RUNNING: Final = 3
ALREADY_RUNNING: Final = 4


class Problem(Exception):
    """A command cannot do its work; the message says why and what to do next, `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class NotRunning(Problem):
    """The stack of this KPI_HOME is not running."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            f"the stack of {settings.home} is not running: start it in another terminal with `kpi up`",
            NOT_RUNNING,
        )


def expected_errors() -> tuple[type[Exception], ...]:
    """The errors that are explained in one sentence. What raises them is imported once one is to be told."""
    from redis import RedisError  # noqa: PLC0415

    from kpi_pipeline.access.database import AccessUnavailable  # noqa: PLC0415
    from kpi_pipeline.access.policy_file import PolicyError  # noqa: PLC0415
    from kpi_pipeline.cache.connection import NoRedis  # noqa: PLC0415
    from kpi_pipeline.cache.reading.client import CacheUnavailable  # noqa: PLC0415
    from kpi_pipeline.compute.overflow import SumTooLarge  # noqa: PLC0415
    from kpi_pipeline.model.alerts.parsing import RulesError  # noqa: PLC0415
    from kpi_pipeline.model.mapping import MappingError  # noqa: PLC0415
    from kpi_pipeline.sources.errors import SourceError  # noqa: PLC0415
    from kpi_pipeline.stack.addresses import PortTaken  # noqa: PLC0415
    from kpi_pipeline.stack.dagster_client import (  # noqa: PLC0415
        DagsterUnreachable,
        RunRefused,
        RunUnfinished,
    )
    from kpi_pipeline.stack.home import HomeUnusable  # noqa: PLC0415
    from kpi_pipeline.stack.postgres_check import PostgresUnusable  # noqa: PLC0415
    from kpi_pipeline.stack.programs import NoBroker  # noqa: PLC0415
    from kpi_pipeline.stack.redis_check import RedisUnusable  # noqa: PLC0415

    return (
        Problem,
        AccessUnavailable,
        CacheUnavailable,
        DagsterUnreachable,
        HomeUnusable,
        MappingError,
        NoBroker,
        NoRedis,
        PolicyError,
        PortTaken,
        PostgresUnusable,
        RedisUnusable,
        RulesError,
        RunRefused,
        RunUnfinished,
        SourceError,
        SumTooLarge,
        RedisError,
    )


@contextmanager
def reported_errors(as_json: bool = False) -> Iterator[None]:
    """Print an expected error, as text or JSON, and end the command with its exit code."""
    try:
        yield
    except Problem as problem:
        _report(str(problem), as_json)
        raise typer.Exit(problem.code) from None
    except (typer.Exit, KeyboardInterrupt):
        raise
    except expected_errors() as error:
        _report(message_of(error), as_json)
        raise typer.Exit(FAILED) from None


def _report(message: str, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "problem": message})
    else:
        print_problem(message)


def message_of(error: Exception) -> str:
    """The message of an expected error, with what to do next."""
    from redis import RedisError  # noqa: PLC0415 - as above

    if isinstance(error, RedisError):
        return f"Redis cannot be used ({error}): run `kpi doctor`"
    return str(error)


def load_settings(**arguments: Any) -> Settings:
    """Read the settings; arguments by environment variable take precedence unless they are None.

    Raises:
        Problem: If a setting is invalid; the message names it without its value, which may be secret.
    """
    try:
        return Settings(**{name: value for name, value in arguments.items() if value is not None})
    except ValidationError as error:
        invalid = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Problem(
            f"invalid settings: {invalid}. Correct them in the environment or in .env; choose a source "
            "with `kpi load`"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            f"{SOURCE_FILE} in KPI_HOME is damaged ({error}): delete it, then choose the source again "
            "with `kpi load`"
        ) from None
    except (SettingsError, UnicodeDecodeError, OSError) as error:
        raise Problem(
            f"the settings cannot be read ({type(error).__name__}): check .env and KPI_HOME"
        ) from None
