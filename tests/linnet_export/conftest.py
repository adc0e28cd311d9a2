"""Fixtures of the exporter's tests: exported files, small random models, ExecuTorch's own runtime; each made once."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

import linnet_export
from linnet_export.output.report import ExportReport
from tests.support.checkpoints import write_checkpoint, write_sentence_modules
from tests.support.kept_files import exporting_sources, kept_folder, source_hash
from tests.support.model_cases import Case, random_model

Exported = tuple[Path, ExportReport]
"""The checkpoint's directory and the report of its export."""

_MAKERS = ("tests/linnet_export/conftest.py", "tests/support/checkpoints.py")

SETTINGS: dict[str, dict[str, Any]] = {
    "text-classification": {"num_labels": 4},
    "token-classification": {
        "id2label": {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"},
        "label2id": {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4},
    },
    "feature-extraction": {},
    "fill-mask": {},
    "question-answering": {},
    "text-ranking": {},
}


@pytest.fixture(scope="session")
def exported() -> Callable[..., Exported]:
    """Return a function that exports a tiny checkpoint for a task, once for each set of settings and all workers.

    No test may change what it finds there.
    """

    def export(task: str, recipe: str = "fp32", model_type: str = "bert", **config: Any) -> Exported:
        def make(folder: Path) -> None:
            checkpoint = write_checkpoint(folder / "checkpoint", model_type, task, **SETTINGS[task])
            if task == "feature-extraction":
                write_sentence_modules(checkpoint)
            settings = linnet_export.ExportConfig(
                model=str(checkpoint), output=folder / "model.pte", recipe=recipe, **config
            )
            (folder / "report.pickle").write_bytes(pickle.dumps(linnet_export.export(settings)))

        chosen = hashlib.sha256(repr(sorted(config.items())).encode()).hexdigest()[:8]
        sources = source_hash(*exporting_sources(_MAKERS))
        folder = kept_folder(f"{model_type}-{task}-{recipe}-{chosen}-{sources}", make)
        report: ExportReport = pickle.loads((folder / "report.pickle").read_bytes())
        return folder / "checkpoint", dataclasses.replace(report, path=folder / "model.pte")

    return export


@pytest.fixture(scope="session")
def models() -> Callable[[Case, str], Any]:
    """Return (case, task) -> seeded Hugging Face model, made once."""
    made: dict[tuple[str, str], Any] = {}

    def get(case: Case, task: str) -> Any:
        if (case.name, task) not in made:
            made[case.name, task] = random_model(case.config(), task)
        return made[case.name, task]

    return get


@pytest.fixture(scope="session")
def stock_runtime() -> Any:
    """ExecuTorch's own runtime with its library of quantized kernels."""
    pytest.importorskip("executorch.kernels.quantized")
    from executorch.runtime import Runtime

    return Runtime.get()


@pytest.fixture(scope="session")
def run_program(
    tmp_path_factory: pytest.TempPathFactory, stock_runtime: Any
) -> Callable[[bytes, str], Callable[..., list[Tensor]]]:
    """Return (program, method) -> function that runs it with ExecuTorch's own runtime."""
    directory = tmp_path_factory.mktemp("programs")
    kept: list[Any] = []

    def load(program: bytes, method: str = "forward") -> Callable[..., list[Tensor]]:
        path = Path(directory, f"{len(kept)}.pte")
        path.write_bytes(program)
        loaded = stock_runtime.load_program(path)
        kept.append(loaded)
        runner = loaded.load_method(method)
        return lambda *inputs: [output.clone() for output in runner.execute(inputs)]

    return load


@pytest.fixture(autouse=True)
def _quiet() -> None:
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
