"""Small random models of every structure, and what the graph tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from tests.linnet_export.graph.cases import Case, random_model


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
def run_program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes, str], Callable[..., list[Tensor]]]:
    """Return (program, method) -> function that runs it with ExecuTorch's own runtime."""
    pytest.importorskip("executorch.kernels.quantized")
    from executorch.runtime import Runtime

    directory = tmp_path_factory.mktemp("programs")
    kept: list[Any] = []

    def load(program: bytes, method: str = "forward") -> Callable[..., list[Tensor]]:
        path = Path(directory, f"{len(kept)}.pte")
        path.write_bytes(program)
        loaded = Runtime.get().load_program(path)
        kept.append(loaded)
        runner = loaded.load_method(method)
        return lambda *inputs: [each.clone() for each in runner.execute(inputs)]

    return load


@pytest.fixture(autouse=True)
def _quiet() -> None:
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
