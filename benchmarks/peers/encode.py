"""Throughput on many texts of mixed length: linnet's ``encode`` and tuned ONNX Runtime, on the same CPUs, in turns."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.paths import ROOT
from benchmarks.peers.compare import Ratio
from benchmarks.peers.encode_child import EncodeJob, EncodeSaid
from benchmarks.peers.models import MAX_LENGTH, ModelSpec, checkpoint_folder
from benchmarks.peers.texts import distribution
from linnet_bench.measure.engine import take_turns
from linnet_bench.record.statistics import median

__all__ = ["VARIANTS", "EncodeResult", "EncodeVariant", "measure_encode", "ratio_of_best"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeVariant:
    """One variant that encodes a list of texts.

    Attributes:
        title: name for people.
        engine: "linnet" or "onnxruntime".
        file: engine of :data:`benchmarks.peers.catalogue.ENGINES` whose file it loads.
        sessions: several sessions share the list; False: one session with all threads.
        batch: maximum number of texts of one run.
    """

    title: str
    engine: str
    file: str
    sessions: bool = False
    batch: int = 1


def _onnx_variants() -> dict[str, EncodeVariant]:
    variants: dict[str, EncodeVariant] = {}
    for kind, words in (("fused", "fused"), ("plain", "as exported")):
        for sessions in (False, True):
            for batch in (1, 8, 32):
                how = "a session a thread" if sessions else "one session"
                how += f", batches of {batch}" if batch > 1 else ", one by one"
                variants[f"onnxruntime-{kind}-{'sessions' if sessions else 'threads'}-{batch}"] = EncodeVariant(
                    title=f"ONNX Runtime int8 {words}, {how}",
                    engine="onnxruntime",
                    file=f"onnxruntime-{kind}",
                    sessions=sessions,
                    batch=batch,
                )
    return variants


VARIANTS: Mapping[str, EncodeVariant] = {
    "linnet-threads": EncodeVariant(title="linnet int8, one session with all threads", engine="linnet", file="linnet"),
    "linnet-sessions": EncodeVariant(
        title="linnet int8, one session a thread", engine="linnet", file="linnet", sessions=True
    ),
    **_onnx_variants(),
}
_LEAST_ROUNDS = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeResult:
    """Result of all turns.

    Attributes:
        texts: number of texts.
        distribution: distribution of their lengths, in words.
        threads: number of CPUs of every variant.
        elapsed_ns: time of each turn, by variant; only of the finalists.
        first_ns: time of every variant for the first fifth of the texts, which chose the finalists.
        peak_memory: peak memory of each variant in bytes, the largest of its turns.
        cosine: smallest cosine between linnet's and ONNX Runtime's embedding of a text.
    """

    texts: int
    distribution: str
    threads: int
    elapsed_ns: Mapping[str, Sequence[int]]
    peak_memory: Mapping[str, int]
    cosine: float
    first_ns: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def ratio(self) -> Ratio:
        """Return the texts per second of linnet's best variant over those of ONNX Runtime's best."""
        return ratio_of_best(self.elapsed_ns)

    def lines(self) -> list[str]:
        """Return the result as Markdown."""
        rows = ["| | seconds | range | texts/s | peak memory, MB |", "|---|---:|---:|---:|---:|"]
        for name in sorted(self.elapsed_ns, key=lambda name: median(self.elapsed_ns[name])):
            seconds = [value / 1e9 for value in self.elapsed_ns[name]]
            middle, span = median(seconds), f"{min(seconds):.2f}-{max(seconds):.2f}"
            rows.append(
                f"| {VARIANTS[name].title} | {middle:.2f} | {span} | {self.texts / middle:.0f} "
                f"| {self.peak_memory[name] / 1e6:.0f} |"
            )
        ratio = self.ratio
        end = (
            f"\nlinnet's best beside ONNX Runtime's best: **{ratio.middle:.2f}x** ({ratio.low:.2f}-{ratio.high:.2f}); "
            f"smallest cosine between the two {self.cosine:.4f}."
        )
        if self.first_ns:
            every = sorted(self.first_ns, key=self.first_ns.__getitem__)
            first = ", ".join(f"{VARIANTS[name].title} {self.first_ns[name] / 1e9:.2f}" for name in every)
            end += f"\n\nSeconds for the first fifth, which chose who is above: {first}."
        return [f"{self.distribution}; tokenizing included, {self.threads} threads for everybody.\n", *rows, end]


def ratio_of_best(elapsed_ns: Mapping[str, Sequence[int]]) -> Ratio:
    """Return the time of ONNX Runtime's best variant over that of linnet's best, turn by turn.

    The best variant is the one with the smallest median; only turns that both had are compared.
    """
    best = {
        engine: min(
            (name for name in elapsed_ns if VARIANTS[name].engine == engine), key=lambda name: median(elapsed_ns[name])
        )
        for engine in ("linnet", "onnxruntime")
    }
    ratios = [
        theirs / ours for ours, theirs in zip(elapsed_ns[best["linnet"]], elapsed_ns[best["onnxruntime"]], strict=False)
    ]
    return Ratio(middle=median(ratios), low=min(ratios), high=max(ratios))


def measure_encode(
    spec: ModelSpec, files: Mapping[str, Path], texts: Sequence[str], *, threads: int, rounds: int, finalists: int = 2
) -> EncodeResult:
    """Run every variant on a fifth of the list, then the fastest ones of each engine on all of it, in turns.

    Args:
        spec: the model.
        files: by engine of the catalogue.
        texts: at least two.
        threads: number of threads of every variant.
        rounds: turns of the finalists.
        finalists: number of finalists of each engine.

    Raises:
        RuntimeError: a process failed; the message ends with its output.
    """
    checkpoint = checkpoint_folder(spec)
    with tempfile.TemporaryDirectory() as name:
        turns = _Turns(spec.name, files, checkpoint / "tokenizer.json", threads, Path(name))
        turns.read(texts[: max(2, len(texts) // 5)])
        present = [which for which, variant in VARIANTS.items() if variant.file in files]
        first = {which: turns.take(which, "which is best") for which in present}
        turns.read(texts)
        chosen = _fastest(first, finalists)
        elapsed: dict[str, list[int]] = {which: [] for which in chosen}
        take_turns(
            chosen,
            max(rounds, _LEAST_ROUNDS),
            lambda which, number: elapsed[which].append(turns.take(which, f"turn {number + 1}/{rounds}")),
        )
    return EncodeResult(
        texts=len(texts),
        distribution=distribution(_token_counts(checkpoint, texts)),
        threads=threads,
        elapsed_ns=elapsed,
        peak_memory=turns.memory,
        first_ns=first,
        cosine=_least_cosine(turns.vectors["linnet"], turns.vectors["onnxruntime"]),
    )


class _Turns:
    """Processes that encode the same texts, one after the other.

    Attributes:
        memory: largest peak memory of each variant in bytes.
        vectors: last embeddings of each engine, float32 [texts, width].
    """

    def __init__(self, model: str, files: Mapping[str, Path], tokenizer: Path, threads: int, folder: Path) -> None:
        self._model, self._files, self._tokenizer = model, files, tokenizer
        self._threads, self._folder = threads, folder
        self.memory: dict[str, int] = {}
        self.vectors: dict[str, np.ndarray] = {}

    def read(self, texts: Sequence[str]) -> None:
        """Give these texts to the next turns."""
        (self._folder / "texts.json").write_text(json.dumps(list(texts)), encoding="utf-8")

    def take(self, which: str, note: str) -> int:
        """Run a variant in a process of its own, and return its nanoseconds."""
        variant = VARIANTS[which]
        print(f"-- encode: {self._model}, {note}: {variant.title}", file=sys.stderr, flush=True)
        job = EncodeJob(
            engine=variant.engine,
            file=str(self._files[variant.file]),
            tokenizer=str(self._tokenizer),
            threads=1 if variant.sessions else self._threads,
            sessions=self._threads if variant.sessions else 1,
            batch=variant.batch,
            texts=str(self._folder / "texts.json"),
            most_tokens=MAX_LENGTH,
            outputs=str(self._folder / "outputs.npz"),
        )
        said = _run_child(job, self._folder)
        self.memory[which] = max(said.peak_memory, self.memory.get(which, 0))
        with np.load(self._folder / "outputs.npz") as arrays:
            self.vectors[variant.engine] = arrays["embeddings"]
        return said.elapsed_ns


def _fastest(first: Mapping[str, int], count: int) -> list[str]:
    chosen: list[str] = []
    for engine in ("linnet", "onnxruntime"):
        names = [name for name in first if VARIANTS[name].engine == engine]
        chosen += sorted(names, key=first.__getitem__)[:count]
    return chosen


def _run_child(job: EncodeJob, folder: Path) -> EncodeSaid:
    job_file, result_file = folder / "job.json", folder / "result.json"
    job_file.write_text(json.dumps(dataclasses.asdict(job)), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.peers.encode_child", str(job_file), str(result_file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"encode with {job.engine} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return EncodeSaid(**json.loads(result_file.read_text(encoding="utf-8")))


def _token_counts(checkpoint: Path, texts: Sequence[str]) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_LENGTH)
    return [len(encoding.ids) for encoding in tokenizer.encode_batch(list(texts))]


def _least_cosine(one: np.ndarray, other: np.ndarray) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(((a * b).sum(axis=1) / lengths).min())
