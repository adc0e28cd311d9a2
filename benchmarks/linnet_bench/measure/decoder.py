"""Code of a measured process for decoders: prompts, the timed loop, and the profiles of prefill and decode.

Each prompt begins elsewhere in the text, so that no run repeats the one before. Between two prompts the text is
rewound, outside of every time.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from linnet.errors import InvalidArgumentError, LinnetError
from linnet.loading import load
from linnet.model import Model
from linnet.runtime import FloatArray, ProfilingRuntime, TextState
from linnet_bench.measure.probe import Clock, EnergyMeter, length_result, require_steady, timed
from linnet_bench.measure.sample import long_text
from linnet_bench.record.layers import ProgramMap
from linnet_bench.record.preset import GENERATION
from linnet_bench.record.profile import DECODE, PREFILL, Event, LengthProfile, Profiler, runtime_events
from linnet_bench.record.record import DecodeResult, LengthResult
from linnet_bench.record.sampling import Sampling
from linnet_bench.record.statistics import summarize

__all__ = [
    "DECODED",
    "decodes",
    "longest_input",
    "profile_context",
    "prompts",
    "run_prompt",
    "task_of",
    "time_context",
]

DECODED = 32
"""Tokens that are generated behind each prompt."""

_STRIDE = 7  # tokens between the beginnings of two prompts
_PROFILED = 8  # tokens behind each profiled prompt


def decodes(model: Model) -> bool:
    """Return whether the file is a decoder with a cache."""
    return model.manifest.cache_layers > 0


def longest_input(task: str, max_length: int) -> int:
    """Return the most tokens of an input that is timed: of a decoder, of a prompt with room for a token behind it."""
    return max_length - 1 if task == GENERATION else max_length


def task_of(path: Path) -> str:
    """Return the task of a file; empty if it cannot be opened here, which the measuring process will report."""
    try:
        with load(path, self_test=False) as model:
            return model.task
    except LinnetError:
        return ""


def prompts(model: Model, tokens: int) -> Iterator[list[int]]:
    """Yield token ids of prompts without end, made from real text by the file's tokenizer.

    Args:
        model: source of the tokenizer.
        tokens: length of each prompt.
    """
    (encoding,) = model.tokenizer.encode(long_text(2 * tokens + _STRIDE), add_special_tokens=False)
    ids = [int(token) for token in encoding.ids]
    for start in itertools.count(0, _STRIDE):
        first = start % (len(ids) - tokens)
        yield ids[first : first + tokens]


def run_prompt(model: Model, tokens: int) -> None:
    """Run one prompt of that length."""
    model.new_text().append(next(prompts(model, tokens)))


class _Loop:
    """A text that runs prompts and continues each, with the time of every part in nanoseconds.

    Attributes:
        prefill: from the ids of a prompt to the logits behind it.
        first: the same, and the choice of the first token.
        token: the run of one token, and the choice of the next.
        prefill_energy, token_energy: joules; None without counters.
    """

    def __init__(self, model: Model, context: int, clock: Clock) -> None:
        self.text = model.new_text()
        self._context = context
        self._prompts = prompts(model, context)
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget the times so far."""
        self.prefill: list[int] = []
        self.first: list[int] = []
        self.token: list[int] = []
        self.prefill_energy, self.token_energy = EnergyMeter(), EnergyMeter()

    def once(self) -> None:
        """Run the next prompt and continue it."""
        ids = next(self._prompts)
        self.text.rewind(0)
        self.prefill_energy.start()
        start = self._clock()
        self.text.append(ids)
        filled = self._clock()
        token, _ = self.text.sample(log_probability=False)  # the likeliest one
        chosen = self._clock()
        self.prefill_energy.stop()
        self.prefill.append(filled - start)
        self.first.append(chosen - start)
        self._continue(token)

    def _continue(self, token: int) -> None:
        room = self.text.capacity - self._context
        self.token_energy.start()
        for number in range(DECODED):
            if number and number % room == 0:
                self.text.rewind(self._context)
            start = self._clock()
            self.text.append([token])
            token, _ = self.text.sample(log_probability=False)
            self.token.append(self._clock() - start)
        self.token_energy.stop()


