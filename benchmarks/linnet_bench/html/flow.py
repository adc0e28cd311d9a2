"""Flow charts: boxes and arrows in reading order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from linnet.cli.console import shorten
from linnet_bench.html.axes import NARROW, label, picture
from linnet_bench.html.marks import legend
from linnet_bench.html.markup import Content, Markup, element

__all__ = ["Box", "flow_chart"]

_FEW = 12  # up to this number of boxes, a row has fewer, wider boxes
_LINE, _PADDING, _GAP_X, _GAP_Y = 16, 10, 30, 26


@dataclasses.dataclass(frozen=True)
class Box:
    """One step.

    Attributes:
        title: title of the box.
        lines: its content, one text a line.
        kind: index of its kind in the legend, which determines the colour.
        note: tooltip of the box.
    """

    title: str
    lines: Sequence[str] = ()
    kind: int = 0
    note: str = ""


def flow_chart(title: str, boxes: Sequence[Box], *, kinds: Sequence[str], description: str = "") -> Markup:
    """Return boxes from left to right and line by line, each with an arrow to the next.

    Args:
        title: caption of the chart.
        boxes: steps in their order, at least one.
        kinds: meaning of the colours.
        description: the finding in a sentence.

    Raises:
        ValueError: there is no box, or a box has an unknown kind.
    """
    if not boxes or not all(0 <= box.kind < len(kinds) for box in boxes):
        raise ValueError(f"expected at least one box, all of the kinds {list(kinds)}")

    def draw(width: int) -> tuple[float, list[Content]]:
        columns = _columns(len(boxes), width)
        gap = _GAP_X if width > NARROW else 20
        box_width = min((width - 4 - gap * (columns - 1)) / columns, 330.0)
        drawn: list[Content] = []
        top = 4.0
        for first in range(0, len(boxes), columns):
            line = boxes[first : first + columns]
            height = max(2 * _PADDING + _LINE * (1 + len(box.lines)) - 4 for box in line)
            for column, box in enumerate(line):
                left = 2 + column * (box_width + gap)
                drawn.append(_draw_box(box, left, top, box_width, height))
                if column + 1 < len(line):
                    drawn.append(_arrow(f"M{left + box_width} {top + height / 2:.1f}h{gap - 3}"))
            if first + columns < len(boxes):
                last = 2 + (len(line) - 1) * (box_width + gap) + box_width / 2
                drawn.append(_turn(last, top + height, 2 + box_width / 2))
            top += height + _GAP_Y
        return top - _GAP_Y + 4, drawn

    return picture(title, draw, legend(kinds), description=description)


def _columns(boxes: int, width: int) -> int:
    if width <= NARROW:
        return 1 if boxes <= _FEW else 2
    return 3 if 4 < boxes <= _FEW else min(boxes, 4)


def _draw_box(box: Box, left: float, top: float, width: float, height: float) -> Markup:
    room = int((width - 2 * _PADDING) / 6.7)
    content: list[Content] = [
        element("title", box.note or "; ".join([box.title, *box.lines])),
        element("rect", x=left, y=top, width=width, height=height, rx=6, class_="box"),
        # for colour-blind readers a bar at the edge shows the kind too: wide for even kinds, thin for odd ones
        element("rect", x=left, y=top, width=6 if box.kind % 2 == 0 else 3, height=height, rx=1, class_="edge"),
        label(shorten(box.title, room), left + _PADDING + 4, top + _PADDING + 10, class_="strong"),
    ]
    for index, line in enumerate(box.lines):
        y = top + _PADDING + 10 + _LINE * (index + 1)
        content.append(label(shorten(line, room), left + _PADDING + 4, y, class_="name"))
    return element("g", content, class_=f"series-{box.kind % 6}")


def _turn(x: float, y: float, back: float) -> Markup:
    middle = y + _GAP_Y / 2
    path = f"M{x:.1f} {y:.1f}V{middle:.1f}H{back:.1f}V{y + _GAP_Y - 3:.1f}"
    return _arrow(path)


def _arrow(path: str) -> Markup:
    """Return a line with an arrow head at its end: to the right for ``h``, down for ``V``."""
    numbers = path[1:].replace("h", " h").replace("V", " V").replace("H", " H").split()
    if numbers[-1].startswith("h"):
        x, y = float(numbers[0]) + float(numbers[-1][1:]), float(numbers[1])
        head = f"M{x + 3:.1f} {y:.1f}l-7 -4v8z"
    else:
        x, y = float(numbers[-2][1:]), float(numbers[-1][1:])
        head = f"M{x:.1f} {y + 3:.1f}l-4 -7h8z"
    return element("g", element("path", d=path, class_="arrow"), element("path", d=head, class_="head"))
