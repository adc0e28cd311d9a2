"""Code of a measured process: inputs, the timed loop, and checks of the answers."""

from __future__ import annotations

import gc
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from linnet.cli.console import shorten
from linnet.errors import GoldenMismatchError, InvalidArgumentError
from linnet.golden_replay import replay_evidence
from linnet.model import Model
from linnet.runtime import FloatArray, IntArray, ProfilingRuntime, Runtime
from linnet_bench.machine.state import EnergyCounter, energy_between, read_energy
from linnet_bench.machine.system import distinct
from linnet_bench.measure.sample import Example, long_text
from linnet_bench.record.layers import ProgramMap
from linnet_bench.record.profile import Event, LengthProfile, Profiler, base_name, runtime_events, steps_of
from linnet_bench.record.record import Kernels, LengthResult, OutputCheck
from linnet_bench.record.sampling import Sampling
from linnet_bench.record.statistics import summarize

__all__ = [
    "Clock",
    "EnergyMeter",
    "check_golden",
    "clip_lengths",
    "forward_inputs",
    "length_result",
    "profile_forward",
    "require_steady",
    "see_kernels",
    "time_answer",
    "time_forward",
    "timed",
]

Clock: TypeAlias = Callable[[], int]
"""Returns nanoseconds, like ``time.perf_counter_ns``."""

# Two runs of one input on one machine are bit-exact today; this leaves room for another summation order.
_DRIFT = 1e-4

# Runs whose events are read together. Reading events makes thousands of Python objects, which drives the weights out
# of the caches: rarely enough not to change the median, often enough to keep memory small.
_TAKEN_TOGETHER = 32


def timed(
    call: Callable[[], object],
    sampling: Sampling,
    clock: Clock = time.perf_counter_ns,
    between: Callable[[], object] = lambda: None,
    started: Callable[[], object] = lambda: None,
) -> tuple[int, list[int]]:
    """Warm up, then time ``call`` repeatedly with the garbage collector off.

    Args:
        call: function to time.
        sampling: number and duration of the samples.
        clock: returns nanoseconds.
        between: called after each sample, outside its time.
        started: called once after the warm-up, before the first sample.

    Returns:
        Number of warm-up runs, and the latencies in nanoseconds in the order in which they were taken.
    """
    warmup = _warm_up(call, sampling, clock)
    samples: list[int] = []
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        started()
        start = clock()
        while True:
            before = clock()
            call()
            after = clock()
            samples.append(after - before)
            between()
            if sampling.done(len(samples), after - start):
                return warmup, samples
    finally:
        if was_enabled:
            gc.enable()


def _warm_up(call: Callable[[], object], sampling: Sampling, clock: Clock) -> int:
    start, runs = clock(), 0
    while runs < sampling.warmup_runs or clock() - start < sampling.warmup_seconds * 1e9:
        call()
        runs += 1
    return runs


def clip_lengths(lengths: Sequence[int], longest: int) -> tuple[int, ...]:
    """Return the lengths in rising order, those above ``longest`` reduced to it, each once."""
    return tuple(sorted({min(length, longest) for length in lengths}))


def forward_inputs(model: Model, runtime: Runtime, tokens: int) -> list[IntArray]:
    """Return inputs of ``forward``, int64 [1, tokens], made from real text by the file's tokenizer.

    Raises:
        InvalidArgumentError: the special tokens alone need more than ``tokens``, or the length differs from ``tokens``.
    """
    (encoding,) = model.tokenizer.encode(long_text(tokens), max_length=tokens)
    if len(encoding) != tokens:
        raise InvalidArgumentError(f"the sample text gave {len(encoding)} tokens, expected {tokens}")
    arrays = {
        "input_ids": encoding.ids,
        "token_type_ids": encoding.type_ids,
        "pooling_mask": np.ones(tokens, dtype=np.int64),
    }
    return [arrays[name].reshape(1, -1) for name in model.manifest.inputs]


def time_forward(model: Model, runtime: Runtime, tokens: int, sampling: Sampling) -> LengthResult:
    """Time ``forward`` at one length and check that its output stayed the same.

    Raises:
        GoldenMismatchError: the output is not finite, or changed during the timing.
    """
    inputs = forward_inputs(model, runtime, tokens)
    before = runtime.run("forward", inputs)
    meter = EnergyMeter()
    warmup, samples = timed(lambda: runtime.run("forward", inputs), sampling, started=meter.start)
    meter.stop()
    require_steady(before, runtime.run("forward", inputs), tokens)
    return length_result(tokens, warmup, samples, meter.joules)


class EnergyMeter:
    """Energy used in one or several spans, on systems with energy counters.

    Attributes:
        joules: of all spans so far; None without counters.
    """

    def __init__(self) -> None:
        self._before: tuple[EnergyCounter, ...] = ()
        self.joules: float | None = None

    def start(self) -> None:
        """Begin a span."""
        self._before = read_energy()

    def stop(self) -> None:
        """End the span."""
        used = energy_between(self._before, read_energy()) if self._before else None
        if used is not None:
            self.joules = used + (self.joules or 0.0)


