"""Measuring presets: official, default and quick, with their durations and repeats.

The official method follows MLPerf Mobile's single-stream scenario: the next query begins when the last one is
answered, at least 1 024 queries and at least 60 seconds, and the result is the 90th percentile of the latency.
A result must be reproducible within 5 % in five tries with pauses between them.

Sources: "MLPerf Mobile Inference Rules" (github.com/mlcommons/mobile_open, rules/mobile_inference_rules.adoc,
commit 86a8737: the table of scenarios, MobileBERT single stream; section "Replicability"), the pause of up to five
minutes between tasks from rules/submissionRuleV3_0.adoc of the same commit, and the app's own settings
(github.com/mlcommons/mobile_app_open, flutter/assets/tasks.pbtxt, commit 051a47a: min_query_count 1024,
min_duration 60).

Differences: MLPerf measures its own models on its own data and is audited; here every length is a query of its own,
and nothing is discarded, so the percentile is that of all samples (nearest rank). A figure of ``linnet bench
--official`` is no MLPerf result and may not be called one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from linnet.cli.console import counted
from linnet_bench.record.record import LengthResult, Record, Settings, ThreadRun
from linnet_bench.record.sampling import SECONDS, Sampling
from linnet_bench.record.statistics import median, percentile

__all__ = [
    "DECODER",
    "DECODER_QUICK",
    "DEFAULT",
    "GENERATION",
    "HEADLINE",
    "OFFICIAL",
    "PRESETS",
    "QUICK",
    "REPRODUCIBLE",
    "Point",
    "Preset",
    "decode_points",
    "estimated_seconds",
    "first_token_points",
    "is_decoder",
    "points",
    "sampling_for",
    "shortcomings",
]

GENERATION = "text-generation"
"""The task of decoders."""

HEADLINE = 90
"""Percentile that the official method reports for a length."""

REPRODUCIBLE = 0.05
"""Largest spread of the repeats, (highest - lowest) / median, of a reproducible figure."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset(Sampling):
    """A measuring preset: values for settings that no option overrides, and the sampling of each length.

    Attributes:
        name: name in the record.
        lengths: input lengths in tokens.
        seconds: minimum time for the samples of one length.
        repeats: number of processes for each thread count.
        cooldown_seconds: pause before each process but the first.
        cold_repeats: number of fresh processes for the cold start.
    """

    name: str
    lengths: tuple[int, ...]
    seconds: float = SECONDS
    repeats: int = 1
    cooldown_seconds: float = 0.0
    cold_repeats: int = 7


DEFAULT = Preset(name="default", lengths=(8, 16, 32, 64, 128, 256, 512))
QUICK = Preset(name="quick", lengths=(8, 32, 128), seconds=0.2, cold_repeats=3)
OFFICIAL = Preset(
    name="official",
    lengths=DEFAULT.lengths,
    seconds=60.0,
    least_samples=1024,
    most_samples=10_000_000,  # effectively no limit: 60 s of the fastest model are 500 000 samples
    warmup_seconds=5.0,
    warmup_runs=10,
    repeats=5,
    cooldown_seconds=300.0,
)
DECODER = Preset(name="default", lengths=(16, 128, 512), least_samples=5, warmup_runs=1)
"""Default of decoders, whose samples are prompts with what follows them: each takes longer, and has more figures."""

