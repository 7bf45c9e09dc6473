"""Summaries: the figures of a page as a PDF and a workbook, by e-mail, on certain days.

Both are the page's own downloads, of one stored generation, and each names its date.
A thread of each web process looks what is due; one of them sends it.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, cast
from urllib.parse import urlencode
from uuid import uuid4
from zoneinfo import ZoneInfo

import redis
from flask import Flask
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from werkzeug.test import TestResponse

from kpi_pipeline.alerts.delivery import AppriseNotifier, Notifier, Undelivered
from kpi_pipeline.alerts.messages import Attachment, Note
from kpi_pipeline.alerts.outbox import retry_wait_s
from kpi_pipeline.alerts.rule_file import RuleFile, load_rules
from kpi_pipeline.alerts.store import AlertStore
from kpi_pipeline.cache.alarms import Alarms
from kpi_pipeline.cache.connection import NoRedis
from kpi_pipeline.cache.keys import SUMMARIES_KEY, SUMMARIES_TURN_KEY
from kpi_pipeline.model.alerts.parsing import RulesError
from kpi_pipeline.model.alerts.rules import Summary
from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.pages import PAGES
from kpi_pipeline.model.scopes import WHOLE_FIRM
from kpi_pipeline.settings import Settings
from serving.access.identity import EVERYBODY, IDENTITY
from serving.cache_access import CacheAccess
from serving.dates import written_date
from serving.pages.addresses import page_path
from serving.pages.downloads.links import in_address
from serving.problem_types.figures import NO_DOCUMENTS
from serving.problems import DOWNLOADS_PATH

PERIOD_S: Final = 60.0
"""Seconds between two looks."""

THREAD_NAME: Final = "summaries"
_LOG: Final = logging.getLogger(__name__)
_NO_PDF: Final = "summary_without_pdf"
_FILE_NAME: Final = re.compile(r'filename="([^"]+)"')
_LABELS: Final = {page.name: page.label for page in PAGES}
_TITLE: Final = Text("{page}: cifras al {as_of}", "{page}: figures as of {as_of}")
_BODY: Final = Text(
    "Las cifras de la página «{page}» al {as_of} van en los archivos adjuntos.",
    "The figures of the page “{page}” as of {as_of} are attached.",
)
_STALE: Final = Text(
    "Las cifras están desactualizadas: la última actualización no ha llegado.",
    "The figures are stale: the latest refresh has not come.",
)
_PAGE: Final = Text("Página", "Page")


@checked_dataclass(slots=True)
class _State:
    """What became of a summary.

    Attributes:
        due: When it was due last.
        sent: To how many addresses it went.
        done: Whether those were all.
        attempts: How many have failed.
        retry_at: From when the next may begin, in seconds since the epoch.
    """

    due: str
    sent: int = 0
    done: bool = False
    attempts: int = 0
    retry_at: float = 0.0


_STATE: Final = TypeAdapter(_State)


class NotReady(Exception):
    """The figures of a summary cannot be had now; the message says why."""


@dataclass(frozen=True, slots=True)
class SummarySender:
    """Sends what is due.

    Attributes:
        app: Writes the workbooks.
        access: Finds Redis.
        settings: The file of rules, the time zone, and what notes link to.
        notifier: Sends notes.
        clock: The present, in seconds since the epoch.
        holder: This process.
    """

    app: Flask
    access: CacheAccess
    settings: Settings
    notifier: Notifier = field(default_factory=AppriseNotifier)
    clock: Callable[[], float] = time.time
    holder: str = field(default_factory=lambda: f"web-{os.getpid()}-{uuid4().hex[:8]}")

    def look(self) -> None:
        """Send what is due, if it is this process's turn. A summary that is new waits for its next day."""
        try:
            file = load_rules(self.settings)
            if not file.rules.summaries:
                return
            client = self.access.current(WHOLE_FIRM).client
            if AlertStore(client).take_turn(self.holder, SUMMARIES_TURN_KEY):
                for name, summary in file.rules.summaries.items():
                    self._send_due(client, file, name, summary)
        except RulesError as error:
            _LOG.warning("no summaries are sent: %s", error)
        except (NoRedis, redis.RedisError):
            return  # the next look tries again

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        threading.Thread(target=self._look_always, name=THREAD_NAME, daemon=True).start()

    def _look_always(self) -> None:
        while True:
            time.sleep(PERIOD_S)
            try:
                self.look()
            except Exception:  # whatever it is, the next look is worth a try
                _LOG.exception("summaries could not be sent")

    def _send_due(self, client: redis.Redis, file: RuleFile, name: str, summary: Summary) -> None:
        now = self.clock()
        moment = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.settings.timezone))
        due = summary.last_due(moment).isoformat()
        known = _known(client, name)
        if known is None:
            _keep(client, name, _State(due, done=True))
            return
        state = known if known.due == due else _State(due)
        if state.done or now < state.retry_at:
            return
        try:
            addresses = file.summary_addresses(name)
            note = self._note(client, name, summary)
            for address in addresses[state.sent :]:
                self.notifier.send(address, note)
                state.sent += 1
                _keep(client, name, state)
            state.done = True
        except (RulesError, Undelivered, NotReady) as error:
            Alarms(client).sound("summary_undelivered", name, f"{error}; it is tried again")
            state.retry_at = now + retry_wait_s(state.attempts)
            state.attempts += 1
        _keep(client, name, state)

    def _note(self, client: redis.Redis, name: str, summary: Summary) -> Note:
        """The files of the live generation, and what they are of.

        Raises:
            NotReady: If they cannot be written now.
        """
        pairs = [(dimension, value) for dimension, values in summary.filter.items() for value in values]
        question = urlencode([*pairs, ("lang", summary.language)])
        book, printed = (self._file(summary.page, ending, question) for ending in ("xlsx", "pdf"))
        if printed is None:
            Alarms(client).sound(_NO_PDF, name, "install Pango where the web server runs")
        files = [file for file in (printed, book) if file is not None]
        headers = files[0].headers
        if any(file.headers["X-Generation"] != headers["X-Generation"] for file in files):
            raise NotReady("a new generation came in between")
        language = summary.language
        values = {
            "page": _LABELS[summary.page].into(language),
            "as_of": written_date(date.fromisoformat(headers["X-As-Of"]), language),
        }
        lines = [_BODY.into(language).format(**values)]
        if headers["X-Cache-State"] != "fresh":
            lines.append(_STALE.into(language))
        if self.settings.public_url:
            base = str(self.settings.public_url).rstrip("/")
            lines.append(f"{_PAGE.into(language)}: {base}{page_path(summary.page)}?{question}")
        attached = tuple(_attachment(file) for file in files)
        return Note(_TITLE.into(language).format(**values), "\n".join(lines), attached)

    def _file(self, page: str, ending: str, question: str) -> TestResponse | None:
        """One download of a page; None where this machine cannot make it.

        Raises:
            NotReady: If it cannot be written now.
        """
        answer = self.app.test_client().get(
            f"{DOWNLOADS_PATH}/{in_address(page)}.{ending}?{question}",
            # Whom it goes to is decided by whoever wrote the summary.
            environ_overrides={IDENTITY: EVERYBODY},
        )
        if answer.status_code == NO_DOCUMENTS.status:
            return None
        if answer.status_code != 200:
            raise NotReady(f"the {ending} file is answered with status {answer.status_code}")
        return answer


def _attachment(file: TestResponse) -> Attachment:
    named = _FILE_NAME.search(file.headers["Content-Disposition"])
    return Attachment(named[1] if named else "figures", file.mimetype or "", file.data)


def _known(client: redis.Redis, name: str) -> _State | None:
    text = cast("bytes | None", client.hget(SUMMARIES_KEY, name))
    try:
        return None if text is None else _STATE.validate_json(text)
    except ValidationError:
        return None


def _keep(client: redis.Redis, name: str, state: _State) -> None:
    client.hset(SUMMARIES_KEY, name, _STATE.dump_json(state))
