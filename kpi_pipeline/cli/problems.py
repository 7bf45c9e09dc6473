"""What can go wrong in a command: told in a sentence, with an exit code, never as a traceback."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.reading.client import CacheUnavailable
from kpi_pipeline.cli.console import print_json, print_problem
from kpi_pipeline.compute.database import SumTooLarge
from kpi_pipeline.model.mapping import MappingError
from kpi_pipeline.settings import SOURCE_FILE, Settings
from kpi_pipeline.sources.errors import SourceError
from kpi_pipeline.stack.addresses import PortTaken
from kpi_pipeline.stack.dagster_client import DagsterUnreachable, RunRefused, RunUnfinished
from kpi_pipeline.stack.home import HomeUnusable
from kpi_pipeline.stack.programs import NoBroker
from kpi_pipeline.stack.redis_check import RedisUnusable

FAILED: Final = 1
NOT_RUNNING: Final = 3
RUNNING_ALREADY: Final = 4


class Problem(Exception):
    """Why a command cannot do what it was asked; the message says what to do.

    Args:
        message: That.
        code: The command's exit code.
    """

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class NotRunning(Problem):
    """The stack of this KPI_HOME does not run."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            f"the stack of {settings.home} does not run: start it in another terminal with `kpi up`",
            NOT_RUNNING,
        )


EXPECTED_ERRORS: Final = (
    Problem,
    CacheUnavailable,
    DagsterUnreachable,
    HomeUnusable,
    MappingError,
    NoBroker,
    NoRedis,
    PortTaken,
    RedisUnusable,
    RunRefused,
    RunUnfinished,
    SourceError,
    SumTooLarge,
)


@contextmanager
def reported_errors(as_json: bool = False) -> Iterator[None]:
    """Tell a problem that the user can mend, and end the command.

    Args:
        as_json: Tell it as the JSON that was asked for.
    """
    try:
        yield
    except EXPECTED_ERRORS as error:
        if as_json:
            print_json({"ok": False, "problem": str(error)})
        else:
            print_problem(str(error))
        raise typer.Exit(error.code if isinstance(error, Problem) else FAILED) from None


def load_settings(**arguments: Any) -> Settings:
    """The settings, of which arguments take precedence.

    Args:
        arguments: By environment variable; None leaves it to the environment.

    Raises:
        Problem: If one is malformed; the message names it and holds no value, which may be a secret.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Problem(
            f"a setting is wrong: {wrong}. Correct it in the environment or .env; a source, with `kpi load`"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise Problem(
            f"{SOURCE_FILE} in KPI_HOME is not what `kpi load` wrote ({error}): remove it and load again"
        ) from None
    except (SettingsError, UnicodeDecodeError, OSError) as error:
        raise Problem(f"settings cannot be read ({type(error).__name__}): check .env and KPI_HOME") from None
