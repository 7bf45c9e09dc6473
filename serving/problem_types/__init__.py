"""The kinds of problem that serving reports: stable names, titles and what to do about each."""

from typing import Final

from serving.problem_types import access, figures, requests
from serving.problem_types.entry import ProblemType

PROBLEM_TYPES: Final = {
    kind.slug: kind
    for module in (access, figures, requests)
    for kind in vars(module).values()
    if isinstance(kind, ProblemType)
}
"""Every kind, by its slug."""
