"""One kind of problem."""

from dataclasses import dataclass

from kpi_pipeline.model.labels import Language, Text


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem.

    Attributes:
        slug: Stable name; `/problems/<slug>` is its type URI and a page that explains it.
        status: HTTP status.
        title: What it is.
        advice: What a reader can do about it, without paths, hosts and commands.
        remedy: What programmers and operators can do about it; programs get it after the advice. None where
            there is nothing more.
    """

    slug: str
    status: int
    title: Text
    advice: Text
    remedy: Text | None = None

    @property
    def uri(self) -> str:
        """The type URI, relative to the server."""
        return f"/problems/{self.slug}"

    def explanation(self, language: Language, *, for_programs: bool) -> str:
        """What to do about it: the advice, and for programs the remedy too."""
        advice = self.advice.into(language)
        return f"{advice} {self.remedy.into(language)}" if self.remedy and for_programs else advice
