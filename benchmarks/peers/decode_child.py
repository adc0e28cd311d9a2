"""One decoder, one thread count, one process: ``python -m benchmarks.peers.decode_child JOB.json RESULT.json``."""

from __future__ import annotations

import dataclasses
import gc
import json
import sys
import time
from pathlib import Path

from benchmarks.peers.child import peak_memory
from benchmarks.peers.decode_engines import CLOCKS, open_decoder

__all__ = ["DecodeJob", "DecodeSaid", "main", "measure"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeJob:
    """Job of a child process.

    Attributes:
        runner: name of the class, see :func:`benchmarks.peers.decode_engines.open_decoder`.
        file: file or folder that the engine loads.
        threads: number of threads of the engine.
        tokens: tokens that each prompt is continued by.
        prompts: token ids of the prompts, by their length as text; the first of each length is a warm-up.
        clock: name in :data:`benchmarks.peers.decode_engines.CLOCKS`.
    """

    runner: str
    file: str
    threads: int
    tokens: int
    prompts: dict[str, list[list[int]]]
    clock: str = "wall"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeSaid:
    """Result of a child process, in nanoseconds and bytes; every list is by the length of the prompt as text.

    Attributes:
        load_ns: time to import the library and load the file.
        first_ns: time to the first token of each prompt.
        token_ns: time of each further token.
        ids: tokens behind each prompt.
        peak_memory: peak resident bytes at the end.
    """

    load_ns: int
    first_ns: dict[str, list[int]]
    token_ns: dict[str, list[int]]
    ids: dict[str, list[list[int]]]
    peak_memory: int


def measure(job: DecodeJob) -> DecodeSaid:
    """Run a job in this process."""
    start = time.perf_counter_ns()
    engine = open_decoder(job.runner, Path(job.file), job.threads, CLOCKS[job.clock])
    load_ns = time.perf_counter_ns() - start
    first: dict[str, list[int]] = {}
    token: dict[str, list[int]] = {}
    ids: dict[str, list[list[int]]] = {}
    for length, prompts in job.prompts.items():
        engine.continue_(prompts[0], job.tokens)
        gc.collect()
        continued = [engine.continue_(prompt, job.tokens) for prompt in prompts[1:]]
        first[length] = [one.first_ns for one in continued]
        token[length] = [time_ns for one in continued for time_ns in one.token_ns]
        ids[length] = [one.ids for one in continued]
    return DecodeSaid(load_ns=load_ns, first_ns=first, token_ns=token, ids=ids, peak_memory=peak_memory())


def main(arguments: list[str]) -> int:
    """Read a job from a file, run it and write the result to another file."""
    job_file, result_file = map(Path, arguments)
    said = measure(DecodeJob(**json.loads(job_file.read_text(encoding="utf-8"))))
    result_file.write_text(json.dumps(dataclasses.asdict(said)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
