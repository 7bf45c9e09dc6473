"""Boxes and arrows as SVG, on a ground of their own: legible on light and dark pages."""

from html import escape
from typing import Final

_INK, _LINE, _GROUND, _EDGE = "#1f2933", "#52606d", "#ffffff", "#cbd2d9"
TINTS: Final = {
    "blue": "#e3eefc",
    "green": "#e3f4e6",
    "amber": "#fdf3d7",
    "grey": "#f0f2f5",
    "rose": "#fde8e8",
}
_FONT: Final = "font-family='system-ui, sans-serif' font-size='13'"


class Picture:
    """A picture to which boxes and arrows are added.

    Args:
        title: What it shows, for those who do not see it.
        width: In pixels.
        height: In pixels.
    """

    def __init__(self, title: str, width: int, height: int) -> None:
        self._title, self._width, self._height = title, width, height
        self._parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, lines: list[str], tint: str = "grey"
    ) -> None:
        """A box whose first line is bold; positions are of its upper left corner."""
        self._parts.append(
            f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='6' fill='{TINTS[tint]}' "
            f"stroke='{_EDGE}'/>"
        )
        first = y + height / 2 + 4.5 - 8.5 * (len(lines) - 1)
        for at, line in enumerate(lines):
            self.text(x + width / 2, first + 17 * at, line, bold=at == 0)

    def text(self, x: float, y: float, text: str, *, bold: bool = False, anchor: str = "middle") -> None:
        """A line of text."""
        weight = " font-weight='600'" if bold else ""
        self._parts.append(
            f"<text x='{x:g}' y='{y:g}' text-anchor='{anchor}' fill='{_INK}'{weight} {_FONT}>"
            f"{escape(text)}</text>"
        )

    def arrow(self, x1: float, y1: float, x2: float, y2: float, *, dashed: bool = False) -> None:
        """An arrow; a slanted one leaves and arrives level."""
        middle = (x1 + x2) / 2
        path = f"M{x1:g} {y1:g} L{x2:g} {y2:g}"
        if x1 != x2 and y1 != y2:
            path = f"M{x1:g} {y1:g} C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"
        dash = " stroke-dasharray='5 4'" if dashed else ""
        self._parts.append(
            f"<path d='{path}' fill='none' stroke='{_LINE}' stroke-width='1.3'{dash} "
            "marker-end='url(#head)'/>"
        )

    def svg(self) -> str:
        """The picture as a file."""
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {self._width} {self._height}' "
            f"width='{self._width}' height='{self._height}' role='img'>\n"
            f"<title>{escape(self._title)}</title>\n"
            "<defs><marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
            f"orient='auto'><path d='M0 0 L8 4 L0 8 z' fill='{_LINE}'/></marker></defs>\n"
            f"<rect width='{self._width}' height='{self._height}' rx='8' fill='{_GROUND}'/>\n"
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )
