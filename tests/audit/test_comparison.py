"""Two answers are compared figure by figure, to the last digit."""

from typing import Any

import pytest

from kpi_pipeline.audit.comparison import MOST_SHOWN, compare

ANSWER = {"kpis": {"dso": [{"currency": "CLP", "value": 41.5, "spark": [1, None]}]}}


def test_equal_answers_agree_in_every_figure() -> None:
    assert compare(ANSWER, ANSWER) == (4, [])


@pytest.mark.parametrize(
    ("published", "recomputed"), [(41.5, 41.50000000000001), (0, 0.0), (0, False), (None, 0), (-0.0, 0.0)]
)
def test_a_figure_that_differs_is_named_with_both_values(published: Any, recomputed: Any) -> None:
    found = compare({"dso": [{"value": published}]}, {"dso": [{"value": recomputed}]})
    (difference,) = found.differences
    assert difference.path == "dso[0].value"
    assert difference.published != difference.recomputed


def test_what_is_missing_or_more_differs_once() -> None:
    assert len(compare({"a": [1, 2]}, {"a": [1, 2, 3]}).differences) == 1
    assert len(compare({"a": 1}, {"a": 1, "b": 2}).differences) == 1


def test_a_long_value_is_shortened() -> None:
    (difference,) = compare({"a": 1}, {"a": list(range(1_000))}).differences
    assert len(difference.recomputed) == MOST_SHOWN + 1
