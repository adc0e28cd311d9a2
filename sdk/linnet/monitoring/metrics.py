"""Registry of metrics: counters, gauges and histograms of bounded memory that several threads fill."""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.snapshot import FORMAT, VERSION
from linnet.monitoring.table import BY_NAME, LABELS, OTHER, REGISTERED, Metric

__all__ = ["MOST_CLASSES", "MOST_MODELS", "MOST_SERIES", "Metrics"]

MOST_MODELS = 64
MOST_CLASSES = 256
MOST_SERIES = 20_000
"""Most combinations of a metric and its labels; about 14 MB."""

_MOST_ALIASES = 4 * MOST_SERIES  # one series may be named with its labels in several orders
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,63}")
_MOST_CLASS_LENGTH = 64

_Key = tuple[str, tuple[tuple[str, Any], ...]]


class _Cell:
    """One series: a value, or the counts of a histogram with their sum."""

    __slots__ = ("bounds", "counts", "value")

    def __init__(self, metric: Metric) -> None:
        self.value = 0.0
        self.bounds = metric.buckets
        self.counts = [0] * (len(metric.buckets) + 1) if metric.kind == "histogram" else []


class Metrics:
    """Counters, gauges and histograms of one process; any thread may use any method.

    Memory is bounded: a label takes values of its list in :data:`linnet.monitoring.table.LABELS`, or of those
    registered with :meth:`register_model`; every other value counts as "other".
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: dict[_Key, _Cell] = {}  # by the labels as they were given; several keys may lead to one cell
        self._series: dict[tuple[str, tuple[str, ...]], _Cell] = {}
        self._classes: dict[str, frozenset[str]] = {}
        self._collectors: list[Callable[[Metrics], None]] = []
        self._dropped = 0
        self._started = time.time()

    # -- what labels may say -------------------------------------------------------------------

    def register_model(self, name: str, classes: Iterable[str] = ()) -> None:
        """Allow a value of the label ``model``, and the values that ``label`` has beside it; new ones replace the old.

        Args:
            name: up to 64 letters, digits and ``._:@/+-``, from a configuration and never from a request.
            classes: names of the classes, of the file; the first 256. One with control characters or more than 64
                characters is called by its number: ``class_12``.

        Raises:
            InvalidArgumentError: the name has another form, or there are 64 models already.
        """
        if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
            raise InvalidArgumentError(
                f"expected a model's name of up to 64 letters, digits and ._:@/+-, got {name!r}; give it another name"
            )
        names = frozenset(class_name(number, text) for number, text in zip(range(MOST_CLASSES), classes, strict=False))
        with self._lock:
            if name not in self._classes and len(self._classes) >= MOST_MODELS:
                raise InvalidArgumentError(f"expected at most {MOST_MODELS} models, got another one, {name!r}")
            self._classes[name] = names or self._classes.get(name, names)

    def add_collector(self, collect: Callable[[Metrics], None]) -> None:
        """Call a function before each snapshot; it sets gauges that are only read when somebody asks."""
        self._collectors.append(collect)

    # -- counting ------------------------------------------------------------------------------

    def count(self, name: str, amount: float = 1, /, **labels: Any) -> None:
        """Add to a counter, or to a gauge (a negative amount too).

        Raises:
            InvalidArgumentError: there is no such metric, it is a histogram, or it does not have these labels.
        """
        cell = self._cells.get((name, tuple(labels.items()))) or self._find(name, labels, "counter", "gauge")
        amount = float(amount * 1.0)  # float() alone would read a text
        if not isfinite(amount) or (amount < 0 and BY_NAME[name].kind == "counter"):
            self._drop()
            return
        with self._lock:
            cell.value += amount

    def observe(self, name: str, value: float, /, *, times: int = 1, **labels: Any) -> None:
        """Add a value to a histogram, ``times`` times.

        Raises:
            InvalidArgumentError: there is no such metric, it is no histogram, or it does not have these labels.
        """
        cell = self._cells.get((name, tuple(labels.items()))) or self._find(name, labels, "histogram")
        value = float(value * 1.0)
        if not isfinite(value):
            self._drop()
            return
        place = bisect_left(cell.bounds, value)
        with self._lock:
            cell.counts[place] += times
            cell.value += value * times

    def set(self, name: str, value: float, /, **labels: Any) -> None:
        """Set a gauge, or a counter that another program counts.

        Raises:
            InvalidArgumentError: there is no such metric, it is a histogram, or it does not have these labels.
        """
        cell = self._cells.get((name, tuple(labels.items()))) or self._find(name, labels, "gauge", "counter")
        value = float(value * 1.0)
        if not isfinite(value):
            self._drop()
            return
        with self._lock:
            cell.value = value

    # -- reading -------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return all numbers as an object that :func:`json.dumps` writes and :func:`linnet.monitoring.merge` adds.

        ``{"format", "version", "time", "started", "sources", "metrics": {name: [{"labels", "value"} or
        {"labels", "count", "sum", "buckets"}]}}``; ``buckets`` has the number of values up to each bound of the table
        and above the bound before it, and last those above all bounds.
        """
        for collect in tuple(self._collectors):
            collect(self)
        metrics: dict[str, list[dict[str, Any]]] = {}
        with self._lock:
            for (name, values), cell in self._series.items():
                labels = dict(zip(BY_NAME[name].labels, values, strict=True))
                metrics.setdefault(name, []).append(_exported(labels, cell))
            dropped = self._dropped
        metrics["start_time"] = [{"labels": {}, "value": self._started}]
        metrics["dropped"] = [{"labels": {}, "value": dropped}]
        return {
            "format": FORMAT, "version": VERSION, "time": time.time(), "started": self._started, "sources": 1,
            "metrics": metrics,
        }  # fmt: skip

    # -- series --------------------------------------------------------------------------------

    def _find(self, name: str, labels: dict[str, Any], *kinds: str) -> _Cell:
        """Return the cell of a series, which is made if there is room."""
        metric = BY_NAME.get(name)
        if metric is None:
            raise InvalidArgumentError(f"expected a metric of linnet.monitoring.METRICS, got {name!r}")
        if metric.kind not in kinds:
            raise InvalidArgumentError(f"{name} is a {metric.kind}, expected a {' or a '.join(kinds)}")
        if labels.keys() != set(metric.labels):
            raise InvalidArgumentError(f"{name} has the labels {metric.labels}, got {tuple(labels)}; give these")
        with self._lock:
            values = tuple(self._allowed(label, labels) for label in metric.labels)
            cell = self._series.get((name, values)) or self._new(metric, values)
            known = all(
                value != OTHER or labels[label] == OTHER for label, value in zip(metric.labels, values, strict=True)
            )
            if known and len(self._cells) < _MOST_ALIASES:
                self._cells[name, tuple(labels.items())] = cell
        return cell

    def _new(self, metric: Metric, values: tuple[str, ...]) -> _Cell:
        if len(self._series) >= MOST_SERIES:
            self._dropped += 1
            values = (OTHER,) * len(values)
        return self._series.setdefault((metric.name, values), _Cell(metric))

    def _allowed(self, label: str, labels: dict[str, Any]) -> str:
        value = labels[label]
        if not isinstance(value, str):
            value = str(value) if type(value) is int else OTHER
        if label == "model":
            known: Iterable[str] = self._classes
        elif label == "label":
            known = self._classes.get(labels["model"], ()) if isinstance(labels["model"], str) else ()
        else:
            known = LABELS[label]
        return value if value in known else OTHER

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1


def class_name(number: int, text: str) -> str:
    """Return the value of the label ``label`` for a class: its name, or its number if the name cannot be shown."""
    return text if text and len(text) <= _MOST_CLASS_LENGTH and text.isprintable() else f"class_{number}"


def _exported(labels: dict[str, str], cell: _Cell) -> dict[str, Any]:
    if cell.counts:
        return {"labels": labels, "count": sum(cell.counts), "sum": cell.value, "buckets": list(cell.counts)}
    return {"labels": labels, "value": int(cell.value) if cell.value.is_integer() else cell.value}


assert set(LABELS) | REGISTERED >= {label for metric in BY_NAME.values() for label in metric.labels}
