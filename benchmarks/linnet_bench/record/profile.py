"""Time profile of one inference, from the runtime's events to shares that sum to 1.

ExecuTorch's event tracer times the whole method and each of its instructions: a call of the delegate, or an
operator outside it. XNNPACK times its own operators inside a call. The remaining time has its own rows, so nothing is
lost and nothing is counted twice:

==========  =============================================================================================
kind        time of
==========  =============================================================================================
delegated   an operator inside a partition, as XNNPACK measured it
set-up      a delegate call beyond its operators: shapes, memory, passing tensors, and the cost of
            XNNPACK's profiler itself
outside     an operator outside the delegate
executor    ExecuTorch beyond its instructions
==========  =============================================================================================
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from linnet.errors import InternalError
from linnet.format.evidence import Evidence
from linnet.runtime import ProfilingRuntime
from linnet_bench.record.layers import ProgramMap
from linnet_bench.record.statistics import Summary, percentile

__all__ = [
    "DECODE",
    "DELEGATED",
    "EXECUTOR",
    "OUTSIDE",
    "PREFILL",
    "SET_UP",
    "Event",
    "LengthProfile",
    "Place",
    "Profiler",
    "Row",
    "Step",
    "as_events",
    "base_name",
    "delegate_of",
    "runtime_events",
    "steps_of",
]

DELEGATED, SET_UP, OUTSIDE, EXECUTOR = "delegated", "set-up", "outside", "executor"
PREFILL, DECODE = "prefill", "decode"

_RUNTIME = 0  # LINNET_EVENT_RUNTIME
_METHOD, _DELEGATE_CALL, _OPERATOR_CALL, _KERNEL = "Method::execute", "DELEGATE_CALL", "OPERATOR_CALL", "native_call_"
_COUNTER = re.compile(r" #\d+$")  # ExecuTorch numbers equal operators of a partition: "Add (ND) #3"
_MICROSECOND = 1000


class Event(NamedTuple):
    """One event of the runtime, as in ``linnet.h``: ``linnet_event``."""

    name: str
    kind: int
    run: int
    instruction: int
    start_ns: int
    end_ns: int

    @property
    def time(self) -> int:
        """Return the duration in nanoseconds."""
        return self.end_ns - self.start_ns


class Step(NamedTuple):
    """One instruction of the method.

    Attributes:
        event: event of the whole instruction.
        name: name of the operator; for a partition "partition N", counted from 1.
        partition: its number, counted from 1; 0 outside.
        operators: events of the delegate inside it, in their order.
    """

    event: Event
    name: str
    partition: int
    operators: tuple[Event, ...]


class Place(NamedTuple):
    """A place of the program that time is attributed to.

    Attributes:
        kind: delegated, set-up, outside or executor.
        name: name of the operator, without its number.
        instruction: number of the method's instruction; -1 for the executor.
        partition: counted from 1; 0 outside.
        position: position among the partition's operators, counted from 0; -1 for others.
        layer: layer of the model; empty if the file has no debug map for it.
    """

    kind: str
    name: str
    instruction: int
    partition: int
    position: int
    layer: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """The time of one place, or of several together.

    Attributes:
        kind, name: see :class:`Place`.
        instruction, partition, position, layer: the same, if all places of the row have them in common; else -1, 0,
            -1 and empty.
        calls: number of places in this row, which is the number of calls in one inference.
        share: share of the time of the method, 0 to 1, over all inferences.
        mean_ns, p50_ns, p90_ns: nanoseconds in one inference.
    """

    kind: str
    name: str
    instruction: int
    partition: int
    position: int
    layer: str
    calls: int
    share: float
    mean_ns: float
    p50_ns: float
    p90_ns: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class LengthProfile:
    """The profile of ``forward`` at one length. The shares of each of the four tuples sum to 1.

    Attributes:
        tokens: length of the input.
        forward: latency with profiling, from token ids to numpy outputs, like the unprofiled figures.
        unprofiled_p50_ns: the median without profiling, in the same process.
        execute_ns: mean time of ExecuTorch's ``Method::execute``; the shares are relative to it.
        resolution_ns: resolution of delegated operators: 1, or 1000 where XNNPACK's clock cannot be followed and what
            it rounds down counts as set-up.
        operators: equal operators together, largest share first.
        steps: whole partitions, each operator outside, and the executor; largest share first.
        layers: everything of one layer together, largest share first; the name is empty for what belongs to no layer.
        places: each place alone, in the order of the program.
        step: of a decoder "prefill", the prompt, or "decode", one token behind it; empty for others.
    """

    tokens: int
    forward: Summary
    unprofiled_p50_ns: float
    execute_ns: float
    resolution_ns: int
    operators: tuple[Row, ...]
    steps: tuple[Row, ...]
    layers: tuple[Row, ...]
    places: tuple[Row, ...]
    step: str = ""


def as_events(rows: Sequence[Sequence[object]]) -> list[Event]:
    """Convert rows of JSON to events."""
    return [Event(*row) for row in rows]  # type: ignore[arg-type]


def runtime_events(runtime: ProfilingRuntime) -> list[Event]:
    """Return the events of all runs since the last call, as objects that can be pickled and written as JSON."""
    return [
        Event(event.name, event.kind, event.run, event.instruction, event.start_ns, event.end_ns)
        for event in runtime.profile()
    ]


def steps_of(events: Sequence[Event]) -> Iterator[Step]:
    """Yield the instructions of one run in the order in which they began.

    Args:
        events: events of one run, in the order in which they ended.
    """
    kernels: dict[int, str] = {}
    delegated: list[Event] = []
    partitions: dict[int, int] = {}
    for event in events:
        if event.instruction < 0:
            continue
        if event.kind != _RUNTIME:
            delegated.append(event)
        elif event.name.startswith(_KERNEL):
            kernels[event.instruction] = event.name.removeprefix(_KERNEL)
        elif event.name == _DELEGATE_CALL:
            number = partitions.setdefault(event.instruction, len(partitions) + 1)
            yield Step(event, f"partition {number}", number, tuple(delegated))
            delegated = []
        else:
            yield Step(event, kernels.pop(event.instruction, _own_name(event)), 0, ())


def base_name(name: str) -> str:
    """Return an operator's name without the number that ExecuTorch gives equal ones: "Add (ND)" for "Add (ND) #3"."""
    return _COUNTER.sub("", name)


