"""Groups: words for several values, which nothing else is called."""

from kpi_pipeline.model.dimensions import STATE
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.groups import GROUPS
from kpi_pipeline.model.states import State


def test_pending_is_what_is_in_revision_or_sent() -> None:
    (pending,) = [group for group in GROUPS if group.name == "pendientes"]
    assert (pending.dimension, pending.values) == (STATE.name, (State.REVISION, State.SENT))


def test_no_group_is_called_like_a_state_or_another_group() -> None:
    spellings = [fold(spelling) for group in GROUPS for spelling in (group.name, *group.spellings)]
    spellings += [fold(state) for state in State]
    assert len(spellings) == len(set(spellings))
