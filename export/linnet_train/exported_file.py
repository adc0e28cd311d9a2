"""Export of a trained checkpoint, and evaluation of the file on the held-out rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.format.evidence import EntityProof
from linnet.loading import load
from linnet_bench.accuracy.datasets import choose_columns, read_table
from linnet_bench.accuracy.entity_errors import EntityError
from linnet_bench.accuracy.evaluation import evaluate
from linnet_bench.record.preset import GENERATION
from linnet_export.config import ExportConfig
from linnet_export.output.report import ExportReport
from linnet_train.config import TrainConfig
from linnet_train.fields import build

__all__ = ["FileReport", "export_config", "measure_file", "plain_export_config"]


_OF_DECODERS = ("perplexity_ratio", "kl_mean", "agreement")


@dataclasses.dataclass(frozen=True)
class FileReport:
    """An exported file and its figures on the held-out rows.

    Attributes:
        path: the file.
        megabytes: of 10^6 bytes.
        figures: as `linnet eval` gives them.
        status: of its proof.
        entities: recall and precision by type; None: not measured.
        entity_errors: wrong entities, as many as were asked for.
    """

    path: Path
    megabytes: float
    figures: Mapping[str, float]
    status: str
    entities: EntityProof | None = None
    entity_errors: tuple[EntityError, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return dataclasses.asdict(self) | {"path": str(self.path)}


def plain_export_config(trained: TrainConfig, output: Path, settings: Mapping[str, Any]) -> ExportConfig:
    """Return how the checkpoint is exported: proven on the held-out rows. Nothing of torch is imported for it.

    Raises:
        InvalidArgumentError: a setting is unknown or impossible.
    """
    training = trained.output / "training"
    whole = {
        "model": str(trained.output),
        "output": output,
        "task": trained.task,
        # texts are longer in use than those a decoder is trained on: its program has the context of any export
        **({} if trained.task == GENERATION else {"max_length": trained.max_length}),
        "proof": training / "proof.jsonl",
        **_rows(training, settings),
        "force": True,
        **({} if trained.quantize_aware is None else _as_trained(trained.quantize_aware)),
        **settings,
    }
    return build(ExportConfig, whole, "export")


def export_config(trained: TrainConfig, output: Path, settings: Mapping[str, Any]) -> ExportConfig:
    """Return how the checkpoint is exported: proven on the held-out rows, calibrated on the training rows.

    Raises:
        InvalidArgumentError: a setting is unknown or impossible.
    """
    from linnet_export.quantize.plan import is_calibrated
    from linnet_export.quantize.recipes import get_recipe

    config = plain_export_config(trained, output, settings)
    if is_calibrated(get_recipe(config.recipe), config.quantization) and config.calibration is None:
        return dataclasses.replace(config, calibration=trained.output / "training" / "texts.jsonl")
    return config


def _as_trained(recipe: str) -> dict[str, Any]:
    """Return how to export what was trained for ``recipe``: with the rounding that it knows."""
    return {"recipe": recipe, "quantization": {"algorithm": "rtn"}} if recipe == "8da4w" else {"recipe": recipe}


def _rows(training: Path, settings: Mapping[str, Any]) -> dict[str, Path]:
    """Return the held-out rows, if something about labelled rows is set and the rows are not."""
    wanted = any(settings.get(name) for name in ("min_recall", "min_precision", "min_coverage", "show_errors"))
    return {"proof_rows": training / "held_out.jsonl"} if wanted else {}


def measure_file(report: ExportReport, trained: Path, task: str = "text-classification") -> FileReport:
    """Evaluate the file on the held-out rows; of a decoder, return how far it is from its checkpoint on them."""
    from linnet_train.tasks.base import get_task

    if task == GENERATION:
        figures = {name: report.figures[name] for name in _OF_DECODERS if name in report.figures}
        return FileReport(report.path, report.file_bytes / 1e6, figures, report.status)

    table = read_table(trained / "training" / "held_out.jsonl")
    with load(report.path) as model:
        evaluation = evaluate(model, table, get_task(task).columns or choose_columns(table, None, None, None))
    return FileReport(
        report.path, report.file_bytes / 1e6, dict(evaluation.metrics), report.status, report.entities,
        report.entity_errors,
    )  # fmt: skip
