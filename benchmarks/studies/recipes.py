"""Every recipe on the real all-MiniLM-L6-v2: size, Spearman on STS-B dev, cosine with the original, latency.

``python -m benchmarks.studies.recipes stsb-en-dev.csv --calibration stsb-en-train.csv``: exports one file for each
recipe (kept in build/bench, made again with ``--fresh``), runs all sentences of the CSV through the torch-free
SDK and the original through transformers. ``--time`` adds milliseconds at 32 and 128 tokens on one thread, the
files taking turns in one process. Calibration texts are never among the measured ones.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import linnet
from benchmarks.paths import CACHE
from benchmarks.peers.models import minilm_folder
from benchmarks.studies.fidelity import original_vectors, spearman
from linnet.cli.console import Console
from linnet.model import Model
from linnet.runtime import open_runtime
from linnet_bench.measure.probe import forward_inputs
from linnet_export import ExportConfig, QuantizationConfig, export

__all__ = ["RECIPES", "Row", "main"]

_MAX_LENGTH = 256
_TOKENS = (32, 128)
_ROUNDS = 40


@dataclasses.dataclass(frozen=True)
class _Export:
    """One row of the table."""

    title: str
    recipe: str
    settings: QuantizationConfig = dataclasses.field(default_factory=QuantizationConfig)
    calibrated: bool = False


RECIPES: tuple[_Export, ...] = (
    _Export("fp32", "fp32"),
    _Export("fp16", "fp16"),
    _Export("int8", "int8"),
    _Export("int8 --embedding 4w", "int8", QuantizationConfig(embedding="4w")),
    _Export("int8-static --observer minmax", "int8-static", QuantizationConfig(observer="minmax"), True),
    _Export("int8-static --observer percentile", "int8-static", QuantizationConfig(observer="percentile"), True),
    _Export("8da4w", "8da4w"),
    _Export("8da4w --calibration", "8da4w", QuantizationConfig(), True),
    _Export("8da4w --algorithm rtn", "8da4w", QuantizationConfig(algorithm="rtn")),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """The figures of one file.

    Attributes:
        title: recipe and options.
        megabytes: size of the file, 10^6 bytes, tokenizer included.
        spearman: rank correlation on the pairs of the CSV.
        cosine_mean, cosine_worst: with the original, over all sentences.
        milliseconds: median by length in tokens; empty without ``--time``.
    """

    title: str
    megabytes: float
    spearman: float
    cosine_mean: float
    cosine_worst: float
    milliseconds: tuple[float, ...] = ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Export, measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.recipes", description=__doc__)
    parser.add_argument("data", type=Path, help="STS-B dev as CSV: sentence, sentence, score")
    parser.add_argument("--calibration", type=Path, required=True, help="other texts, one in the first column")
    parser.add_argument("--only", action="append", metavar="TITLE", help="only this row (repeatable)")
    parser.add_argument("--fresh", action="store_true", help="export again what an earlier run has left")
    parser.add_argument("--time", action="store_true", help="measure latency too; needs an idle machine")
    args = parser.parse_args(arguments)
    chosen = [variant for variant in RECIPES if not args.only or variant.title in args.only]
    files = {variant.title: _file(variant, args.calibration, args.fresh) for variant in chosen}
    with args.data.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == 3]
    texts = [row[0] for row in rows] + [row[1] for row in rows]
    scores = [float(row[2]) for row in rows]
    original = original_vectors(texts, _MAX_LENGTH)
    times = _latencies(files) if args.time else {}
    table = [_measure(title, path, texts, scores, original, times.get(title, ())) for title, path in files.items()]
    _print(table, spearman(original, scores), len(rows))
    return 0


def _file(variant: _Export, calibration: Path, fresh: bool) -> Path:
    path = CACHE / "recipes" / f"{variant.title.replace(' ', '_')}.pte"
    if path.exists() and not fresh:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"== exporting {variant.title}", file=sys.stderr, flush=True)
    config = ExportConfig(
        model=str(minilm_folder()),
        output=path,
        recipe=variant.recipe,
        quantization=variant.settings,
        calibration=calibration if variant.calibrated else None,
        max_length=_MAX_LENGTH,
        prove=False,  # the table replaces the proof and must include files over budget
        force=True,
    )
    export(config)
    return path


def _measure(
    title: str,
    path: Path,
    texts: Sequence[str],
    scores: Sequence[float],
    original: npt.NDArray[np.float32],
    milliseconds: tuple[float, ...],
) -> Row:
    with linnet.load(path) as model:
        vectors = model.encode(list(texts), normalize_embeddings=True)
    cosines = (vectors * original).sum(axis=1)
    return Row(
        title,
        path.stat().st_size / 1e6,
        spearman(vectors, scores),
        float(cosines.mean()),
        float(cosines.min()),
        milliseconds,
    )


def _latencies(files: dict[str, Path]) -> dict[str, tuple[float, ...]]:
    """Return the medians, in milliseconds, of interleaved single runs on one thread."""
    opened = {title: open_runtime(str(path), 1) for title, path in files.items()}
    medians: dict[str, list[float]] = {title: [] for title in files}
    for tokens in _TOKENS:
        inputs = {title: forward_inputs(Model(runtime), runtime, tokens) for title, runtime in opened.items()}
        taken: dict[str, list[float]] = {title: [] for title in files}
        for _ in range(_ROUNDS):
            for title, runtime in opened.items():
                start = time.perf_counter()
                runtime.run("forward", inputs[title])
                taken[title].append(1e3 * (time.perf_counter() - start))
        for title in files:
            medians[title].append(statistics.median(taken[title]))
    for runtime in opened.values():
        runtime.close()
    return {title: tuple(values) for title, values in medians.items()}


def _print(table: Sequence[Row], original: float, pairs: int) -> None:
    out = Console()
    out.line(f"all-MiniLM-L6-v2, STS-B dev, {pairs} pairs; the original has a Spearman of {original:.4f}")
    timed = bool(table[0].milliseconds)
    lengths = tuple(f"ms, {tokens} tokens" for tokens in _TOKENS) if timed else ()
    columns = ("recipe", "MB", "Spearman", "loss", "mean cosine", "worst cosine", *lengths)
    rows = [
        (
            row.title,
            f"{row.megabytes:.2f}",
            f"{row.spearman:.4f}",
            f"{original - row.spearman:+.4f}",
            f"{row.cosine_mean:.4f}",
            f"{row.cosine_worst:.4f}",
            *(f"{millisecond:.2f}" for millisecond in row.milliseconds),
        )
        for row in table
    ]
    out.table(columns, rows, right=tuple(range(1, len(columns))))


if __name__ == "__main__":
    sys.exit(main())
