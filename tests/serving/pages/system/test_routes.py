"""The page for engineers: all that it tells, in every condition of the cache, and never a failure."""

import html
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kpi_pipeline.cache.access import apply_acl
from kpi_pipeline.cache.agreements import publish_agreement
from kpi_pipeline.cache.keys import ALARMS_KEY, MANIFEST_KEY
from kpi_pipeline.cache.manifest import MissReason
from kpi_pipeline.cache.performance import PerformanceCounters, duration_counts, lookup_field
from kpi_pipeline.cache.publishing.leases import Leases
from kpi_pipeline.cache.publishing.source_readings import publish_readings
from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.cache.requests.tasks import RequestKind
from kpi_pipeline.cache.usage.counters import UsageCounters
from kpi_pipeline.cache.usage.coverage import Coverage, PrecomputeSetRecord
from kpi_pipeline.cache.usage.listeners import report_listeners
from kpi_pipeline.model.agreement import Agreement
from kpi_pipeline.model.filters import EVERYTHING, Filter
from kpi_pipeline.model.performance import AnswerKind, Measure, Outcome
from kpi_pipeline.model.pipeline_report import ProcessReport, RunReport, StalledRun
from kpi_pipeline.model.readings import Fall, HeldReading, ReadingReport, RowReport, SourceReadings
from serving.app import create_app
from serving.pages.system.view import life_of
from tests.serving.payloads import MINE

SYSTEM = "/manager/system"
OF_MINE = Filter.of({"client": MINE})
UNREAD = "This part cannot be read"


def words(response) -> str:
    assert response.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text)))


def test_generations_and_their_life(web, press) -> None:
    kpis, *_ = press.publish()
    press.publish("dashboards", age_s=700)
    press.publish("charts", age_s=5000, run_id="run/2", previous=("charts-older",))
    page = web.get(f"{SYSTEM}?lang=en")
    text = words(page)
    assert page.headers["Cache-Control"] == "no-store"
    for expected in ("kpis Fresh", "dashboards Stale", "charts Expired", "financials Fresh", kpis.generation):
        assert expected in text
    assert 'href="http://127.0.0.1:3000/runs/run-1"' in page.text
    assert 'href="http://127.0.0.1:3000/runs/run%2F2"' in page.text
    assert "Source watermark 2024-06-28T09:00:00" in text
    assert "As of Jun 28, 2024" in text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "Last hour: 120 requests; 90.0% were answered with their own figures. "
            "Response time: 4.0 ms on average; 95% took 4.3 ms or less.",
        ),
        (
            "es",
            "Última hora: 120 solicitudes; el 90,0% se respondió con sus propias cifras. "
            "Tiempo de respuesta: 4,0 ms en promedio; el 95% tardó 4,3 ms o menos.",
        ),
    ],
)
def test_hits_and_response_times_of_the_last_hour(language, sentence, web, press, client) -> None:
    press.publish()
    assert sentence[:10] not in words(web.get(f"{SYSTEM}?lang={language}"))
    hits, misses = lookup_field("kpis", Outcome.HIT), lookup_field("kpis", Outcome.MISS, "corrupt")
    counts = {hits: 108, misses: 12, **duration_counts(Measure.ANSWER, AnswerKind.PAGE, [0.004])}
    PerformanceCounters(client).add(counts)
    assert sentence in words(web.get(f"{SYSTEM}?lang={language}"))


@pytest.mark.parametrize(
    ("language", "agrees", "held"),
    [
        (
            "en",
            "9,998 of 9,998 recomputed figures agree with what is published: at least 99.97% of all figures "
            "agree, with 95% confidence. Last audit: 12 minutes ago.",
            "kpis: 1 figure differs. Nothing newer of the product goes live until that is resolved.",
        ),
        (
            "es",
            "9.998 de 9.998 cifras recalculadas coinciden con lo publicado: coincide al menos el 99,97% de "
            "todas, con un 95% de confianza. Última auditoría: hace 12 minutos.",
            "kpis: 1 cifra difiere. No se publica nada nuevo del producto hasta que se resuelva.",
        ),
    ],
)
def test_the_agreement_of_figures(language, agrees, held, web, press, client) -> None:
    press.publish()
    assert agrees[-12:] not in words(web.get(f"{SYSTEM}?lang={language}"))
    found = Agreement("kpis", "kpis-1", time.time() - 725, 20, 9_998, disagreeing=0, too_large=0)
    publish_agreement(client, found)
    text = words(web.get(f"{SYSTEM}?lang={language}"))
    assert agrees in text
    assert held not in text
    publish_agreement(client, replace(found, disagreeing=1))
    assert held in words(web.get(f"{SYSTEM}?lang={language}"))


