"""Alarms: logged and counted, once for each subject, also when they cannot be counted."""

import logging

from kpi_pipeline.cache.alarms import KEPT_S, Alarms
from kpi_pipeline.cache.connection import connect_reader
from kpi_pipeline.cache.keys import ALARMS_KEY


def test_each_subject_is_logged_and_counted_once(each_client, caplog) -> None:
    alarms = Alarms(each_client)
    for subject in ("a", "b", "a"):
        alarms.sound("lost", subject, "refresh")
    alarms.sound("broken", "a", "refresh")
    assert each_client.hgetall(ALARMS_KEY) == {b"lost": b"2", b"broken": b"1"}
    assert [record.getMessage() for record in caplog.records] == [
        "lost: a: refresh",
        "lost: b: refresh",
        "broken: a: refresh",
    ]


def test_counts_go_when_no_alarm_was_raised_for_a_while(each_client) -> None:
    alarms = Alarms(each_client)
    alarms.sound("lost", "a", "refresh")
    each_client.expire(ALARMS_KEY, 5)
    alarms.sound("lost", "b", "refresh")
    assert 5 < each_client.ttl(ALARMS_KEY) <= KEPT_S


def test_an_alarm_that_cannot_be_counted_is_still_logged(caplog) -> None:
    with connect_reader("redis://127.0.0.1:1/0") as nowhere:
        Alarms(nowhere).sound("lost", "a", "refresh")
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
