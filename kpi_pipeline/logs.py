"""How every process writes its log: plain lines or JSON, with the ids that lead from a request to its run."""

import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from enum import StrEnum
from functools import lru_cache
from typing import Final

import orjson


class LogFormat(StrEnum):
    """How a line of a log is written."""

    CONSOLE = "console"
    JSON = "json"


REQUEST_ID: Final = "request_id"
TASK_ID: Final = "task_id"
RUN_ID: Final = "run_id"

_NO_IDS: Final[Mapping[str, str]] = {}
_IDS: Final[ContextVar[Mapping[str, str]]] = ContextVar("ids")
_FIELDS: Final = "fields"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """A whole second since the epoch as lines have it: many of them are of one."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@contextmanager
def log_ids(**ids: str) -> Iterator[None]:
    """Name ids in every line that is logged meanwhile: `request_id`, `task_id`, `run_id`."""
    token = begin_ids(**ids)
    try:
        yield
    finally:
        end_ids(token)


def begin_ids(**ids: str) -> Token[Mapping[str, str]]:
    """Name ids from now on until `end_ids`: as `log_ids`, in a fifth of its time."""
    return _IDS.set({**_IDS.get(_NO_IDS), **ids})


def end_ids(token: Token[Mapping[str, str]]) -> None:
    """Name them no more."""
    _IDS.reset(token)


def fields(**values: object) -> dict[str, dict[str, object]]:
    """The `extra` of a line with members of its own: JSON writes them apart, plain lines as name=value."""
    return {_FIELDS: values}


class LogFormatter(logging.Formatter):
    """Writes one line a record, without colours: files hold no control codes.

    Args:
        log_format: How.
        process: Name of the process, as in `kpi logs`.
    """

    def __init__(self, log_format: LogFormat, process: str) -> None:
        super().__init__()
        self._is_json = log_format == LogFormat.JSON
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; a traceback follows it, in JSON as a member.

        Of a plain message with several lines all but the first are indented: no message passes for another.
        """
        values = {**_IDS.get({}), **getattr(record, _FIELDS, {})}
        moment = f"{_second(int(record.created))}.{record.msecs:03.0f}Z"
        message = record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        if self._is_json:
            line = {
                "at": moment,
                "level": record.levelname,
                "process": self._process,
                "logger": record.name,
                "message": message,
                **values,
                **({"exception": trace} if trace else {}),
            }
            return orjson.dumps(line, default=str).decode()
        named = "".join(f" {name}={value}" for name, value in values.items())
        message = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", message).replace("\n", "\n    ")
        return f"{moment} {record.levelname} {message}{named}" + (f"\n{trace}" if trace else "")


def write_logs(log_format: LogFormat, process: str) -> None:
    """Let this process write its log to the standard error, from level INFO on.

    Args:
        log_format: How.
        process: Its name.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter(log_format, process))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(capture=True)
