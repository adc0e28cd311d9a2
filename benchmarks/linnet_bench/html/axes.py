"""Scales, ticks and the frame of a chart."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Literal

from linnet_bench.html.figures import significant
from linnet_bench.html.markup import Content, Markup, element

__all__ = [
    "NARROW",
    "WIDE",
    "Axis",
    "Canvas",
    "Scale",
    "draw_frame",
    "fit_scale",
    "label",
    "picture",
    "text_width",
]

WIDE, NARROW = 760, 344
"""Widths in pixels of the two drawings of a chart: for a desktop, and for a phone of 390 pixels."""

_CHARACTER = 6.6  # average width of a character of the 12-pixel text, in pixels


@dataclasses.dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes:
        label: the quantity.
        unit: its unit, empty for a pure number.
        log: logarithmic; every value has to be positive.
        better: whether low or high values are better; shown, and needed for a Pareto front.
        ticks: positions of the numbers; empty: chosen automatically.
        from_zero: a linear axis starts at zero.
        most: largest possible value, beyond which a linear axis has no margin; 1 for shares.
        whole: the values are whole numbers, and so are the ticks.
    """

    label: str
    unit: str = ""
    _: dataclasses.KW_ONLY
    log: bool = False
    better: Literal["low", "high"] | None = None
    ticks: Sequence[float] = ()
    from_zero: bool = False
    most: float = math.inf
    whole: bool = False

    @property
    def title(self) -> str:
        """Return label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def hint(self) -> str:
        """Return label, unit, and which end is better."""
        return self.title + {"low": ", lower is better", "high": ", higher is better", None: ""}[self.better]


@dataclasses.dataclass(frozen=True)
class Scale:
    """Mapping from values to pixels.

    Attributes:
        low, high: the values at the ends.
        start, end: the pixels at the ends.
        log: logarithmic.
        ticks: values with a number.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values outside are placed at the nearer end."""
        value = min(max(value, self.low), self.high)
        low, high, at = (math.log(number) for number in (self.low, self.high, value)) if self.log else (
            self.low, self.high, value,
        )  # fmt: skip
        return self.start + (self.end - self.start) * ((at - low) / (high - low) if high > low else 0.5)


@dataclasses.dataclass(frozen=True)
class Canvas:
    """The plot area inside a drawing, in pixels."""

    width: float
    height: float
    left: float = 56
    right: float = 16
    top: float = 30
    bottom: float = 44


def fit_scale(axis: Axis, values: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale that contains all values, with some margin.

    Raises:
        ValueError: there is no value, one is not finite, or one is not positive on a logarithmic axis.
    """
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"{axis.label}: expected at least one value, all of them finite")
    if axis.log and min(values) <= 0:
        raise ValueError(f"{axis.label}: a logarithmic axis needs positive values, found {min(values)}")
    most = max(2, int(abs(end - start) / (64 if end > start else 40)))
    if axis.log:
        low, high = min(values), max(values)
        room = max(math.log(high / low) * 0.04, 0.05)
        low, high = low * math.exp(-room), high * math.exp(room)
        ticks = axis.ticks or _log_ticks(low, high, most)
    else:
        low, high = (min(0.0, min(values)) if axis.from_zero else min(values)), max(values)
        room = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
        low = low if axis.from_zero and low == 0 else low - room
        high = max(high, min(high + room, axis.most))
        ticks = axis.ticks or _linear_ticks(low, high, most, whole=axis.whole)
    return Scale(low, high, start, end, axis.log, tuple(tick for tick in ticks if low <= tick <= high))


def _linear_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    rough = max((high - low) / most, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 5, 10) if whole else (1, 2, 2.5, 5, 10)
    step = next(factor * power for factor in factors if factor * power >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(multiple * step, 12) for multiple in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [10.0**exponent for exponent in range(first, last + 1)]
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * decade for decade in decades for factor in factors if low <= factor * decade <= high]
        if len(ticks) <= most:
            break
    else:
        ticks = ticks[:: math.ceil(len(ticks) / most)]
    return ticks if len(ticks) >= 2 else _linear_ticks(low, high, most)


def draw_frame(canvas: Canvas, x: Axis, x_scale: Scale, y: Axis, y_scale: Scale) -> list[Markup]:
    """Return grid, numbers and titles of both axes."""
    bottom = canvas.height - canvas.bottom
    drawn = []
    for tick, text in zip(y_scale.ticks, _tick_texts(y_scale.ticks), strict=True):
        at = y_scale(tick)
        drawn.append(element("line", x1=canvas.left, x2=canvas.width - canvas.right, y1=at, y2=at, class_="grid"))
        drawn.append(label(text, canvas.left - 6, at + 4, anchor="end", class_="tick"))
    free = -math.inf
    for tick, text in zip(x_scale.ticks, _tick_texts(x_scale.ticks), strict=True):
        at = x_scale(tick)
        drawn.append(element("line", x1=at, x2=at, y1=canvas.top, y2=bottom, class_="grid"))
        if at - text_width(text) / 2 > free:
            drawn.append(label(text, at, bottom + 17, anchor="middle", class_="tick"))
            free = at + text_width(text) / 2 + 4
    drawn.append(
        element("path", d=f"M{canvas.left} {canvas.top}V{bottom}H{canvas.width - canvas.right}", class_="axis")
    )
    drawn.append(label(y.hint, 2, canvas.top - 14, class_="title"))
    drawn.append(label(x.hint, canvas.width - canvas.right, canvas.height - 6, anchor="end", class_="title"))
    return drawn


def _tick_texts(ticks: Sequence[float]) -> list[str]:
    """Return the tick labels, all with as many digits as the one that needs most."""
    for digits in range(1, 6):
        texts = [f"{tick:.{digits}g}" for tick in ticks]
        if all(math.isclose(float(text), tick, rel_tol=1e-9, abs_tol=1e-15)
               for text, tick in zip(texts, ticks, strict=True)):  # fmt: skip
            break
    plain = [significant(tick, 6).rstrip("0").rstrip(".") if "." in significant(tick, 6) else significant(tick, 6)
             for tick in ticks]  # fmt: skip
    return plain if all("e" not in text for text in plain) else [f"{tick:.{digits}g}" for tick in ticks]


def label(text: str, x: float, y: float, *, anchor: str = "start", class_: str | None = None) -> Markup:
    """Return a text element of a drawing; ``y`` is its base line."""
    return element("text", text, x=x, y=y, text_anchor=None if anchor == "start" else anchor, class_=class_)


def text_width(text: str) -> float:
    """Return the approximate width of a text in pixels."""
    return _CHARACTER * sum(2 if ord(character) > 0x2E7F else 1 for character in text)


def picture(
    title: str, draw: Callable[[int], tuple[float, Sequence[Content]]], *more: Content, description: str = ""
) -> Markup:
    """Return a figure: its title, the drawing in both sizes, and the content below it.

    Args:
        title: caption of the figure.
        draw: width in pixels -> (height, content of the drawing).
        more: legend and table.
        description: the finding in a sentence, for readers who cannot see it; also shown below the title.
    """
    drawings = []
    for width, size in ((WIDE, "wide"), (NARROW, "narrow")):
        height, content = draw(width)
        drawings.append(
            element(
                "svg",
                element("title", title),
                element("desc", description) if description else None,
                content,
                viewBox=f"0 0 {width} {height:.0f}",
                width=width,
                height=round(height),
                role="img",
                class_=size,
            )
        )
    note = element("p", description, class_="note") if description else None
    return element("figure", element("figcaption", title), note, *drawings, *more)
