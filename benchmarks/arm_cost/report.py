"""What a run found: its tables, its targets, and its JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.arm_cost.emulate import ENGINES, Outcome, Processor
from benchmarks.arm_cost.mca import COMPILERS_OF, Modelled
from linnet.cli.console import Console

__all__ = ["PEAK_SHARE", "Report", "Target", "cosine"]

PEAK_SHARE = 0.75
"""Least share of a core's peak in the inner loop of the linear layer."""

FAST = "fast"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """One target.

    Attributes:
        what: in words.
        found, needed: the figure and its bound.
        at_most: the bound is the largest value, not the least.
    """

    what: str
    found: float
    needed: float
    at_most: bool

    @property
    def met(self) -> bool:
        """Return True if the figure is within its bound."""
        return self.found <= self.needed if self.at_most else self.found >= self.needed

    def line(self) -> str:
        """Return the target as one line."""
        sign = "<=" if self.at_most else ">="
        return f"{'met' if self.met else 'NOT MET'}: {self.what} {self.found:.2f}, target {sign} {self.needed:g}"


@dataclasses.dataclass(kw_only=True)
class Report:
    """All that a run found; filled as it goes.

    Attributes:
        lengths: token counts of the instructions.
        instructions: outcomes by processor and engine.
        memory_lengths: token counts of the bytes.
        memory: likewise, with what was read and written.
        loops: inner loops.
        skipped: what could not be had, and why.
    """

    lengths: Sequence[int]
    instructions: dict[Processor, dict[str, Outcome]] = dataclasses.field(default_factory=dict)
    memory_lengths: Sequence[int] = ()
    memory: dict[Processor, dict[str, Outcome]] = dataclasses.field(default_factory=dict)
    loops: list[Modelled] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)

    def targets(self) -> list[Target]:
        """Return the targets for what was found."""
        return [*self._instruction_targets(), *self._loop_targets()]

    def _instruction_targets(self) -> Iterator[Target]:
        for processor, outcomes in self.instructions.items():
            for engine, found in _ratios(outcomes).items():
                what = f"{processor.cpu}: instructions of the fast method / {ENGINES[engine].title}, worst length"
                yield Target(what=what, found=max(found), needed=processor.most, at_most=True)

    def _loop_targets(self) -> Iterator[Target]:
        for one in self.loops:
            what = f"{one.core.cpu}, {one.compiler}: share of the peak of the loop of {one.core.kernels}"
            yield Target(what=what, found=one.share, needed=PEAK_SHARE, at_most=False)

    def show(self) -> None:
        """Print the tables and the targets."""
        if self.instructions:
            print("\nMeasured: instructions of one inference, in millions, counted under emulation\n")
            self._show_instructions()
        if self.memory:
            print("\nMeasured: megabytes of one inference, counted under emulation\n")
            self._show_memory()
        if self.loops:
            print("\nModel: inner loop of the linear layer, 8-bit multiply-accumulates a cycle by llvm-mca\n")
            self._show_loops()
        print()
        for target in self.targets():
            print(target.line())
        for reason in self.skipped:
            print(f"SKIPPED: {reason}")

    def _show_instructions(self) -> None:
        rows = []
        for processor, outcomes in self.instructions.items():
            ratios = _ratios(outcomes)
            for engine, outcome in outcomes.items():
                counts = [f"{cost.instructions / 1e6:.1f}" for cost in outcome.costs]
                rows.append((processor.cpu, _title(engine, outcome), *counts))
                if engine in ratios:
                    rows.append(
                        ("", f"  fast / {ENGINES[engine].title}", *(f"{ratio:.2f}" for ratio in ratios[engine]))
                    )
        heads = ("processor", "engine", *(f"{length} tokens" for length in self.lengths))
        Console().table(heads, rows, right=tuple(range(2, 2 + len(self.lengths))))

    def _show_memory(self) -> None:
        rows = []
        for processor, outcomes in self.memory.items():
            for engine, outcome in outcomes.items():
                for length, cost in zip(self.memory_lengths, outcome.costs, strict=True):
                    if (memory := cost.memory) is not None:
                        touched = (memory.only_read, memory.read_first, memory.written_first)
                        shown = (f"{count / 1e6:.2f}" for count in (*touched, memory.loaded, memory.stored))
                        rows.append((processor.cpu, ENGINES[engine].title, str(length), *shown))
        heads = ("processor", "engine", "tokens", "only read", "read, written", "written, read", "loaded", "stored")
        Console().table(heads, rows, right=tuple(range(2, 8)))

    def _show_loops(self) -> None:
        rows = []
        for one in self.loops:
            figures = (f"{one.macs_per_cycle:.1f}", f"{one.products:.1f}", f"{one.peak:g}", f"{one.share:.0%}")
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(one.loop.kinds.items(), key=lambda k: -k[1]))
            rows.append((one.core.cpu, COMPILERS_OF[one.compiler], one.core.kernels, *figures, kinds))
        heads = (
            "core",
            "compiler",
            "kernels",
            "MAC/cycle",
            "products alone",
            "peak",
            "share",
            "instructions of a pass",
        )
        Console().table(heads, rows, right=(3, 4, 5, 6))

    def to_json(self) -> dict[str, Any]:
        """Return everything, for ``json.dumps``."""
        return {
            "kind": "linnet-arm-cost",
            "version": "1.0",
            "instructions": list(_records(self.instructions, self.lengths)),
            "memory": list(_records(self.memory, self.memory_lengths)),
            "loops": [{**dataclasses.asdict(one), "share": one.share, "kinds": one.loop.kinds} for one in self.loops],
            "targets": [{**dataclasses.asdict(target), "met": target.met} for target in self.targets()],
            "skipped": self.skipped,
        }


def _title(engine: str, outcome: Outcome) -> str:
    kernels = outcome.info.get("kernels")
    return ENGINES[engine].title + (f" ({kernels})" if kernels and engine == FAST else "")


def _ratios(outcomes: Mapping[str, Outcome]) -> dict[str, list[float]]:
    """Return instructions of the fast method divided by those of each other engine, by length."""
    if FAST not in outcomes:
        return {}
    ours = outcomes[FAST].costs
    return {
        engine: [our.instructions / their.instructions for our, their in zip(ours, outcome.costs, strict=True)]
        for engine, outcome in outcomes.items()
        if engine != FAST
    }


def _records(found: Mapping[Processor, Mapping[str, Outcome]], lengths: Sequence[int]) -> Iterator[dict[str, Any]]:
    for processor, outcomes in found.items():
        for engine, outcome in outcomes.items():
            for length, cost in zip(lengths, outcome.costs, strict=True):
                names = {"processor": processor.cpu, "engine": engine, "tokens": length, "info": dict(outcome.info)}
                yield {**names, **dataclasses.asdict(cost)}


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors."""
    products = math.fsum(x * y for x, y in zip(left, right, strict=True))
    return products / (math.hypot(*left) * math.hypot(*right))
