"""Series styles of charts: colours, and marker shapes and dashes for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from linnet_bench.html.markup import Markup, element

__all__ = ["dashes", "legend", "marker", "square"]

_DASHES = (None, "7 4", "2 3", "9 3 2 3", "4 4", "1 4")


def dashes(index: int) -> str | None:
    """Return the `stroke-dasharray` of a series; the first line is solid."""
    return _DASHES[index % len(_DASHES)]


def marker(index: int, x: float, y: float, size: float = 3.5) -> Markup:
    """Return the marker of a series, centred at ``x``, ``y``: circle, square, diamond or triangle."""
    kind = index % 4
    if kind == 0:
        return element("circle", cx=x, cy=y, r=size, class_="marker")
    if kind == 1:
        return element("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, class_="marker")
    reach = size * 1.4
    paths = {
        2: f"M{x:.1f} {y - reach:.1f}l{reach} {reach}l{-reach} {reach}l{-reach} {-reach}z",
        3: f"M{x:.1f} {y - reach:.1f}l{reach} {1.8 * reach}h{-2 * reach}z",
    }
    return element("path", d=paths[kind], class_="marker")


def square(index: int, x: float, y: float, size: float = 3.5) -> Markup:
    """Return a square for any series."""
    return element("rect", x=x - 5, y=y - 5, width=10, height=10, rx=2, class_="bar")


def legend(names: Sequence[str], mark: Callable[[int, float, float, float], Markup] = square) -> Markup | None:
    """Return the legend of the marks; None if there is only one name."""
    if len(names) < 2:
        return None
    items = [
        element("li", _swatch(mark(index, 7, 7, 4.5), index), element("bdi", name)) for index, name in enumerate(names)
    ]
    return element("ul", items, class_="legend")


def _swatch(mark: Markup, index: int) -> Markup:
    return element(
        "svg", mark, width=14, height=14, viewBox="0 0 14 14", class_=f"swatch series-{index % 6}", aria_hidden="true"
    )
