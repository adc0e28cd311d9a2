"""The worker process that measures one thread count: ``python -m linnet_bench.measure.worker``, started by the runner.

It reads one job as JSON from stdin and writes events to stdout; :mod:`linnet_bench.measure.protocol` defines both.
All other output of this process, also of native libraries, goes to stderr.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from linnet.errors import GoldenMismatchError, InvalidArgumentError
from linnet.model import Model
from linnet.runtime import ProfilingRuntime, Runtime, open_runtime, runtime_info
from linnet_bench.machine.environment import current_affinity, peak_memory, read_state
from linnet_bench.measure.decoder import decodes, longest_input, profile_context, run_prompt, time_context
from linnet_bench.measure.probe import (
    check_golden,
    clip_lengths,
    forward_inputs,
    profile_forward,
    see_kernels,
    time_answer,
    time_forward,
)
from linnet_bench.measure.protocol import Emit, Job, MeasureSettings, serve_job
from linnet_bench.measure.sample import Example, example_for
from linnet_bench.record.profile import Event as ProfiledEvent
from linnet_bench.record.profile import LengthProfile
from linnet_bench.record.record import DecodeResult, LengthResult, OutputCheck
from linnet_bench.record.sampling import Sampling

__all__ = ["bind", "facts", "main", "measure"]

_PROFILE_SECONDS = 1.0  # for each length; the shares are stable long before


def measure(job: Job, emit: Emit) -> None:
    """Run the job in this process. A wrong answer ends it: a wrong result is never timed.

    Raises:
        LinnetError: the file cannot be opened or run.
    """
    variant, settings = job.variant, job.settings
    if variant.affinity:  # before the runtime starts its threads, which inherit it
        bind(variant.affinity)
    start = time.perf_counter_ns()
    runtime = open_runtime(variant.path, variant.threads)
    if variant.fused is not None:
        runtime.set_fused(variant.fused)
    if variant.activation_bits:
        runtime.set_activation_bits(variant.activation_bits)
    model = Model(runtime, path=variant.path)
    load_ns = time.perf_counter_ns() - start
    if variant.fused is False and decodes(model):
        raise InvalidArgumentError("expected custom kernels for a decoder, got --fused no; linnet runs no others there")
    example = example_for(model)
    start = time.perf_counter_ns()
    example.run(model)
    first_answer_ns = time.perf_counter_ns() - start
    emit(
        {
            "event": "opened",
            "load_ns": load_ns,
            "first_answer_ns": first_answer_ns,
            "facts": facts(model),
            "runtime": runtime_info(),
            "example": example.source(),
            "affinity": current_affinity(),
        }
    )
    check = check_golden(model)
    emit({"event": "checked", "check": dataclasses.asdict(check)})
    if check.wrong:
        return
    try:
        results = _time_everything(settings, model, runtime, example, emit)
        check = _check_again(model, check)
        after, peak = read_state(), peak_memory()  # before profiling, which changes both
        if not check.wrong:
            _look_inside(settings, model, runtime, results, emit)
    except GoldenMismatchError as error:
        wrong = dataclasses.replace(check, after=False, message=str(error))
        emit({"event": "checked", "check": dataclasses.asdict(wrong)})
        return
    emit(
        {
            "event": "finished",
            "after": dataclasses.asdict(after),
            "check": dataclasses.asdict(check),
            "peak_memory": peak,
        }
    )


def _time_everything(
    settings: MeasureSettings, model: Model, runtime: Runtime, example: Example, emit: Emit
) -> Sequence[LengthResult | DecodeResult]:
    results: list[LengthResult | DecodeResult] = []
    for tokens in clip_lengths(settings.lengths, longest_input(model.manifest.task, model.manifest.max_length)):
        emit({"event": "measuring", "tokens": tokens})
        if decodes(model):
            prefill, decoding = time_context(model, tokens, settings.sampling)
            emit({"event": "length", "result": dataclasses.asdict(prefill)})
            emit({"event": "decode", "result": dataclasses.asdict(decoding)})
            results.append(decoding)
        else:
            length = time_forward(model, runtime, tokens, settings.sampling)
            emit({"event": "length", "result": dataclasses.asdict(length)})
            results.append(length)
    emit({"event": "answer", "result": dataclasses.asdict(time_answer(model, example, settings.sampling))})
    return results


def _look_inside(
    settings: MeasureSettings,
    model: Model,
    runtime: ProfilingRuntime,
    plain: Sequence[LengthResult | DecodeResult],
    emit: Emit,
) -> None:
    """Profile each length as the last step: profiling reloads the method, which would count as memory, and is slow."""
    runtime.set_profiling(True)
    try:
        kernels = see_kernels(model, runtime, _inference(model, runtime, plain[-1]), _own_kernels())
        emit({"event": "kernels", "kernels": dataclasses.asdict(kernels)})
        for unprofiled in plain if settings.profile else ():
            emit({"event": "measuring", "tokens": _tokens(unprofiled)})
            for result, events in _profiles(settings, model, runtime, unprofiled):
                emit({"event": "profile", "result": dataclasses.asdict(result), "events": events})
    finally:
        runtime.set_profiling(False)


def _own_kernels() -> str:
    return runtime_info().get("kernels", "portable")


def _tokens(result: LengthResult | DecodeResult) -> int:
    return result.context if isinstance(result, DecodeResult) else result.tokens


def _inference(model: Model, runtime: Runtime, plain: LengthResult | DecodeResult) -> Callable[[], object]:
    """Return a call that runs one input of the length of a result."""
    if isinstance(plain, DecodeResult):
        return lambda: run_prompt(model, plain.context)
    inputs = forward_inputs(model, runtime, plain.tokens)
    return lambda: runtime.run("forward", inputs)


def _profiles(
    settings: MeasureSettings, model: Model, runtime: ProfilingRuntime, plain: LengthResult | DecodeResult
) -> Iterator[tuple[LengthProfile, list[ProfiledEvent]]]:
    asked = settings.sampling
    seconds = None if asked.seconds is None else min(asked.seconds, _PROFILE_SECONDS)
    if isinstance(plain, DecodeResult):
        sampling = dataclasses.replace(asked, seconds=seconds)
        yield from profile_context(model, runtime, plain, sampling, settings.traced)
    else:
        sampling = Sampling(seconds=seconds, samples=asked.samples)
        yield profile_forward(model, runtime, plain, sampling, settings.traced)


def bind(cpus: Sequence[int]) -> None:
    """Bind this process and all its later threads to these CPUs.

    Raises:
        InvalidArgumentError: the system does not support it, or has no such CPU.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise InvalidArgumentError("this system cannot bind a process to CPUs; leave the affinity out")
    try:
        os.sched_setaffinity(0, cpus)
    except (OSError, OverflowError) as error:
        usable = ", ".join(map(str, current_affinity()))
        raise InvalidArgumentError(f"cannot bind to the CPUs {list(cpus)}: usable are {usable}") from error


def _check_again(model: Model, check: OutputCheck) -> OutputCheck:
    again = check_golden(model)
    return dataclasses.replace(check, after=again.before, message=again.message)


def facts(model: Model) -> dict[str, Any]:
    names = "task model_type recipe source source_commit producer executorch_version max_length"
    return {
        **{name: getattr(model.manifest, name) for name in names.split()},
        "status": model.evidence.status,
        "proof": dict(model.evidence.figures),
    }


def main() -> int:
    """Run the job from stdin."""
    return serve_job(Job, measure)


if __name__ == "__main__":
    sys.exit(main())
