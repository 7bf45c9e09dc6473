"""The table of docs/reliability.md, written from what `make sweep` has measured."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from docs.generate.markdown import table

PAGE: Final = Path(__file__).parents[1] / "reliability.md"
RESULTS: Final = Path(__file__).with_suffix(".json")
"""What the tests of faults wrote: by test what it did and what came of it."""

_BEGIN: Final = "<!-- written by `make sweep`: begin -->\n"
_END: Final = "<!-- end -->"
_COUNTS: Final = {
    "Tries": "tries",
    "Answers": "reads",
    "Wrong": "wrong",
    "Mixed": "mixed",
    "Refused": "refused",
    "Lost": "lost",
    "Unavailable": "unavailable",
}
"""By head of a column what of a result it adds up."""

_HEAD: Final = ("Fault", *_COUNTS, "Recovery, s", "Repeat with")


def page() -> str:
    """The page with the table of the results in its place, in Markdown."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_rows(json.loads(RESULTS.read_text(encoding='utf-8')))}\n{_END}{after}"


def _rows(results: dict[str, Any]) -> str:
    """A row of each fault: the servers on which it was tried are added up."""
    faults: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for _, result in sorted(results.items()):
        faults[result["fault"], result["command"]].append(result)
    return table(
        _HEAD,
        (
            (
                fault,
                *(_sum(one.get(name) for one in of) for name in _COUNTS.values()),
                _longest(one["recovery_s"] for one in of),
                f"`{command}`",
            )
            for (fault, command), of in faults.items()
        ),
    )


def _sum(counts: Iterable[int | None]) -> str:
    """The sum; a dash where a result that was measured earlier does not count that apart."""
    measured = list(counts)
    return "-" if None in measured else f"{sum(one or 0 for one in measured):,}"


def _longest(seconds: Iterable[float | None]) -> str:
    measured = [one for one in seconds if one is not None]
    return f"{max(measured):.1f}" if measured else "-"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name}\n")
