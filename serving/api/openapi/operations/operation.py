"""One operation of the API, and what many share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from kpi_pipeline.model.filter_parameters import FILTERS_ALONE
from serving.api.openapi.answers import (
    OF_ACCESS,
    OF_CHANGES,
    Answer,
    both_answers,
    problems,
)
from serving.api.openapi.json_schema import Schema
from serving.api.openapi.parameters import form_of, names_of, refer
from serving.forms import FORM_TYPES
from serving.lookup import FIGURE_PARAMETERS
from serving.problem_types.access import TOO_MANY_REQUESTS
from serving.problem_types.entry import ProblemType
from serving.problem_types.figures import (
    CACHE_EMPTY,
    CACHE_UNAVAILABLE,
    EXPIRED,
    FILTER_CONFLICT,
    FILTER_NOT_KEPT,
    FILTER_ROLLED_BACK,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    NOT_READY,
    UNKNOWN_FILTER,
    UNKNOWN_FILTER_VALUE,
)

NO_FIGURES: Final = (CACHE_UNAVAILABLE, CACHE_EMPTY, NOT_READY)
BAD_FILTER: Final = (UNKNOWN_FILTER, UNKNOWN_FILTER_VALUE, FILTER_CONFLICT)
FILTERED: Final = (
    *BAD_FILTER,
    INVALID_DATE,
    NO_MONTH_END,
    NO_MONTH_ENDS,
    FILTER_NOT_KEPT,
    FILTER_ROLLED_BACK,
    TOO_MANY_REQUESTS,
    EXPIRED,
    *NO_FIGURES,
)
FILTERS: Final = names_of(FILTERS_ALONE)
FIGURES: Final = names_of(FIGURE_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        id: Stable name.
        method: HTTP method.
        path: Its address.
        tag: One of `TAGS`.
        summary: What it does, in a few words.
        answers: What it answers by status, besides problems.
        problems: Kinds of problem that it answers with, besides those of any request.
        parameters: Names of `parameters.parameters`.
        text: What else to know.
        form: Names of the parameters that a form in its body may have.
        security: How it is protected; None where it is not.
        as_page: Whether a client that prefers a page gets one.
        body: The schema of a body of any format; None without one.
        is_public: Whether everybody may request it, also where access is controlled.
    """

    id: str
    method: Literal["get", "post"]
    path: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    problems: Sequence[ProblemType] = ()
    parameters: Sequence[str] = ()
    text: str = ""
    form: Sequence[str] = ()
    security: list[dict[str, list[str]]] | None = None
    as_page: bool = False
    body: Schema | None = field(default=None)
    is_public: bool = False

    def described(self) -> dict[str, Any]:
        """It as an Operation Object."""
        of_access = () if self.is_public else OF_ACCESS if self.method == "get" else OF_CHANGES
        kinds = (*self.problems, *of_access)
        answers = dict(self.answers)
        for status, problem_answer in problems(kinds, as_page=self.as_page).items():
            answers[status] = both_answers(answers.get(status), problem_answer)
        made: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": refer(*self.parameters),
            "responses": {str(status): answers[status] for status in sorted(answers)},
        }
        if self.text:
            made["description"] = self.text
        if self.form:
            schema = form_of(self.form)
            made["requestBody"] = {"content": {media_type: {"schema": schema} for media_type in FORM_TYPES}}
        if self.body is not None:
            made["requestBody"] = {"content": {"*/*": {"schema": self.body}}}
        if self.is_public:
            made["security"] = []
        elif self.security is not None:
            made["security"] = self.security
        return made
