"""One engine, one thread count, one process: ``python -m benchmarks.peers.child JOB.json RESULT.json``.

The job and the result are the dataclasses below. The outputs of each length go to an ``.npz`` file beside
the result, as float32 [batch, width] under the name of the length.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.peers.engines import open_engine

__all__ = ["ChildResult", "Job", "main", "measure", "peak_memory", "time_calls"]

# not linnet_bench's loop and Sampling: OpenVINO's environment has no linnet, and importing it adds to the peak memory
_WARMUP_RUNS = 3
_WARMUP_SECONDS = 0.05
_LEAST_SAMPLES = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """Job of a child process.

    Attributes:
        engine: name in :data:`benchmarks.peers.catalogue.ENGINES`.
        runner: name of its class, see :func:`benchmarks.peers.engines.open_engine`.
        file: file that the engine loads.
        threads: number of threads of the engine.
        seconds: sampling time for each length.
        batch: number of texts of one call, each with the same ids.
        ids: token ids of each input, by its length as text.
        outputs: ``.npz`` file to write.
    """

    engine: str
    runner: str
    file: str
    threads: int
    seconds: float
    batch: int
    ids: dict[str, list[int]]
    outputs: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChildResult:
    """Result of a child process, in nanoseconds and bytes.

    Attributes:
        engine, threads: as in the job.
        load_ns: time to import the library and load the file.
        samples_ns: latencies by length as text.
        peak_memory: peak resident bytes at the end.
    """

    engine: str
    threads: int
    load_ns: int
    samples_ns: dict[str, list[int]]
    peak_memory: int


def time_calls(call: Callable[[], object], seconds: float) -> list[int]:
    """Warm up, then return latencies in nanoseconds for ``seconds``, at least five."""
    warm_until = time.perf_counter_ns() + int(_WARMUP_SECONDS * 1e9)
    runs = 0
    while runs < _WARMUP_RUNS or time.perf_counter_ns() < warm_until:
        call()
        runs += 1
    samples: list[int] = []
    gc.collect()
    gc.disable()
    try:
        stop = time.perf_counter_ns() + int(seconds * 1e9)
        now = time.perf_counter_ns()
        while now < stop or len(samples) < _LEAST_SAMPLES:
            call()
            then, now = now, time.perf_counter_ns()
            samples.append(now - then)
    finally:
        gc.enable()
    return samples


def measure(job: Job) -> ChildResult:
    """Run a job in this process and write its outputs."""
    start = time.perf_counter_ns()
    engine = open_engine(job.runner, Path(job.file), job.threads)
    load_ns = time.perf_counter_ns() - start
    samples: dict[str, list[int]] = {}
    outputs: dict[str, np.ndarray] = {}
    for length, tokens in job.ids.items():
        ids = np.array([tokens] * job.batch, dtype=np.int64)
        samples[length] = time_calls(lambda ids=ids: engine.run(ids), job.seconds)  # type: ignore[misc]
        outputs[length] = np.array(engine.run(ids))
    np.savez(job.outputs, **outputs)  # type: ignore[arg-type]
    return ChildResult(
        engine=job.engine,
        threads=job.threads,
        load_ns=load_ns,
        samples_ns=samples,
        peak_memory=peak_memory(),
    )


def peak_memory() -> int:
    """Return ``VmHWM`` in bytes (see :func:`linnet_bench.machine.environment.peak_memory`, not imported here)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(arguments: list[str]) -> int:
    """Read a job from a file, run it and write the result to another file."""
    job_file, result_file = map(Path, arguments)
    result = measure(Job(**json.loads(job_file.read_text())))
    result_file.write_text(json.dumps(dataclasses.asdict(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
