"""Problems of query parameters that are no filter: what they cannot be, and what they could be."""

from collections.abc import Callable, Sequence

from kpi_pipeline.model.labels import Text
from kpi_pipeline.model.query_parameters import AcceptedParameters
from serving.dates import day_choice, value_text
from serving.filter_faults import AllowedValues
from serving.problem_types.entry import ProblemType
from serving.problems import Problem


def value_problem(
    kind: ProblemType,
    accepted: AcceptedParameters,
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
        accepted: What the address accepts: it names the parameter.
        parameter: As it is written in the address.
        value: Likewise; None where none is given.
        allowed: What it could be.
        blamed: Whether a query parameter, by name and value, is at fault.
        labels: What it could be as people read it; by default as programs do, and days as days.
        cause: What is wrong; by default that the parameter cannot be this.
    """
    if cause is None:
        named, shown = accepted.named(parameter), value_text(value or "")
        cause = Text(
            f"{named.es} no puede ser «{shown.es}».",
            f'{named.en} cannot be "{shown.en}".',
        )
    return Problem(
        kind,
        cause,
        members={"parameter": parameter, "value": value, "allowed": list(allowed)},
        blamed=blamed,
        allowed=(AllowedValues(None, tuple(labels) or tuple(map(day_choice, allowed))),),
    )


def only_value(
    kind: ProblemType, accepted: AcceptedParameters, given: Sequence[tuple[str, str]]
) -> tuple[str, str] | None:
    """The only value of a parameter, with its spelling; None where none is given.

    Args:
        kind: What goes wrong where there are several values.
        accepted: What the address accepts.
        given: What is given of the parameter, as `AcceptedParameters.taken_from` has it.

    Raises:
        Problem: If there are several values.
    """
    different = next((pair for pair in given if pair[1] != given[0][1]), None)
    if different is None:
        return given[0] if given else None
    named = accepted.named(different[0])
    raise value_problem(
        kind,
        accepted,
        *different,
        (given[0][1],),
        blamed=lambda name, value: (name, value.strip()) == different,
        cause=Text(f"{named.es} se indica una sola vez.", f"{named.en} can be given only once."),
    )
