"""What export and training say of a checkpoint before they read its weights: the same, in the same order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_train.loading import load_classifier, load_encoder, load_masked
from tests.support.checkpoints import write_checkpoint

READERS: dict[str, Callable[[Path], object]] = {
    "export": lambda folder: load_checkpoint(ExportConfig(model=str(folder))),
    "classifier": lambda folder: load_classifier(str(folder)),
    "encoder": lambda folder: load_encoder(str(folder)),
    "masked": lambda folder: load_masked(str(folder)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"is_decoder": True}, "is_decoder"),
        ({"model_type": "gpt2"}, "'gpt2'"),
        ({"quantization_config": {"quant_method": "awq"}}, "quantized by awq"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers is 1000000"),
        # with several faults, the one that no other file can cure is named
        ({"is_decoder": True, "num_hidden_layers": 10**6}, "is_decoder"),
    ],
)
def test_one_fault_has_one_message(reader: str, changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification")
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(CheckpointError, match=message):
        READERS[reader](tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_no_object_is_named(reader: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification")
    (tmp_path / "tokenizer_config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="tokenizer"):
        READERS[reader](tmp_path)
