"""Comparison of settings in fresh processes that take turns; clearly slow settings are dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from linnet.cli.console import counted
from linnet.tuning import TunedSetting
from linnet_bench.measure.engine import Engine, LocalRunner, Runner, rotated, take_turns
from linnet_bench.measure.protocol import Event, MeasureSettings, Variant
from linnet_bench.record.record import ThreadRun
from linnet_bench.record.sampling import Sampling
from linnet_bench.record.statistics import geometric_mean, median
from linnet_bench.tune.settings import label

__all__ = ["Entry", "Plan", "choose", "race"]

_TIE = 0.03
"""A setting within 3 % of the fastest one and with fewer threads is preferred: it leaves CPUs to others."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How settings are compared.

    Attributes:
        lengths: tokens; the score is the geometric mean of their p50.
        sampling: of each length in each process.
        rounds: processes of each setting that is not dropped.
        keep: from the second round on, a setting slower than this times the best one is dropped.
    """

    lengths: tuple[int, ...]
    sampling: Sampling
    rounds: int
    keep: float = 1.4


@dataclasses.dataclass
class Entry:
    """One setting of one file in the comparison.

    Attributes:
        path: path of the file.
        recipe: recipe of the file.
        setting: the setting.
        runs: result of each process.
        failure: why it cannot be used; empty if it can.
    """

    path: Path
    recipe: str
    setting: TunedSetting
    runs: list[ThreadRun] = dataclasses.field(default_factory=list)
    failure: str = ""

    @property
    def variant(self) -> Variant:
        """Return the variant that the engine runs."""
        setting = self.setting
        return Variant(path=str(self.path), threads=setting.threads, fused=setting.fused, affinity=setting.affinity)

    @property
    def score(self) -> float:
        """Return the geometric mean over the lengths of the median p50, in nanoseconds.

        For a decoder it is that of prefill and of one token, so that each weighs as much as the other.
        """
        lengths = [length.tokens for length in self.runs[0].lengths]
        times = [self.at(tokens, 50) for tokens in lengths]
        if self.runs[0].decoding:
            filled = [(length.tokens, length.summary.p50_ns) for run in self.runs for length in run.lengths]
            times += [median([time for at, time in filled if at == tokens]) for tokens in lengths]
        return geometric_mean(times)

    def at(self, tokens: int, q: int) -> float:
        """Return the median over the processes of p50 or p90 at one length, in nanoseconds.

        For a decoder it is that of one token behind so many.
        """
        name = {50: "p50_ns", 90: "p90_ns"}[q]
        timed = [(result.context, result.token) for run in self.runs for result in run.decoding] or [
            (length.tokens, length) for run in self.runs for length in run.lengths
        ]
        return median([getattr(result.summary, name) for at, result in timed if at == tokens])


def race(entries: Sequence[Entry], plan: Plan, say: Callable[[str], None], runner: Runner | None = None) -> list[Entry]:
    """Measure all settings; return the entries that can be used, the fastest first.

    Args:
        entries: every setting.
        plan: lengths, durations and rounds.
        say: callback for progress messages.
        runner: starts the processes; None: on this machine.

    Raises:
        LinnetError: a file cannot be run at all.
    """
    running = len(entries)

    def announce(variant: Variant, turn: int, event: Event | None) -> None:
        if event is None:
            setting = TunedSetting(threads=variant.threads, affinity=variant.affinity, fused=bool(variant.fused))
            still = counted(running, "setting")
            say(f"round {turn + 1} of {plan.rounds}, {still}: {label(Path(variant.path), setting)}")

    def run(entry: Entry, turn: int) -> None:
        result = engine.run(entry.variant, turn)
        if result is None or result.check.wrong or not result.lengths:
            entry.failure = (result.check.message if result is not None else "") or "no right answer"
        else:
            entry.runs.append(result)

    def survivors(entries: Sequence[Entry], turn: int) -> Sequence[Entry]:
        nonlocal running
        usable = [entry for entry in entries if not entry.failure]
        best = min((entry.score for entry in usable), default=0.0)
        kept = [entry for entry in usable if turn == 0 or entry.score <= plan.keep * best]
        running = len(kept)
        return kept

    settings = MeasureSettings(lengths=plan.lengths, sampling=plan.sampling)
    engine = Engine(settings, LocalRunner() if runner is None else runner, announce)
    take_turns(entries, plan.rounds, run, order=rotated, survivors=survivors)
    return sorted((entry for entry in entries if not entry.failure), key=lambda entry: entry.score)


def choose(ranked: Sequence[Entry], path: Path | None = None) -> Entry:
    """Return the entry to use: the fastest, or one within 3 % of it that needs fewer threads.

    Args:
        ranked: the fastest first, at least one.
        path: only entries of this file.
    """
    own = [entry for entry in ranked if path is None or entry.path == path]
    close = [entry for entry in own if entry.score <= (1 + _TIE) * own[0].score]
    return min(close, key=lambda entry: (entry.setting.threads, entry.score))
