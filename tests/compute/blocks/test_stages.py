"""Stages: mean days of each, and the slowest."""

from datetime import date

from kpi_pipeline.compute.blocks.stages import stages


def test_each_stage_has_its_mean_over_those_that_passed_it(piece_of) -> None:
    (found,) = stages(piece_of())
    assert found == {
        "stages": [
            {"stage": "issue_to_sent", "days": (5 + 5 + 2 + 4) / 4, "count": 4},
            {"stage": "sent_to_conformity", "days": 10.0, "count": 2},
            {"stage": "conformity_to_payment", "days": 81.0, "count": 1},
        ],
        "bottleneck": "conformity_to_payment",
    }


def test_the_bottleneck_is_the_first_of_equals_and_none_of_nothing(piece_of) -> None:
    row = {
        "state": "validado",
        "issued_on": date(2024, 1, 1),
        "sent_on": date(2024, 1, 4),
        "conformity_on": date(2024, 1, 7),
    }
    even, nothing = stages(piece_of({}, {"client": "nobody"}, certificates=[row], costs=()))
    assert [one["days"] for one in even["stages"]] == [3.0, 3.0, None]
    assert even["bottleneck"] == "issue_to_sent"
    assert nothing["bottleneck"] is None
    assert {one["count"] for one in nothing["stages"]} == {0}
