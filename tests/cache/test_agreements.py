"""What audits found, shown to serving; a product whose figures disagree is held."""

from dataclasses import replace

from kpi_pipeline.cache.agreements import (
    hold_of,
    is_doubted,
    publish_agreement,
    published_agreements,
    release,
)
from kpi_pipeline.model.agreement import Agreement, Disagreement, Hold

FALSE = Disagreement("kpis", "kpis-1", {}, "kpis.dso[0].value", "41.5", "40.5")
DISAGREES = Agreement("kpis", "kpis-1", 1.0, 2, 1_000, disagreeing=1, too_large=0, first=(FALSE,))
AGREES = replace(DISAGREES, disagreeing=0, first=())


def test_a_product_is_held_until_an_audit_agrees(client) -> None:
    assert published_agreements(client).by_product == {}
    publish_agreement(client, DISAGREES)
    found = published_agreements(client)
    assert found.by_product == {"kpis": DISAGREES}
    assert found.holds == {"kpis": Hold.of(DISAGREES)}
    assert hold_of(client, "kpis") == Hold.of(DISAGREES)
    assert hold_of(client, "charts") is None
    publish_agreement(client, AGREES)
    assert published_agreements(client).holds == {}


def test_an_audit_of_other_variants_releases_nothing(client) -> None:
    publish_agreement(client, DISAGREES)
    publish_agreement(client, AGREES, releases=False)
    assert hold_of(client, "kpis") is not None


def test_what_is_released_is_doubted_until_it_is_replaced(client) -> None:
    publish_agreement(client, DISAGREES)
    assert release(client, "kpis")
    assert not release(client, "kpis")
    assert hold_of(client, "kpis") is None
    assert is_doubted(client, "kpis", "kpis-1")
    assert not is_doubted(client, "kpis", "kpis-2")
    assert not is_doubted(client, "charts", "charts-1")
