"""Results of one run, and their JSON record; Markdown is in :mod:`benchmarks.peers.markdown`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

from benchmarks.peers.catalogue import ENGINES, OURS, REFERENCE
from benchmarks.peers.compare import Round, by_family, cosine, ratios
from benchmarks.peers.concurrency import Scaling
from benchmarks.peers.encode import EncodeResult
from benchmarks.peers.footprint import ColdResult
from benchmarks.peers.roofline import RooflineResult
from benchmarks.peers.rounds import RoundsPlan, RoundsResult
from benchmarks.peers.targets import ENCODE, ROOFLINE_SHARE, Target, latency_targets
from linnet_bench.machine.environment import Environment, State
from linnet_bench.record.statistics import PERCENTILE_DEFINITION

__all__ = ["REPORT_KIND", "Comparison", "Report", "targets", "to_json", "worst_cosines"]

REPORT_KIND = "linnet-peers"
REPORT_VERSION = "2.0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Results of one model with one thread count.

    Attributes:
        wanted: what was compared.
        result: results of the rounds.
    """

    wanted: RoundsPlan
    result: RoundsResult

    @property
    def families(self) -> dict[str, list[str]]:
        """Return the engines of each family that took part, in the order of their turns."""
        families: dict[str, list[str]] = {}
        for engine in self.wanted.engines:
            families.setdefault(ENGINES[engine].family, []).append(engine)
        return families

    @property
    def family_rounds(self) -> list[Round]:
        """Return the rounds by family: at each length its fastest engine."""
        return by_family(self.result.rounds, self.families)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """All results of one run.

    Attributes:
        created: start of the run, ISO 8601 in UTC.
        seconds: duration of the run.
        environment: the machine.
        versions: versions of the engines' distributions.
        before, after: state of the machine.
        files: SHA-256 of each file by its path in the cache.
        comparisons: one for each part, model and thread count.
        cold: cold starts by model, then by engine or baseline.
        installed: bytes on disk by engine.
        scaling: throughput of two sessions over that of one, by model.
        encode: throughput on many texts, by model.
        roofline: share of the GEMM peak, by model.
        partial: it was interrupted.
    """

    created: str
    seconds: float = 0.0
    environment: Environment
    versions: Mapping[str, str]
    before: State
    after: State
    files: Mapping[str, str]
    comparisons: Sequence[Comparison]
    cold: Mapping[str, Mapping[str, ColdResult]]
    installed: Mapping[str, int] = dataclasses.field(default_factory=dict)
    scaling: Mapping[str, Scaling]
    encode: Mapping[str, EncodeResult] = dataclasses.field(default_factory=dict)
    roofline: Mapping[str, RooflineResult] = dataclasses.field(default_factory=dict)
    partial: bool

    @property
    def kernels(self) -> str:
        """Name of linnet's kernels for this processor; empty if the runtime does not tell it."""
        return self.environment.runtime.get("kernels", "")


def worst_cosines(result: RoundsResult) -> dict[str, float]:
    """Return for each engine the smallest cosine of its outputs with those of PyTorch eager, over all lengths."""
    reference = result.outputs[REFERENCE]
    return {
        engine: min(cosine(output, reference[length]) for length, output in outputs.items())
        for engine, outputs in result.outputs.items()
    }


def targets(report: Report) -> list[Target]:
    """Return every target that the run has figures for."""
    judged: list[Target] = []
    latency = [comparison for comparison in report.comparisons if comparison.wanted.part == "latency"]
    for title in dict.fromkeys(comparison.wanted.spec.title for comparison in latency):
        chosen = [comparison for comparison in latency if comparison.wanted.spec.title == title]
        by_threads = {comparison.wanted.threads: comparison.family_rounds for comparison in chosen}
        if len({len(rounds) for rounds in by_threads.values()}) == 1:
            judged += latency_targets(title, report.kernels, by_threads)
    for model, result in report.encode.items():
        ratio = result.ratio
        what = f"{model}: encode of {result.texts} texts, linnet / ONNX Runtime in texts a second"
        judged.append(Target(what=what, found=ratio.middle, needed=ENCODE, spread=(ratio.low, ratio.high)))
    for model, roofline in report.roofline.items():
        share = roofline.share
        what = f"{model}: share of the int8 GEMM peak at {roofline.tokens} tokens on one thread, linear layers only"
        judged.append(
            Target(what=what, found=share.middle, needed=ROOFLINE_SHARE, spread=(share.low, share.high), unit="")
        )
    return judged


def to_json(report: Report) -> str:
    """Return the report with all samples as JSON; outputs are reduced to their cosines."""
    data = {
        "kind": REPORT_KIND,
        "schema_version": REPORT_VERSION,
        "created": report.created,
        "seconds": report.seconds,
        "partial": report.partial,
        "percentiles": PERCENTILE_DEFINITION,
        "environment": dataclasses.asdict(report.environment),
        "versions": dict(report.versions),
        "before": dataclasses.asdict(report.before),
        "after": dataclasses.asdict(report.after),
        "files": dict(report.files),
        "comparisons": [_comparison_data(comparison) for comparison in report.comparisons],
        "cold": {
            model: {name: dataclasses.asdict(result) for name, result in cold.items()}
            for model, cold in report.cold.items()
        },
        "installed": dict(report.installed),
        "scaling": {model: dataclasses.asdict(result) for model, result in report.scaling.items()},
        "encode": {model: dataclasses.asdict(result) for model, result in report.encode.items()},
        "roofline": {model: dataclasses.asdict(result) for model, result in report.roofline.items()},
        "targets": [{**dataclasses.asdict(target), "met": target.met} for target in targets(report)],
    }
    return json.dumps(data, ensure_ascii=False) + "\n"


def _comparison_data(comparison: Comparison) -> dict[str, object]:
    wanted, result = comparison.wanted, comparison.result
    rounds = comparison.family_rounds
    return {
        "part": wanted.part,
        "model": wanted.spec.name,
        "threads": wanted.threads,
        "batch": wanted.batch,
        "engines": list(wanted.engines),
        "seconds": wanted.seconds,
        "rounds_ns": [
            {engine: {str(n): list(samples) for n, samples in by.items()} for engine, by in one.items()}
            for one in result.rounds
        ],
        "ratios": {
            family: {str(n): dataclasses.asdict(r) for n, r in ratios(rounds, OURS, family).items()}
            for family in comparison.families
            if family != OURS
        },
        "worst_cosine": worst_cosines(result),
        "load_ns": result.load_ns,
        "peak_memory": result.peak_memory,
    }
