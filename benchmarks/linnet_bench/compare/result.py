"""The result of ``linnet compare``; all times are nanoseconds, all sizes bytes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence

from linnet_bench.machine.environment import Environment
from linnet_bench.machine.state import State, is_busy
from linnet_bench.record.record import FileFacts, OutputCheck
from linnet_bench.record.statistics import PERCENTILE_DEFINITION, Summary

__all__ = [
    "COMPARISON_KIND",
    "COMPARISON_VERSION",
    "Candidate",
    "Comparison",
    "Latency",
    "Settings",
    "choose_accuracy",
    "latency_at",
    "mark_beaten",
]

COMPARISON_KIND = "linnet-compare"
COMPARISON_VERSION = "1.3"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Requested settings of the comparison.

    Attributes:
        lengths: tokens of one input, clipped to the smallest limit of the files.
        threads: thread counts.
        rounds: fresh processes of each file and thread count, in turns.
        seconds: time for each length in each round.
        cold_repeats: fresh processes of each file for the cold start; 0 leaves it out.
        data: name of the labelled data that was evaluated; empty if none.
        any_load: judge latencies even if the machine was busy.
    """

    lengths: tuple[int, ...]
    threads: tuple[int, ...]
    rounds: int
    seconds: float
    cold_repeats: int
    data: str
    any_load: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Latency:
    """Latency of the method that ran, from token ids to numpy outputs.

    Attributes:
        threads, tokens: thread count and input length.
        summary: statistics of the samples of all rounds.
        round_p50_ns: the median of each round.
    """

    threads: int
    tokens: int
    summary: Summary
    round_p50_ns: tuple[float, ...]


