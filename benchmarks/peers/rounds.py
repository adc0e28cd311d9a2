"""Rounds of short-lived processes, one for each engine, in turns A B C A B C ..., and their collected results."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.paths import ROOT
from benchmarks.peers.catalogue import ENGINES
from benchmarks.peers.child import ChildResult, Job
from benchmarks.peers.compare import Round
from benchmarks.peers.environments import interpreter
from benchmarks.peers.models import ModelSpec, checkpoint_folder
from linnet.cli.console import counted
from linnet_bench.measure.engine import take_turns
from linnet_bench.measure.sample import long_text

__all__ = ["Outputs", "RoundsPlan", "RoundsResult", "run_child", "run_rounds", "token_ids"]

Outputs = Mapping[int, npt.NDArray[np.float32]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoundsPlan:
    """What to compare.

    Attributes:
        part: part of the benchmark, see :data:`benchmarks.peers.plan.PARTS`.
        spec: the model.
        engines: names, in the order of their turns.
        files: file of each engine.
        threads: number of threads of every engine.
        lengths: tokens, special tokens included.
        rounds: number of turns of each engine.
        seconds: sampling time for each length and turn.
        batch: number of texts of one call.
    """

    part: str = "latency"
    spec: ModelSpec
    engines: Sequence[str]
    files: Mapping[str, Path]
    threads: int
    lengths: Sequence[int]
    rounds: int
    seconds: float
    batch: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoundsResult:
    """Results of all rounds.

    Attributes:
        rounds: latencies.
        outputs: outputs of each engine by length, from its last turn.
        load_ns: load time of each engine, one for each turn.
        peak_memory: peak memory of each engine in bytes, the largest of its turns.
    """

    rounds: list[Round]
    outputs: dict[str, Outputs]
    load_ns: dict[str, list[int]]
    peak_memory: dict[str, int]


def token_ids(checkpoint: Path, lengths: Sequence[int]) -> dict[str, list[int]]:
    """Return token ids of real text, each list exactly as long as requested, special tokens included."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    ids: dict[str, list[int]] = {}
    for length in lengths:
        tokenizer.enable_truncation(length)
        ids[str(length)] = tokenizer.encode(long_text(length)).ids
        assert len(ids[str(length)]) == length
    return ids


def run_child(job: Job, folder: Path) -> ChildResult:
    """Run a job in a process of its own.

    Raises:
        RuntimeError: the process failed; the message ends with its output.
    """
    job_file, result_file = folder / "job.json", folder / "result.json"
    job_file.write_text(json.dumps(dataclasses.asdict(job)))
    python = interpreter(ENGINES[job.engine].environment)
    command = [python, "-m", "benchmarks.peers.child", str(job_file), str(result_file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{job.engine} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return ChildResult(**json.loads(result_file.read_text()))


def run_rounds(wanted: RoundsPlan) -> RoundsResult:
    """Run every engine in turns and return all samples."""
    ids = token_ids(checkpoint_folder(wanted.spec), wanted.lengths)
    rounds: list[dict[str, Mapping[int, Sequence[int]]]] = [{} for _ in range(wanted.rounds)]
    result = RoundsResult(rounds=[*rounds], outputs={}, load_ns={}, peak_memory={})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(engine: str, turn: int) -> None:
            where = f"{wanted.spec.name}, {counted(wanted.threads, 'thread')}, turn {turn + 1}/{wanted.rounds}"
            _say(f"{wanted.part}: {where}: {engine}")
            said = run_child(_job(wanted, engine, ids, folder), folder)
            samples = {int(length): samples for length, samples in said.samples_ns.items()}
            rounds[turn][engine] = samples
            _keep(result, engine, said, folder / "outputs.npz")

        take_turns(wanted.engines, wanted.rounds, run)
    return result


def _job(wanted: RoundsPlan, engine: str, ids: dict[str, list[int]], folder: Path) -> Job:
    return Job(
        engine=engine,
        runner=ENGINES[engine].runner,
        file=str(wanted.files[engine]),
        threads=wanted.threads,
        seconds=wanted.seconds,
        batch=wanted.batch,
        ids=ids,
        outputs=str(folder / "outputs.npz"),
    )


def _keep(result: RoundsResult, engine: str, said: ChildResult, outputs: Path) -> None:
    with np.load(outputs) as arrays:
        result.outputs[engine] = {int(length): arrays[length] for length in arrays.files}
    result.load_ns.setdefault(engine, []).append(said.load_ns)
    result.peak_memory[engine] = max(said.peak_memory, result.peak_memory.get(engine, 0))


def _say(text: str) -> None:
    print(f"-- {text}", file=sys.stderr, flush=True)