def time_context(
    model: Model, context: int, sampling: Sampling, clock: Clock = time.perf_counter_ns
) -> tuple[LengthResult, DecodeResult]:
    """Time prompts of one length and what follows them, and check that the logits stayed the same.

    Args:
        model: a decoder.
        context: tokens of each prompt, below the capacity of the file.
        sampling: number and duration of the prompts, each with its continuation.
        clock: returns nanoseconds.

    Returns:
        The prefill, and the first and each further token.

    Raises:
        GoldenMismatchError: the logits are not finite, or changed during the timing.
        InvalidArgumentError: there is no room for a token behind the prompt.
    """
    if not 0 < context < model.manifest.max_length:
        raise InvalidArgumentError(f"the context is {context}, expected 1 to {model.manifest.max_length - 1} tokens")
    loop = _Loop(model, context, clock)
    before = _logits(model, context)
    warmup, _ = timed(loop.once, sampling, clock, started=loop.clear)
    require_steady(before, _logits(model, context), context)
    prefill, tokens = loop.prefill_energy.joules, loop.token_energy.joules
    return length_result(context, warmup, loop.prefill, prefill), DecodeResult(
        context=context,
        first_token=length_result(context, warmup, loop.first, prefill),
        token=length_result(1, warmup * DECODED, loop.token, tokens),
    )


def _logits(model: Model, context: int) -> list[FloatArray]:
    text = model.new_text()
    text.append(next(prompts(model, context)))
    return [text.logits()]


@dataclasses.dataclass
class _Profiled:
    """Times and events of one kind of step."""

    profiler: Profiler
    kept: deque[list[Event]]
    times: list[int] = dataclasses.field(default_factory=list)

    def step(self, runtime: ProfilingRuntime, text: TextState, ids: list[int]) -> int:
        """Append tokens, add the runs of it (one for each chunk of a prompt), and return the likeliest next token."""
        start = time.perf_counter_ns()
        text.append(ids)
        token, _ = text.sample(log_probability=False)
        self.times.append(time.perf_counter_ns() - start)
        events = runtime_events(runtime)
        runs = [list(group) for _, group in itertools.groupby(events, key=lambda event: event.run)]
        self.profiler.add(*runs)
        self.kept.append(events)
        return token

    def result(self, step: str, context: int, plain_p50_ns: float) -> tuple[LengthProfile, list[Event]]:
        profile = self.profiler.result(context, summarize(self.times), plain_p50_ns, step)
        # runs are numbered from 0 for the trace, also where a step had several
        runs = [list(run) for step_events in self.kept for _, run in itertools.groupby(step_events, key=_run_of)]
        return profile, [event._replace(run=number) for number, run in enumerate(runs) for event in run]


def _run_of(event: Event) -> int:
    return event.run


def profile_context(
    model: Model, runtime: ProfilingRuntime, plain: DecodeResult, sampling: Sampling, keep: int
) -> list[tuple[LengthProfile, list[Event]]]:
    """Profile prefill and decode at one context. The runtime's profiling must be on.

    Args:
        model: a decoder.
        runtime: its runtime.
        plain: result without profiling.
        sampling: number and duration of the prompts.
        keep: number of steps of each kind whose events are returned.

    Returns:
        For prefill and for decode the profile, and all events of the last ``keep`` steps.
    """
    program = ProgramMap(model.evidence)
    filling, going = (_Profiled(Profiler(program), deque(maxlen=keep)) for _ in range(2))
    text, source = model.new_text(), prompts(model, plain.context)
    run_prompt(model, plain.context)  # loads the method again
    runtime.profile()
    begin = time.perf_counter_ns()
    while not sampling.done(len(filling.times), time.perf_counter_ns() - begin):
        text.rewind(0)
        token = filling.step(runtime, text, next(source))
        for _ in range(min(_PROFILED, text.capacity - plain.context)):
            token = going.step(runtime, text, [token])
    return [
        filling.result(PREFILL, plain.context, plain.first_token.summary.p50_ns),
        going.result(DECODE, plain.context, plain.token.summary.p50_ns),
    ]