def latency_at(latencies: Sequence[Latency], threads: int, tokens: int) -> Latency | None:
    """Return the latency at one point, None if there is none."""
    return next((latency for latency in latencies if (latency.threads, latency.tokens) == (threads, tokens)), None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """One of the compared files.

    Attributes:
        label: its name in the result.
        file: identity and facts of the file.
        status: proven or unproven.
        partitions: number of partitions of ``forward`` that XNNPACK runs; None if the evidence has none.
        proof: figures of the proof, from the evidence.
        metrics: metrics on the data, measured now; empty without data.
        agreement: agreement with the first file, 0 to 1: mean cosine of embeddings, else the share of equal answers
            (for one score a text: of pairs in the same order).
        check: whether the golden cases were reproduced in every process; if not, nothing was timed.
        latencies: by thread count and length; of a decoder, of the prefill.
        decoding: of a decoder, of one token behind so many, by thread count and context.
        peak_memory: largest resident memory, in bytes, of a process that ran every length.
        cold_ns: time from process start to first answer, of each fresh process.
        cold_memory: their median peak of resident bytes; 0 if left out.
        method: the method that was timed, "forward" or "forward_fused"; None if nothing was.
        beaten_by: labels of files that are at least as small, as fast and as accurate, and better in one.
    """

    label: str
    file: FileFacts
    status: str
    partitions: int | None
    proof: Mapping[str, float]
    metrics: Mapping[str, float]
    agreement: float
    check: OutputCheck
    latencies: tuple[Latency, ...] = ()
    decoding: tuple[Latency, ...] = ()
    peak_memory: int | None = None
    cold_ns: tuple[int, ...] = ()
    cold_memory: int = 0
    method: str | None = None
    beaten_by: tuple[str, ...] = ()

    def latency(self, threads: int, tokens: int) -> Latency | None:
        """Return the latency at one point, of a decoder that of one token; None if there is none."""
        return latency_at(self.decoding or self.latencies, threads, tokens)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result of one ``linnet compare``.

    Attributes:
        created: start of the comparison, ISO 8601 in UTC.
        percentiles: definition of the percentiles.
        settings: requested settings.
        environment: the machine.
        before: state of the machine before the comparison; None if unknown.
        accuracy: the figure used as accuracy: a metric of the data, a figure of the proof, or "agreement".
        threads, tokens: the point whose p50 is used as speed.
        agreement_texts: number of texts for the agreement.
        files: in the order in which they were given.
    """

    kind: str = COMPARISON_KIND
    schema_version: str = COMPARISON_VERSION
    created: str
    percentiles: str = PERCENTILE_DEFINITION
    settings: Settings
    environment: Environment
    accuracy: str
    threads: int
    tokens: int
    agreement_texts: int
    files: tuple[Candidate, ...]
    before: State | None = None

    @property
    def judged(self) -> bool:
        """Return whether latencies are good enough to judge files by: the machine was idle, or any load is accepted."""
        busy = self.before is not None and is_busy(self.before, len(self.environment.affinity))
        return self.settings.any_load or not busy

    def identical(self) -> list[tuple[str, ...]]:
        """Return the labels of files with identical bytes, by their SHA-256; one entry for each set of such files."""
        labels: dict[str, list[str]] = {}
        for file in self.files:
            labels.setdefault(file.file.sha256, []).append(file.label)
        return [tuple(same) for same in labels.values() if len(same) > 1]

    def accuracy_of(self, candidate: Candidate) -> float:
        """Return a file's accuracy, NaN if it has none."""
        if self.accuracy == "agreement with the first file":
            return candidate.agreement
        return {**candidate.proof, **candidate.metrics}.get(self.accuracy, math.nan)

    def speed_of(self, candidate: Candidate) -> float:
        """Return a file's p50 at the point used as speed, NaN if it was not timed."""
        latency = candidate.latency(self.threads, self.tokens)
        return math.nan if latency is None else latency.summary.p50_ns

    def to_json(self) -> str:
        """Return indented JSON; NaN becomes null."""
        return json.dumps(_plain(dataclasses.asdict(self)), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def choose_accuracy(candidates: Sequence[Candidate]) -> str:
    """Return the name of the accuracy that all files have: the data's first metric, the proof's, or the agreement."""
    names = [*candidates[0].metrics][:1] or ["agreement", "cosine_mean"]
    for name in names:
        if all(name in {**candidate.proof, **candidate.metrics} for candidate in candidates):
            return name
    return "agreement with the first file"


def mark_beaten(comparison: Comparison) -> Comparison:
    """Return the comparison with ``beaten_by`` filled in: Pareto dominance in size, p50 and accuracy.

    A file without one of the three dominates none and is dominated by none. A p50 is better only if all rounds of one
    file are below all rounds of the other. Identical files share the smallest of their p50s. On a busy machine
    (:attr:`Comparison.judged`) no file is marked.
    """
    if not comparison.judged:
        return comparison
    whole = {file.label: file for file in comparison.files if not any(map(math.isnan, _cost(comparison, file)))}

    def beaten_by(file: Candidate) -> tuple[str, ...]:
        if file.label not in whole:
            return ()
        return tuple(label for label, other in whole.items() if _beats(comparison, other, file))

    files = tuple(dataclasses.replace(file, beaten_by=beaten_by(file)) for file in comparison.files)
    return dataclasses.replace(comparison, files=files)


def _cost(comparison: Comparison, file: Candidate) -> tuple[float, float, float]:
    """Return size, p50 and negated accuracy."""
    same = [other for other in comparison.files if other.file.sha256 == file.file.sha256]
    speeds = [speed for other in same if not math.isnan(speed := comparison.speed_of(other))]
    speed = math.nan if math.isnan(comparison.speed_of(file)) else min(speeds)
    return file.file.size, speed, -comparison.accuracy_of(file)


def _beats(comparison: Comparison, one: Candidate, other: Candidate) -> bool:
    """Return whether ``one`` is nowhere worse than ``other`` and somewhere better."""
    if one.file.sha256 == other.file.sha256:
        return False
    (size, speed, loss), theirs = _cost(comparison, one), _cost(comparison, other)
    if size > theirs[0] or speed > theirs[1] or loss > theirs[2]:
        return False
    return size < theirs[0] or loss < theirs[2] or max(_rounds(comparison, one)) < min(_rounds(comparison, other))


def _rounds(comparison: Comparison, file: Candidate) -> tuple[float, ...]:
    """Return the p50 of each round at the point used as speed; the file was timed there."""
    latency = file.latency(comparison.threads, comparison.tokens)
    assert latency is not None
    return latency.round_p50_ns


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
