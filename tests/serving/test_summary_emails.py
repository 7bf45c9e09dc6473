"""Summaries are sent once when they are due, with the page's PDF and workbook, and again when that fails."""

from datetime import datetime
from io import BytesIO
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
import redis

from kpi_pipeline.alerts.delivery import AppriseNotifier
from kpi_pipeline.alerts.rule_file import SHIPPED
from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.keys import ALARMS_KEY
from kpi_pipeline.model.alerts.parsing import parse_rules
from serving.app import create_app
from serving.cache_access import CacheAccess
from serving.pages.downloads.documents import NoDocuments
from serving.summary_emails import SummarySender
from tests.alerts.conftest import Mailbox, Time, mailbox, notifications  # noqa: F401 - fixtures
from tests.waiting import wait_until

ZONE = ZoneInfo("America/Santiago")
DAILY = '[summaries.board]\nurl_env = "BOARD"\npage = "indicators"\nlanguage = "en"\nat = "08:00"\n'
FRIDAY = datetime(2024, 6, 28, 9, tzinfo=ZONE)


@pytest.fixture
def clock() -> Time:
    return Time(FRIDAY.timestamp())


@pytest.fixture
def sender_of(cache_url, settings_of, client, clock, notifications, monkeypatch):  # noqa: F811
    """A web process with the rights of `serving`."""
    apply_acl(client, "pipe-pw", "serve-pw")
    monkeypatch.setenv("BOARD", "json://one json://two")
    url = cache_url.replace("redis://", "redis://serving:serve-pw@")

    def make(rules: str = DAILY, holder: str = "web-1", notifier=notifications) -> SummarySender:
        settings = settings_of(REDIS_URL=url, KPI_PUBLIC_URL="https://kpi.example/")
        (settings.home / "alerts.toml").write_text(rules)
        return SummarySender(create_app(settings), CacheAccess(settings), settings, notifier, clock, holder)

    yield make
    client.execute_command("ACL", "DELUSER", "pipeline", "serving")


def test_a_summary_is_sent_on_its_next_day_and_once(press, sender_of, clock, notifications) -> None:  # noqa: F811
    (entry,) = press.publish("kpis")
    sender = sender_of()
    sender.look()
    assert notifications.sent == []
    clock.now += 86_400
    sender.look()
    sender.look()
    assert [address for address, _ in notifications.sent] == ["json://one", "json://two"]
    note = notifications.sent[0][1]
    assert note.title.endswith(": figures as of Jun 28, 2024")
    assert "as of Jun 28, 2024 are attached." in note.body
    assert entry.generation not in note.body
    assert "Page: https://kpi.example/manager/indicators?lang=en" in note.body
    document, workbook = note.attachments
    assert document.name.endswith("2024-06-28.pdf")
    assert document.content.startswith(b"%PDF")
    assert workbook.name.endswith("2024-06-28.xlsx")
    with ZipFile(BytesIO(workbook.content)) as book:
        assert entry.generation in book.read("xl/sharedStrings.xml").decode()


def test_what_fails_is_tried_again_by_who_is_left(
    press,
    sender_of,
    clock,
    notifications,  # noqa: F811
    client: redis.Redis,
) -> None:
    press.publish("kpis")
    sender = sender_of()
    sender.look()
    clock.now += 86_400
    notifications.failure = "out of reach"
    sender.look()
    notifications.failure = ""
    assert client.hget(ALARMS_KEY, "summary_undelivered") == b"1"
    sender.look()
    assert notifications.sent == []
    clock.now += 30
    sender.look()
    assert len(notifications.sent) == 2


def test_figures_that_are_not_there_are_waited_for(
    press,
    sender_of,
    clock,
    notifications,  # noqa: F811
) -> None:
    sender = sender_of()
    sender.look()
    clock.now += 86_400
    sender.look()
    press.publish("kpis")
    wait_until(lambda: sender.app.test_client().get("/manager/api/kpis").status_code == 200)
    clock.now += 30
    sender.look()
    assert len(notifications.sent) == 2


def test_only_one_process_sends(press, sender_of, clock, notifications) -> None:  # noqa: F811
    press.publish("kpis")
    sender_of().look()
    clock.now += 86_400
    sender_of(holder="web-2").look()
    assert notifications.sent == []


def test_without_pango_the_workbook_goes_alone(
    press,
    sender_of,
    clock,
    notifications,  # noqa: F811
    client: redis.Redis,
    monkeypatch,
) -> None:
    press.publish("kpis")

    def lacking(*_):
        raise NoDocuments

    monkeypatch.setattr("serving.pages.downloads.routes.document", lacking)
    sender = sender_of()
    sender.look()
    clock.now += 86_400
    sender.look()
    (file,) = notifications.sent[0][1].attachments
    assert file.name.endswith(".xlsx")
    assert client.hget(ALARMS_KEY, "summary_without_pdf") == b"1"


def test_the_files_arrive_as_mail(press, sender_of, clock, mailbox: Mailbox, monkeypatch) -> None:  # noqa: F811
    address = f"mailto://127.0.0.1:{mailbox.port}?from=kpi@example.com&to=ana@example.com&mode=insecure"
    press.publish("kpis")
    sender = sender_of(notifier=AppriseNotifier())
    monkeypatch.setenv("BOARD", address)
    sender.look()
    clock.now += 86_400
    sender.look()
    (mail,) = mailbox.mails
    document, workbook = mail.iter_attachments()
    assert document.get_content_type() == "application/pdf"
    assert document.get_filename().endswith(".pdf")
    assert document.get_content().startswith(b"%PDF")
    assert workbook.get_filename().endswith(".xlsx")
    assert ZipFile(BytesIO(workbook.get_content())).testzip() is None


@pytest.mark.parametrize(
    ("keys", "moment", "due"),
    [
        ("", "2024-06-28T07:59", "2024-06-27T08:00"),
        ("", "2024-06-28T08:00", "2024-06-28T08:00"),
        ('every = "week"', "2024-06-28T09:00", "2024-06-24T08:00"),
        ('every = "week"\nweekday = "friday"', "2024-06-28T07:00", "2024-06-21T08:00"),
        ('every = "week"\nweekday = "friday"', "2024-06-28T08:00", "2024-06-28T08:00"),
    ],
)
def test_a_summary_is_due_on_its_days(keys: str, moment: str, due: str) -> None:
    summary = parse_rules(SHIPPED.read_text(), DAILY + keys, "alerts.toml").summaries["board"]
    at, expected = (datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (moment, due))
    assert summary.last_due(at) == expected