def delegate_of(operator: str) -> str:
    """Return the name of the delegate that runs an operator: "linnet" by the prefix of its names, else "XNNPACK"."""
    return "linnet" if operator.startswith("linnet::") else "XNNPACK"


def _own_name(event: Event) -> str:
    """Return the operator's name if it has one: only kernels of ExecuTorch's code generator have names."""
    return f"instruction {event.instruction}" if event.name == _OPERATOR_CALL else event.name


class Profiler:
    """Aggregates runs one after the other and keeps only numbers."""

    def __init__(self, program: ProgramMap | None = None) -> None:
        """Start with no runs; ``program`` maps operators to layers."""
        self._program = ProgramMap(Evidence()) if program is None else program
        self._times: dict[Place, list[int]] = {}
        self._whole: list[int] = []
        self._exact = False

    def add(self, *runs: Sequence[Event]) -> None:
        """Add one inference: the events of its run, or of several runs that follow each other.

        Raises:
            InternalError: events are not of one run, or of another program than the runs before.
        """
        sums: dict[Place, int] = {}
        whole = 0
        for events in runs:
            whole += self._add_run(events, sums)
        if self._times and self._times.keys() != sums.keys():
            raise InternalError("the program took another way in this run than in the one before")
        for place, time in sums.items():
            self._times.setdefault(place, []).append(time)
        self._whole.append(whole)

    def _add_run(self, events: Sequence[Event], sums: dict[Place, int]) -> int:
        """Add the times of one run to ``sums``, and return the time of the method."""
        whole = [event.time for event in events if event.name == _METHOD]
        if len(whole) != 1:
            raise InternalError(f"found {len(whole)} events {_METHOD!r} in one run, expected 1")
        self._program.recognize([event.instruction for event in events if event.name == _DELEGATE_CALL])
        for place, time in _times(events, whole[0], self._program):
            sums[place] = sums.get(place, 0) + time
        self._exact = self._exact or any(event.kind != _RUNTIME and event.time % _MICROSECOND for event in events)
        return whole[0]

    def result(self, tokens: int, forward: Summary, unprofiled_p50_ns: float, step: str = "") -> LengthProfile:
        """Return the profile of all runs so far; arguments are fields of :class:`LengthProfile`.

        Raises:
            ValueError: there was no run.
        """
        mean = sum(self._whole) / len(self._whole) if self._whole else 0.0
        return LengthProfile(
            tokens=tokens,
            forward=forward,
            unprofiled_p50_ns=unprofiled_p50_ns,
            execute_ns=mean,
            resolution_ns=1 if self._exact else _MICROSECOND,
            operators=self._rows(lambda place: (place.kind, place.name)),
            steps=self._rows(lambda place: (place.instruction, place.partition)),
            layers=self._rows(lambda place: place.layer),
            places=self._rows(lambda place: place, by_share=False),
            step=step,
        )

    def _rows(self, group: _Group, *, by_share: bool = True) -> tuple[Row, ...]:
        groups: dict[object, list[Place]] = {}
        for place in self._times:
            groups.setdefault(group(place), []).append(place)
        rows = [self._row(places) for places in groups.values()]
        return tuple(sorted(rows, key=lambda row: -row.share) if by_share else rows)

    def _row(self, places: Sequence[Place]) -> Row:
        sums = [sum(times) for times in zip(*(self._times[place] for place in places), strict=True)]
        total = sum(sums)
        kind, name, instruction, partition, position, layer = (_common(column) for column in zip(*places, strict=True))
        if name is None:  # a whole partition, or a layer
            kind, name = kind or DELEGATED, f"partition {partition}" if instruction is not None else layer or ""
        return Row(
            kind=str(kind),
            name=str(name),
            instruction=-1 if instruction is None else int(instruction),
            partition=int(partition or 0),
            position=-1 if position is None else int(position),
            layer=str(layer or ""),
            calls=sum(place.kind != SET_UP for place in places) or 1,
            share=total / sum(self._whole),
            mean_ns=total / len(sums),
            p50_ns=percentile(sums, 50),
            p90_ns=percentile(sums, 90),
        )


_Group: TypeAlias = Callable[[Place], object]


def _common(values: Sequence[str | int]) -> str | int | None:
    return values[0] if len(set(values)) == 1 else None


def _times(events: Sequence[Event], whole: int, program: ProgramMap) -> Iterator[tuple[Place, int]]:
    """Yield each place with its time; the times sum to ``whole``."""
    left = whole
    for step in steps_of(events):
        left -= step.event.time
        instruction = step.event.instruction
        if not step.partition:
            name, layer = program.operator(instruction)
            shown = step.name if step.name != _own_name(step.event) or not name else name
            yield Place(OUTSIDE, shown, instruction, 0, -1, layer), step.event.time
            continue
        names = [base_name(operator.name) for operator in step.operators]
        layers = program.partition(instruction, names)
        for position, (operator, name, layer) in enumerate(zip(step.operators, names, layers, strict=True)):
            yield Place(DELEGATED, name, instruction, step.partition, position, layer), operator.time
        rest = step.event.time - sum(operator.time for operator in step.operators)
        yield Place(SET_UP, "set-up and profiling", instruction, step.partition, -1, ""), rest
    yield Place(EXECUTOR, "ExecuTorch's executor", -1, 0, -1, ""), left
