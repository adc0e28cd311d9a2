"""Results of a search: trials, Pareto front, best trial within the budget."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["SearchReport", "Trial"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        number: counted from 1.
        directory: its checkpoint and file.
        chosen: settings by name.
        figures: of the file, on the held-out rows.
        value: of the metric that is searched for.
        megabytes: of the file.
        milliseconds: p50 of one text on one thread.
        fits: within the budget.
    """

    number: int
    directory: Path
    chosen: Mapping[str, float]
    figures: Mapping[str, float]
    value: float
    megabytes: float
    milliseconds: float
    fits: bool

    def beats(self, other: Trial) -> bool:
        """Whether it is as good in all three and better in one."""
        mine = (self.value, -self.megabytes, -self.milliseconds)
        its = (other.value, -other.megabytes, -other.milliseconds)
        return all(left >= right for left, right in zip(mine, its, strict=True)) and mine != its


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchReport:
    """All trials.

    Attributes:
        output: directory of the search; the best is in `best/` in it.
        metric: that was searched for.
        trials: that came to their end.
        failures: why others did not.
    """

    output: Path
    metric: str
    trials: tuple[Trial, ...]
    failures: tuple[str, ...]

    @property
    def best(self) -> Trial | None:
        """The best one within the budget, of equals the smallest; None if none fits."""
        fitting = [trial for trial in self.trials if trial.fits]
        return max(fitting, key=lambda trial: (trial.value, -trial.megabytes, -trial.milliseconds), default=None)

    @property
    def front(self) -> list[Trial]:
        """The trials that no other beats in metric, size and latency at once, the best metric first."""
        kept = [trial for trial in self.trials if not any(other.beats(trial) for other in self.trials)]
        return sorted(kept, key=lambda trial: -trial.value)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        trials = [dataclasses.asdict(trial) | {"directory": str(trial.directory)} for trial in self.trials]
        return {
            "output": str(self.output),
            "metric": self.metric,
            "best": None if self.best is None else self.best.number,
            "front": [trial.number for trial in self.front],
            "trials": trials,
            "failures": list(self.failures),
        }

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Return headers and rows of a table of :attr:`front`."""
        names = list(self.trials[0].chosen)
        headers = ["trial", self.metric, "MB", "ms", "fits", *names]
        return headers, [
            [
                f"{trial.number}{' (best)' if trial is self.best else ''}", f"{trial.value:.4f}",
                f"{trial.megabytes:.2f}", f"{trial.milliseconds:.3f}", "yes" if trial.fits else "no",
                *(f"{trial.chosen[name]:.3g}" if name in trial.chosen else "-" for name in names),
            ]
            for trial in self.front
        ]  # fmt: skip