def test_the_verdict_is_that_of_the_monitors_with_what_to_do(web, press) -> None:
    press.publish()
    press.report()
    assert "Health of the system Ok Everything works." in words(web.get(f"{SYSTEM}?lang=en"))
    failed = RunReport("run-3", "refresh_kpis", "FAILURE", 1.0, "read_source: no such file")
    processes = (ProcessReport("worker", "FATAL"), ProcessReport("web", "RUNNING"))
    press.report(runs={"kpis": failed}, processes=processes, daemons={"SENSOR": False})
    page = web.get(f"{SYSTEM}?lang=en")
    text = words(page)
    assert "Health of the system Degraded" in text
    for finding in web.get("/health/system").get_json()["findings"]:
        for phrase in (finding["reason"], finding["advice"]):
            assert f"{phrase[0].upper()}{phrase[1:]}." in text
    assert re.search(r"Last run failed, Dec 31, 1969, \d\d:\d\d , run-3", text)
    assert "worker does not start web running Dagster's daemons 0 of 1 alive" in text
    assert 'href="http://127.0.0.1:3000/runs/run-3"' in page.text
    assert "La última ejecución de kpis falló" in words(web.get(f"{SYSTEM}?lang=es"))


def test_the_last_runs_are_listed_with_those_that_failed_first(web, press) -> None:
    press.publish()
    press.report()
    assert "Last runs None has ended yet." in words(web.get(f"{SYSTEM}?lang=en"))
    press.report(
        last_runs=(
            RunReport("run-9", "refresh_kpis", "SUCCESS", 3.0),
            RunReport("run-8", "clean_cache", "FAILURE", 2.0, "clean_cache: <no room>"),
            RunReport("run-7", "refresh_all", "SUCCESS", 1.0),
        )
    )
    page = web.get(f"{SYSTEM}?lang=en")
    listed = words(page)[words(page).index("Last runs") :]
    order = [listed.index(run) for run in ("run-8 clean_cache: <no room>", "run-9", "run-7")]
    assert order == sorted(order)
    assert 'href="http://127.0.0.1:3000/runs/run-8"' in page.text


def test_findings_are_in_the_language_and_on_the_clock_of_the_reader(web, press, client) -> None:
    now = datetime(2024, 6, 28, 15, 4, tzinfo=UTC).timestamp()
    press.publish("kpis", "dashboards", "financials")
    press.publish("charts", reading="ffff", rolled_back_at=now)
    fell = (Fall("certificates", "", 2_000, 1_000), Fall("costs", "CLP", 50_000_000, 1_234_567))
    publish_readings(client, SourceReadings(None, HeldReading(ReadingReport(1.0, RowReport(1)), fell)))
    press.report(stalled=(StalledRun("run-7", "refresh_kpis", False, time.time() - 240),))
    spanish, english = (words(web.get(f"{SYSTEM}?lang={language}")) for language in ("es", "en"))
    assert "el número de certificados bajó un 50,0%, de 2.000 a 1.000" in spanish
    assert "el monto de los costos en CLP bajó un 97,5%, de $50.000.000 a $1.234.567" in spanish
    assert "repuestas el 28 jun 2024, 11:04" in spanish
    assert "rolled back on Jun 28, 2024, 11:04" in english
    assert "esperan, la más antigua desde hace 4 minutos: refresh_kpis (run-7)" in spanish
    for text in (spanish, english):
        verdict = text[text.index("kpi") : text.index("Product")]
        assert not re.search(r"\dT\d\d:\d\d:\d\dZ", verdict)
    assert "fell by" not in spanish


def test_a_product_that_is_being_rebuilt_names_the_run(web, press, client) -> None:
    press.publish()
    assert "Being rebuilt by" not in words(web.get(f"{SYSTEM}?lang=en"))
    assert Leases(client).take("charts", "run-9")
    page = web.get(f"{SYSTEM}?lang=en")
    assert words(page).count("Being rebuilt by run-9") == 1
    assert 'href="http://127.0.0.1:3000/runs/run-9"' in page.text


def test_where_a_generation_stands_in_its_life(press) -> None:
    (entry,) = press.publish("kpis")
    span = entry.fresh_until - entry.verified_at
    grace = entry.stale_until - entry.fresh_until
    assert life_of(entry, entry.verified_at).place == 0
    assert life_of(entry, entry.verified_at + span / 2).place == pytest.approx(25, abs=0.01)
    assert life_of(entry, entry.fresh_until + grace / 2).place == pytest.approx(75, abs=0.01)
    assert life_of(entry, entry.stale_until + 1).place == 100


