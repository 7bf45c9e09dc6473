"""The signs of workers: the last of each, until it has ended or is long gone."""

import time

from kpi_pipeline.cache.keys import WORKERS_KEY
from kpi_pipeline.cache.worker_signs import FORGOTTEN_S, forget_worker, give_sign, last_signs


def test_each_sign_of_a_worker_differs_from_the_one_before(client) -> None:
    assert last_signs(client) == {}
    give_sign(client, "kpi@here")
    first = last_signs(client)
    give_sign(client, "kpi@there")
    assert last_signs(client)["kpi@here"] == first["kpi@here"]
    give_sign(client, "kpi@here")
    assert last_signs(client)["kpi@here"] != first["kpi@here"]


def test_a_worker_that_has_ended_or_is_long_gone_is_none(client) -> None:
    for worker in ("kpi@here", "kpi@there"):
        give_sign(client, worker)
    client.hset(WORKERS_KEY, "kpi@gone", repr(time.time() - FORGOTTEN_S - 1))
    forget_worker(client, "kpi@there")
    assert set(last_signs(client)) == {"kpi@here"}
    assert client.hkeys(WORKERS_KEY) == [b"kpi@here"]
