"""The colours of figures: the only declaration that pages, pictures and specifications take theirs from.

Text keeps a contrast of 4.5 to 1 or more on the panel in both themes, on every shade of heat too.
"""

from typing import Final, Literal, NamedTuple, get_args

Theme = Literal["light", "dark"]
THEMES: Final[tuple[Theme, ...]] = get_args(Theme)


class Colour(NamedTuple):
    """One colour in each theme, as #rrggbb."""

    light: str
    dark: str

    def on(self, ground: "Colour", share: float) -> "Colour":
        """The colour that it gives where it covers a share of a ground."""
        return Colour(*(_mixed(own, under, share) for own, under in zip(self, ground, strict=True)))


def _mixed(own: str, under: str, share: float) -> str:
    pairs = [(int(own[at : at + 2], 16), int(under[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(upper * share + lower * (1 - share)):02x}" for upper, lower in pairs)


PANEL: Final = Colour("#ffffff", "#191f28")
"""Behind figures."""

LINE: Final = Colour("#dde1e7", "#2c3541")
"""Grid lines and borders."""

TEXT: Final = Colour("#1b2430", "#e6eaf0")
QUIET: Final = Colour("#566171", "#9aa6b5")
"""Labels and remarks."""

TRACK: Final = Colour("#eef1f5", "#222a35")
"""The place of a bar that is not filled."""

_BLUE: Final = Colour("#2f6fae", "#5a9bdb")
_GREEN: Final = Colour("#1b8a7a", "#3fb8a4")
_ORANGE: Final = Colour("#cc7433", "#de8b4c")
_YELLOW: Final = Colour("#c79a3a", "#d6ad55")
_RED: Final = Colour("#b8423a", "#e0695f")
_VIOLET: Final = Colour("#6b4fa0", "#b39ddb")
_SLATE: Final = Colour("#4c6a92", "#7f9dbd")
_PALE: Final = Colour("#b7c3d2", "#6b7c93")

MARK: Final = _BLUE
"""Marks that belong to no series."""

SERIES: Final[dict[str, Colour]] = {
    "proposed": _PALE,
    "approved": _BLUE,
    "paid": _GREEN,
    "receivable": _YELLOW,
    "overdue": _RED,
    "dso": _VIOLET,
    "cumulative_share": _VIOLET,
    "collected": _GREEN,
    "expected": _BLUE,
    "opex": _SLATE,
    "capex": _ORANGE,
    "revenue": _BLUE,
    "cost": _ORANGE,
    "margin": _GREEN,
    **{f"compared-{place}": colour for place, colour in enumerate((_BLUE, _ORANGE, _GREEN, _VIOLET), 1)},
}
"""The colour of each series, wherever it is drawn; `MARK` for a series without one."""

OTHERS: Final = _PALE
"""All the others together, beyond those that are named."""

AGES: Final = (Colour("#4c93c9", "#5a9bdb"), Colour("#6f8fb0", "#7f9dbd"), _YELLOW, _ORANGE, _RED)
"""Ageing buckets, the youngest first."""

HEAT: Final = tuple(Colour("#1b8a7a", "#2b8375").on(PANEL, share) for share in (0.12, 0.24, 0.36, 0.48, 0.6))
"""Cells above zero, from the smallest fifth of the largest amount to the largest."""


def custom_properties() -> dict[str, Colour]:
    """The CSS custom properties of the pages, by name without the dashes."""
    named = {"panel": PANEL, "line": LINE, "text": TEXT, "quiet": QUIET, "track": TRACK, "mark": MARK}
    named |= {f"series-{name}": colour for name, colour in SERIES.items()}
    named["series-others"] = OTHERS
    for stem, colours in (("age", AGES), ("heat", HEAT)):
        named |= {f"{stem}-{place}": colour for place, colour in enumerate(colours, 1)}
    return named
