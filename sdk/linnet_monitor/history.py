"""Snapshots of the last hours, and the statistics of rules over a window of them."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from linnet.monitoring.snapshot import quantile, select
from linnet.monitoring.table import BY_NAME
from linnet_monitor.rules import REACHABLE, Rule

__all__ = ["History"]

_MOST_SNAPSHOTS = 2_000
_Amount = list[float]
"""Of a counter its value, of a histogram its count, its sum and its buckets."""


class History:
    """Snapshots of one source, of bounded number.

    Attributes:
        reachable: False if the last attempt to read the source failed.
    """

    def __init__(self) -> None:
        self._snapshots: deque[Mapping[str, Any]] = deque(maxlen=_MOST_SNAPSHOTS)
        self.reachable = True

    @property
    def last(self) -> Mapping[str, Any] | None:
        """The newest snapshot."""
        return self._snapshots[-1] if self._snapshots else None

    def add(self, snapshot: Mapping[str, Any]) -> None:
        """Append a snapshot that is newer than the others; one that is not is left out."""
        if not self._snapshots or snapshot["time"] > self._snapshots[-1]["time"]:
            self._snapshots.append(snapshot)

    def value(self, rule: Rule) -> float:
        """Return the statistic of a rule; not a number (NaN) if there are too few values."""
        if rule.metric == REACHABLE:
            return float(self.reachable)
        if self.last is None:
            return math.nan
        if rule.statistic == "value":
            return self._now(rule)
        amount = self.increase(rule.metric, rule.labels, rule.window)
        if rule.statistic == "share":
            whole = self.increase(rule.per, rule.per_labels, rule.window)
            return amount[0] / whole[0] if whole[0] >= max(rule.least, 1e-9) else math.nan
        if rule.statistic == "increase":
            return amount[0]
        if rule.statistic == "rate":
            return amount[0] / max(self.seconds(rule.window), 1e-9)
        return self._of_histogram(rule, amount)

    def _of_histogram(self, rule: Rule, amount: _Amount) -> float:
        if amount[0] < max(rule.least, 1e-9):
            return math.nan
        if rule.statistic == "mean":
            return amount[1] / amount[0]
        return quantile(BY_NAME[rule.metric].buckets, amount[2:], int(rule.statistic[1:]) / 100)

    def _now(self, rule: Rule) -> float:
        assert self.last is not None
        values = [one["value"] for one in select(self.last, rule.metric, rule.labels)]
        if not values:
            return math.nan
        if BY_NAME[rule.metric].kind == "counter":
            return float(sum(values))
        return float(max(values) if rule.above is not None else min(values))

    def increase(self, metric: str, labels: Mapping[str, str], window: float) -> _Amount:
        """Return how much a counter or histogram grew in the window.

        Where a source was started again within the window, its numbers began at 0, as Prometheus's ``increase``
        assumes. What came before the first snapshot counts if the source was started within the window.
        """
        series = [_amount(one, metric, labels) for one in self._within(window)[0]]
        total = [0.0] * len(series[-1])
        for before, after in itertools.pairwise(series):
            base = before if after[0] >= before[0] else [0.0] * len(after)
            total = [sum_ + new - old for sum_, new, old in zip(total, after, base, strict=True)]
        return total

    def seconds(self, window: float) -> float:
        """Return the time that :meth:`increase` is counted over, at most about ``window``."""
        assert self.last is not None
        return float(self.last["time"] - self._within(window)[1])

    def _within(self, window: float) -> tuple[list[Mapping[str, Any]], float]:
        """Return the snapshots of the window with the one before it, and the time of the first of these.

        Before the first snapshot of all, the source had counted nothing when it started.
        """
        assert self.last is not None
        begin = self.last["time"] - window
        kept = [one for one in self._snapshots if one["time"] >= begin]
        older = [one for one in self._snapshots if one["time"] < begin]
        if older:
            return [older[-1], *kept], older[-1]["time"]
        if len(kept) == 1 or kept[0]["started"] >= begin:
            return [{"metrics": {}}, *kept], kept[0]["started"]
        return kept, kept[0]["time"]


def _amount(snapshot: Mapping[str, Any], metric: str, labels: Mapping[str, str]) -> _Amount:
    """Return the sum of the matching series: a counter's value, or count, sum and buckets of a histogram."""
    series = select(snapshot, metric, labels)
    if BY_NAME[metric].kind == "histogram":
        width = 3 + len(BY_NAME[metric].buckets)
        rows = [[one["count"], one["sum"], *one["buckets"]] for one in series]
        return [float(sum(column)) for column in zip(*rows, strict=True)] if rows else [0.0] * width
    return [float(sum(one["value"] for one in series))]
