"""One trial of a search: training, export, accuracy and latency of the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import DeviceError
from linnet_bench.measure.benchmark import Benchmark
from linnet_bench.record.record import Settings
from linnet_bench.record.statistics import percentile
from linnet_export import export
from linnet_train import train
from linnet_train.config import TrainConfig
from linnet_train.exported_file import export_config, measure_file
from linnet_train.progress import TrainListener

__all__ = ["FILE", "Outcome", "run_trial"]

FILE = "model.pte"
_SECONDS = 0.3  # of measured inferences


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a trial is worth, of the file and not of the checkpoint.

    Attributes:
        figures: on the held-out rows, as `linnet eval` gives them.
        megabytes: of the file.
        milliseconds: p50 of one text on one thread.
    """

    figures: Mapping[str, float]
    megabytes: float
    milliseconds: float


def run_trial(config: TrainConfig, exported: Mapping[str, Any], tokens: int, listener: TrainListener) -> Outcome:
    """Train, export and measure; the file is :data:`FILE` in the trial's directory.

    Raises:
        LinnetError: of the training, or of the export, whose proof may refuse.
    """
    train(config, listener)
    settings = export_config(config, config.output / FILE, exported)
    file = measure_file(export(settings, listener), config.output, config.task)
    return Outcome(figures=file.figures, megabytes=file.megabytes, milliseconds=_latency(file.path, tokens))


def _latency(path: Path, tokens: int) -> float:
    """Return the p50 of ``tokens`` tokens on one thread, in a process of its own, in milliseconds."""
    settings = Settings(lengths=(tokens,), threads=(1,), seconds=_SECONDS, samples=None, cold_repeats=0)
    benchmark = Benchmark(path, settings, lambda text: None)
    failure = benchmark.measure()
    record = benchmark.record()
    if failure is not None:
        raise failure
    if benchmark.interrupted:
        raise KeyboardInterrupt
    if record is None or not record.runs or not record.runs[0].lengths:
        raise DeviceError(f"{path}: its latency could not be measured: its golden cases are wrong here")
    return percentile(record.runs[0].lengths[0].samples_ns, 50) / 1e6
