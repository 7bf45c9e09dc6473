"""The tables of docs/reliability.md, written from what `make sweep` has measured."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from docs.generate.markdown import table

PAGE: Final = Path(__file__).parents[1] / "reliability.md"
RESULTS: Final = Path(__file__).with_suffix(".json")
"""What the tests of faults and of generated inputs wrote: by test what it did and what came of it."""

_BEGIN: Final = "<!-- written by `make sweep`: begin -->\n"
_INPUTS_BEGIN: Final = "<!-- inputs, written by `make sweep`: begin -->\n"
_AUDITS_BEGIN: Final = "<!-- audit, written by `make sweep`: begin -->\n"
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
    """The page with the tables of the results in their places, in Markdown."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    inputs = {test: result for test, result in results.items() if "border" in result}
    audits = {test: result for test, result in results.items() if "product" in result}
    faults = {test: result for test, result in results.items() if test not in inputs | audits}
    written = _placed(PAGE.read_text(encoding="utf-8"), _BEGIN, _rows(faults))
    written = _placed(written, _INPUTS_BEGIN, _input_rows(inputs))
    return _placed(written, _AUDITS_BEGIN, _audit_rows(audits))


def _placed(text: str, begin: str, rows: str) -> str:
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(_END)
    return f"{before}{begin}\n{rows}\n{_END}{after}"


def _input_rows(results: dict[str, Any]) -> str:
    """A row of each border, and one of all."""
    rows = sorted(results.values(), key=lambda one: -one["tries"])
    tried = sum(one["tries"] for one in rows)
    return table(
        ("What comes in", "Inputs", "Other errors", "Memory, MiB more", "Seconds"),
        [
            *(
                (one["border"], f"{one['tries']:,}", "0", str(one["grown_mib"]), str(one["seconds"]))
                for one in rows
            ),
            ("all", f"{tried:,}", "0", "", str(sum(one["seconds"] for one in rows))),
        ],
    )


def _audit_rows(results: dict[str, Any]) -> str:
    """A row of each product that was audited."""
    return table(
        ("Product", "Variants", "Figures", "That differ", "Agree at least"),
        (
            (
                f"`{one['product']}`",
                f"{one['variants']:,}",
                f"{one['figures']:,}",
                f"{one['disagreeing']:,}",
                f"{one['least_share']:.4%}",
            )
            for one in sorted(results.values(), key=lambda one: str(one["product"]))
        ),
    )


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
