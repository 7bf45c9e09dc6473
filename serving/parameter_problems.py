"""Problems of query parameters that are no filter: what they cannot be, and what they could be."""

from collections.abc import Callable, Sequence

from kpi_pipeline.model.labels import Text
from serving.filter_faults import AllowedValues
from serving.problem_types import ProblemType
from serving.problems import Problem


def value_problem(
    kind: ProblemType,
    parameter: str,
    value: str | None,
    allowed: Sequence[str],
    *,
    blamed: Callable[[str, str], bool],
    labels: Sequence[Text] = (),
    cause: Text | None = None,
) -> Problem:
    """The problem of a value that a parameter cannot have.

    Args:
        kind: What went wrong.
        parameter: As it is written in the address.
        value: Likewise; None where none is given.
        allowed: What it could be.
        blamed: Whether a query parameter, by name and value, is at fault.
        labels: What it could be as people read it; as programs do by default.
        cause: What is wrong; by default that the parameter cannot be this.
    """
    return Problem(
        kind,
        cause or Text(f"«{parameter}» no puede ser «{value}».", f'"{parameter}" cannot be "{value}".'),
        members={"parameter": parameter, "value": value, "allowed": list(allowed)},
        blamed=blamed,
        allowed=(AllowedValues(None, tuple(labels) or tuple(Text(one, one) for one in allowed)),),
    )


def only_once(parameter: str) -> Text:
    """That a parameter is given several times where it can be given once, as a sentence."""
    return Text(f"«{parameter}» se indica una sola vez.", f'"{parameter}" can be given only once.')