def see_kernels(model: Model, runtime: ProfilingRuntime, infer: Callable[[], object], kernels: str) -> Kernels:
    """Profile one inference and return the kernels that computed it. The runtime's profiling must be on.

    Args:
        model: source of the evidence.
        runtime: runtime of the model.
        infer: runs one inference.
        kernels: name of linnet's own kernels, as ``runtime_info()`` tells it.
    """
    infer()
    first = next((list(events) for _, events in itertools.groupby(runtime_events(runtime), key=_run_of)), [])
    steps = [*steps_of(first)]
    program = ProgramMap(model.evidence)
    method = program.recognize([step.event.instruction for step in steps if step.partition])
    named = [program.operator(step.event.instruction)[0] or step.name for step in steps if not step.partition]
    delegated = [base_name(operator.name) for step in steps for operator in step.operators]
    return Kernels(
        method=method,
        attention=_attention(method, named, delegated, kernels),
        delegated=distinct(delegated),
        outside=distinct(named),
        activation_bits=runtime.activation_bits() if method == "forward_fused" else None,
    )


def _run_of(event: Event) -> int:
    return event.run


def _attention(method: str | None, outside: Sequence[str], delegated: Sequence[str], kernels: str) -> str | None:
    """Return the attention kernel that ran: linnet's with the name of its instructions, or XNNPACK's."""
    if any("_attention" in name for name in outside):
        return f"linnet, int8, {kernels}"
    products = [name for name in delegated if name.startswith("Batch Matrix Multiply")]
    return f"XNNPACK: {products[0]}" if products and method is not None else None


def profile_forward(
    model: Model, runtime: ProfilingRuntime, plain: LengthResult, sampling: Sampling, keep: int
) -> tuple[LengthProfile, list[Event]]:
    """Profile ``forward`` at the length of ``plain``, its unprofiled result, on the same inputs.

    The runtime's profiling must be on.

    Returns:
        The profile, and all events of the last ``keep`` inferences.

    Raises:
        GoldenMismatchError: the output is not finite, or changed during the timing.
    """
    inputs = forward_inputs(model, runtime, plain.tokens)
    before = runtime.run("forward", inputs)
    profiler = Profiler(ProgramMap(model.evidence))
    kept: deque[list[Event]] = deque(maxlen=keep)
    untaken = 0

    def take() -> None:
        nonlocal untaken
        runs = itertools.groupby(runtime_events(runtime), key=_run_of)
        for run in [list(events) for _, events in runs][-untaken:]:  # earlier runs are the warm-up
            profiler.add(run)
            kept.append(run)
        untaken = 0

    def between() -> None:
        nonlocal untaken
        untaken += 1
        if untaken == _TAKEN_TOGETHER:
            take()

    _, times = timed(lambda: runtime.run("forward", inputs), sampling, between=between)
    if untaken:
        take()
    require_steady(before, runtime.run("forward", inputs), plain.tokens)
    runtime.profile()
    result = profiler.result(plain.tokens, summarize(times), plain.summary.p50_ns)
    return result, [event._replace(run=number) for number, run in enumerate(kept) for event in run]


def time_answer(model: Model, example: Example, sampling: Sampling) -> LengthResult:
    """Time the whole call from a text to its answer: tokenizer, ``forward``, decoding."""
    warmup, samples = timed(lambda: example.run(model), sampling)
    return length_result(len(model.tokenize(example.text, example.pair)), warmup, samples)


def check_golden(model: Model) -> OutputCheck:
    """Replay the golden cases of the file once; leave ``after`` unset."""
    results = replay_evidence(model)
    wrong = [result for result in results if result.problems]
    if wrong:
        first = f"{shorten(wrong[0].text, 40)!r}: {wrong[0].problems[0]}"
        message = f"{len(wrong)} of {len(results)} golden cases differ, first {first}"
    else:
        message = "" if results else "the file has no golden cases (it is unproven), so no answer was checked"
    return OutputCheck(cases=len(results), before=not wrong, after=None, message=message)


def require_steady(before: Sequence[FloatArray], after: Sequence[FloatArray], tokens: int) -> None:
    """Check that two outputs for one input are finite and the same, but for rounding.

    Raises:
        GoldenMismatchError: they are not.
    """
    for one, other in zip(before, after, strict=True):
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            raise GoldenMismatchError(
                f"forward gave NaN or infinity at {tokens} tokens; run `linnet verify` on the file"
            )
        drift = float(np.abs(one - other).max(initial=0.0))
        allowed = _DRIFT * max(1.0, float(np.abs(one).max(initial=0.0)))
        if drift > allowed:
            raise GoldenMismatchError(
                f"forward changed its answer by {drift:.3g} at {tokens} tokens while it was timed, "
                f"at most {allowed:.3g} allowed"
            )


def length_result(tokens: int, warmup: int, samples: Sequence[int], energy_j: float | None = None) -> LengthResult:
    """Return the result of samples in nanoseconds; ``tokens`` is the number that one sample ran."""
    summary = summarize(samples)
    return LengthResult(
        tokens=tokens,
        warmup_runs=warmup,
        summary=summary,
        tokens_per_second=tokens / (summary.p50_ns / 1e9),
        samples_ns=tuple(samples),
        energy_j=energy_j,
    )