def test_coverage_and_how_questions_went(web, press, client) -> None:
    press.publish("kpis", "dashboards")
    Coverage(client).record(
        "kpis", PrecomputeSetRecord(known=1_234, declared=9, left_out=30, requested=2, refused=4)
    )
    usage_counters = UsageCounters(client)
    usage_counters.add_reads("kpis", 30, {MissReason.NOT_PRECOMPUTED: 9, MissReason.CORRUPT: 1}, stale=7)
    usage_counters.add_misses("kpis", {(OF_MINE, MissReason.NOT_PRECOMPUTED): 9})
    usage_counters.add_requests("kpis", {EVERYTHING: 21, OF_MINE: 12})
    usage_counters.add_stale("kpis", {EVERYTHING: 7})
    text = words(web.get(f"{SYSTEM}?lang=en"))
    # Known, precomputed, no room, asked, missing, hits, stale, misses, rate.
    assert "kpis 1,234 1 34 2 1 30 7 10 75.0%" in text
    assert "Misses of kpis: 9 not precomputed, 1 corrupt." in text
    assert f"Client: {MINE} kpis not precomputed missing 9" in text
    # By variant: hits, stale, misses.
    assert "all certificates kpis precomputed 21.0 7.0 0.0" in text
    assert f"Client: {MINE} kpis missing 3.0 0.0 9.0" in text


def test_requests_that_wait_and_who_works_on_them(web, press, client) -> None:
    press.publish()
    assert "Last read of requests never" in words(web.get(f"{SYSTEM}?lang=en"))
    requests = Requests(client)
    requests.submit(RequestKind.WARM, "kpis", OF_MINE)
    requests.submit(RequestKind.REFRESH, "kpis", EVERYTHING)
    assert len(requests.pending("worker", 1)) == 1
    text = words(web.get(f"{SYSTEM}?lang=en"))
    assert "Requests waiting 1 Requests under way 1" in text
    assert re.search(r"Last read of requests \d+ seconds? ago", text)


def test_open_pages_that_are_notified_are_counted(web, press, client) -> None:
    press.publish()
    assert "Open pages that are notified cannot be read" in words(web.get(f"{SYSTEM}?lang=en"))
    report_listeners(client, "one", 1_234)
    assert "Open pages that are notified 1,234" in words(web.get(f"{SYSTEM}?lang=en"))
    assert "kpi_event_listeners 1234.0" in web.get("/metrics").get_data(as_text=True)


def test_alarms_are_counted(web, press, client) -> None:
    press.publish()
    assert "None in the last 24 hours." in words(web.get(f"{SYSTEM}?lang=en"))
    client.hincrby(ALARMS_KEY, "payload_corrupt", 3)
    assert "payload_corrupt 3" in words(web.get(f"{SYSTEM}?lang=en"))


def test_spanish_is_the_default_and_pages_are_linked(web, press) -> None:
    press.publish()
    page = web.get(SYSTEM)
    assert "<h1>Sistema</h1>" in page.text
    assert 'href="/manager/critical"' in page.text
    dashboard = web.get("/manager/dashboard?lang=es").text
    assert f'<a href="{SYSTEM}?lang=es">Sistema</a>' in dashboard


def test_an_empty_cache_is_shown_as_such(web) -> None:
    text = words(web.get(f"{SYSTEM}?lang=en"))
    assert text.count("Not published") == 4
    assert "Publish it with `kpi warm`." in text
    assert "All variants requested lately were precomputed." in text


def test_a_manifest_that_is_none_is_no_failure(web, client) -> None:
    client.hset(MANIFEST_KEY, "kpis", "x")
    assert "Not published" in words(web.get(f"{SYSTEM}?lang=en"))


def test_without_an_address_of_redis_it_says_what_to_do(settings_of) -> None:
    text = words(create_app(settings_of()).test_client().get(f"{SYSTEM}?lang=en"))
    assert "Start the system with `kpi up` or set REDIS_URL." in text


def test_what_cannot_be_read_says_so(settings_of) -> None:
    web = create_app(settings_of(REDIS_URL="redis://127.0.0.1:9/0")).test_client()
    text = words(web.get(f"{SYSTEM}?lang=en"))
    assert "Does not answer" in text
    assert UNREAD in text


def test_the_user_of_serving_may_read_it_all(press, client, cache_url, settings_of) -> None:
    press.publish()
    apply_acl(client, "pipe-pw", "serve-pw")
    web = create_app(
        settings_of(REDIS_URL=cache_url.replace("redis://", "redis://serving:serve-pw@"))
    ).test_client()
    try:
        assert UNREAD not in words(web.get(f"{SYSTEM}?lang=en"))
        # A server whose users were made by an earlier version permits less.
        client.execute_command("ACL", "SETUSER", "serving", "-zrevrangebyscore", "-xlen")
        text = words(web.get(f"{SYSTEM}?lang=en"))
        assert text.count(UNREAD) == 2
        assert text.count("Fresh") >= 4
    finally:
        client.execute_command("ACL", "DELUSER", "pipeline", "serving")


@pytest.mark.parametrize("language", ["es", "en"])
def test_it_leads_to_the_same_pages_as_every_page(language, web, press) -> None:
    press.publish()

    def pages(path: str) -> list[str]:
        head = (
            web.get(f"{path}?lang={language}").text.partition('class="wide pages"')[2].partition("</nav>")[0]
        )
        return re.findall(r">([^<>]+)</a>", head)

    named = pages("/manager/system")
    assert len(named) > 3
    assert named == pages("/manager/dashboard")