DECODER_QUICK = Preset(
    name="quick", lengths=(16, 128), seconds=0.2, least_samples=3, warmup_runs=1, cold_repeats=QUICK.cold_repeats
)
PRESETS: Mapping[str, Preset] = {method.name: method for method in (DEFAULT, QUICK, OFFICIAL)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """Results of one thread count and length over all repeats.

    Attributes:
        threads, tokens: thread count, and input length or context.
        results: one for each repeat.
    """

    threads: int
    tokens: int
    results: tuple[LengthResult, ...]

    def each(self, q: float) -> list[float]:
        """Return the percentile of each repeat, in nanoseconds."""
        known = {50.0: "p50_ns", 90.0: "p90_ns", 99.0: "p99_ns"}
        if float(q) in known:
            return [float(getattr(result.summary, known[float(q)])) for result in self.results]
        return [float(percentile(result.samples_ns, q)) for result in self.results]

    def middle(self, q: float) -> float:
        """Return the median over the repeats of a percentile, in nanoseconds."""
        return median(self.each(q))

    def spread(self, q: float) -> float:
        """Return (highest - lowest) / median of a percentile over the repeats; 0 for one repeat."""
        percentiles = self.each(q)
        return (max(percentiles) - min(percentiles)) / median(percentiles)

    @property
    def samples(self) -> int:
        """Return the number of samples of all repeats."""
        return sum(result.summary.samples for result in self.results)

    @property
    def energy_j(self) -> float | None:
        """Return the joules for one inference over all repeats; None if a repeat has no counter."""
        used = [result.energy_j for result in self.results if result.energy_j is not None]
        return sum(used) / self.samples if len(used) == len(self.results) else None


def is_decoder(record: Record) -> bool:
    """Return whether a record is of a decoder."""
    return record.file.task == GENERATION


def sampling_for(task: str, seconds: float) -> Sampling:
    """Return the sampling of commands that measure shortly and often: at least this time for each length."""
    if task == GENERATION:
        return Sampling(seconds=seconds, least_samples=DECODER_QUICK.least_samples, warmup_runs=1)
    return Sampling(seconds=seconds)


def points(runs: Sequence[ThreadRun]) -> list[Point]:
    """Return the results of ``forward`` (of a decoder, of the prefill) by thread count and length, in rising order."""
    return _grouped((run.threads, result.tokens, result) for run in runs for result in run.lengths)


def decode_points(runs: Sequence[ThreadRun]) -> list[Point]:
    """Return the results of one further token of a decoder by thread count and context, in rising order."""
    return _grouped((run.threads, result.context, result.token) for run in runs for result in run.decoding)


def first_token_points(runs: Sequence[ThreadRun]) -> list[Point]:
    """Return the results of a decoder's first token by thread count and context, in rising order."""
    return _grouped((run.threads, result.context, result.first_token) for run in runs for result in run.decoding)


def _grouped(results: Iterable[tuple[int, int, LengthResult]]) -> list[Point]:
    groups: dict[tuple[int, int], list[LengthResult]] = {}
    for threads, tokens, result in results:
        groups.setdefault((threads, tokens), []).append(result)
    return [
        Point(threads=threads, tokens=tokens, results=tuple(of_both))
        for (threads, tokens), of_both in sorted(groups.items())
    ]


def estimated_seconds(settings: Settings) -> float:
    """Return the minimum duration of a measurement in seconds: samples, warm-up and pauses, without loading."""
    processes = settings.repeats * len(settings.threads)
    length = (settings.seconds or 0.0) + settings.warmup_seconds
    return processes * length * (len(settings.lengths) + 1) + (processes - 1) * settings.cooldown_seconds


def shortcomings(record: Record) -> Iterator[str]:
    """Yield the reasons why a record does not meet the official method; nothing if it does."""
    settings = record.settings
    if record.partial:
        yield f"it ended early: {record.ended_early}"
    if record.environment.emulated:
        yield f"the processor is emulated ({record.environment.emulated})"
    repeats = min((len(point.results) for point in points(record.runs)), default=0)
    if repeats < OFFICIAL.repeats:
        yield f"{counted(repeats, 'repeat')}, expected {OFFICIAL.repeats}"
    results = [result for point in points(record.runs) for result in point.results]
    fewest = min((result.summary.samples for result in results), default=0)
    if fewest < OFFICIAL.least_samples:
        yield f"a length has {counted(fewest, 'sample')}, expected {OFFICIAL.least_samples}"
    shortest = min((sum(result.samples_ns) for result in results), default=0) / 1e9
    if (settings.seconds or 0.0) < OFFICIAL.seconds and shortest < OFFICIAL.seconds:
        yield f"a length was measured for {shortest:.1f} s, expected {OFFICIAL.seconds:.0f} s"
    for point in points(record.runs):
        if point.spread(HEADLINE) > REPRODUCIBLE:
            yield (
                f"the p{HEADLINE} at {point.tokens} tokens on {counted(point.threads, 'thread')} differs by "
                f"{point.spread(HEADLINE):.1%} between the repeats, at most {REPRODUCIBLE:.0%} allowed"
            )
