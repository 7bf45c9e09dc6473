"""The reference of problems that the HTTP API reports, generated from their declarations."""

from docs.generate.markdown import generated_from, prose, table
from serving.problem_types import PROBLEM_TYPES


def page() -> str:
    """The page, in Markdown."""
    rows = [
        (
            f"`{slug}`",
            str(problem.status),
            prose(problem.title.en),
            prose(problem.explanation("en", for_programs=True)),
        )
        for slug, problem in PROBLEM_TYPES.items()
    ]
    return (
        f"# Problems\n\n{generated_from('serving/problem_types')}\n\n"
        "Errors of the HTTP API are problem details (RFC 9457, `application/problem+json`). `type` is "
        "`/problems/` and one of these names; that address explains it to readers in their language, "
        "without commands and settings.\n\n" + table(("Name", "Status", "Title", "What to do"), rows)
    )
