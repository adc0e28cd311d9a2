"""The protocol between the runner and a measuring process.

The runner writes one :class:`Job` as JSON to the worker's stdin. The worker answers with events on its
stdout, one JSON object a line, in this order:

==========  ====================================================================================
event       fields
==========  ====================================================================================
opened      ``load_ns``, ``first_answer_ns``, ``facts`` (of the file), ``runtime``
            (``runtime_info()``), ``example`` (the call that is timed), ``affinity`` (CPUs)
checked     ``check``: :class:`~linnet_bench.record.record.OutputCheck`; the last event if it is wrong
measuring   ``tokens``
length      ``result``: :class:`~linnet_bench.record.record.LengthResult`; these two for each length
decode      ``result``: :class:`~linnet_bench.record.record.DecodeResult`; of a decoder, after each ``length``
answer      ``result``: the same, from a text to its answer
profile     ``result``: :class:`~linnet_bench.record.profile.LengthProfile`, ``events`` of the last
            inferences; one for each length, if the job requests it
kernels     ``kernels``: :class:`~linnet_bench.record.record.Kernels`
finished    ``check`` (its ``after`` is set), ``after`` (state of the machine), ``peak_memory``
failed      ``name``, ``message``: the error that ended the job, instead of any of the above
==========  ====================================================================================
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from linnet.errors import LinnetError
from linnet_bench.record.record import from_data
from linnet_bench.record.sampling import Sampling

__all__ = ["Emit", "Event", "Job", "MeasureSettings", "Variant", "own_stdout", "serve_job"]

_Kind = TypeVar("_Kind")

Event: TypeAlias = Mapping[str, Any]
Emit: TypeAlias = Callable[[Event], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """One alternative that a measurement compares: a file and how it is run.

    Attributes:
        path: path of the file.
        threads: number of threads of the measured process.
        fused, affinity, activation_bits: as in :class:`~linnet_bench.record.record.Settings`.
    """

    path: str
    threads: int
    fused: bool | None = None
    affinity: tuple[int, ...] = ()
    activation_bits: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasureSettings:
    """Settings of each process, the same for all variants.

    Attributes:
        lengths: input lengths in tokens, before clipping to the file's limit.
        sampling: how long and how often each length is timed.
        profile: profile each length after everything else was measured.
        traced: number of inferences of each length whose events are returned.
    """

    lengths: tuple[int, ...]
    sampling: Sampling
    profile: bool = False
    traced: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Job of one measured process."""

    variant: Variant
    settings: MeasureSettings


def serve_job(kind: type[_Kind], work: Callable[[_Kind, Emit], object]) -> int:
    """Read a job of ``kind`` as JSON from stdin and run it; return the exit status.

    An error becomes the event "failed" and status 1; Ctrl-C is status 130.
    """
    emit = own_stdout()
    try:
        work(from_data(kind, json.loads(sys.stdin.read()), "job"), emit)
    except LinnetError as error:
        emit({"event": "failed", "name": type(error).__name__, "message": str(error)})
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def own_stdout() -> Emit:
    """Reserve this process's stdout for events; redirect all other output, also of native libraries, to stderr."""
    sys.stdout.flush()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # at the level of descriptors, because native libraries do not use sys.stdout

    def emit(event: Event) -> None:
        events.write(json.dumps(event, allow_nan=False) + "\n")
        events.flush()

    return emit
