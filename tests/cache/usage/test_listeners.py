"""How many pages listen, summed over the processes that they listen to."""

import pytest

from kpi_pipeline.cache.keys import LISTENERS_KEY
from kpi_pipeline.cache.usage.listeners import SILENT_S, listeners, report_listeners

NOW = 1_790_000_000.0


def test_processes_that_reported_lately_count_together(client) -> None:
    assert listeners(client) is None
    report_listeners(client, "one", 3, lambda: NOW)
    report_listeners(client, "other", 4, lambda: NOW - SILENT_S / 2)
    report_listeners(client, "ended", 9, lambda: NOW - 2 * SILENT_S)
    assert listeners(client, lambda: NOW) == 7
    report_listeners(client, "one", 0, lambda: NOW)
    assert listeners(client, lambda: NOW) == 4
    assert client.ttl(LISTENERS_KEY) > 0
    assert listeners(client, lambda: NOW + 3 * SILENT_S) is None


@pytest.mark.parametrize("text", [b"", b"x", b"3", b"x y"])
def test_what_is_no_report_does_not_count(client, text) -> None:
    client.hset(LISTENERS_KEY, "damaged", text)
    report_listeners(client, "one", 3, lambda: NOW)
    assert listeners(client, lambda: NOW) == 3
