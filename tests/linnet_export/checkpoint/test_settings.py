"""Settings of config.json that transformers reports as a raw error: label names, quantized weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_train.loading import load_classifier
from tests.support.checkpoints import write_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("three"), task="text-classification", num_labels=3)


def set_config(directory: Path, **changes: Any) -> None:
    path = directory / "config.json"
    kept = {name: value for name, value in json.loads(path.read_text()).items() if name not in ("num_labels",)}
    path.write_text(json.dumps({**kept, **changes}))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"0": "a", "1": "b", "3": "c"}, "id2label has the keys 0, 1, 3, expected 0 to 2 without a gap"),
        ({"1": "a", "2": "b", "3": "c"}, "id2label has the keys 1, 2, 3, expected 0 to 2"),
        (["a", "b", "c"], "id2label is a list, expected an object"),
        ("a, b, c", "id2label is a str, expected an object"),
        ({"a": 0, "b": 1, "c": 2}, "id2label has the keys a, b, c, expected numbers"),
        ({"0": "a", "1": None, "2": "c"}, "id2label has no text for the classes 1"),
        ({"0": "a", "-1": "b", "2": "c"}, "id2label has the keys -1, expected numbers"),
    ],
)
def test_label_names(names: object, message: str, checkpoint: Path) -> None:
    set_config(checkpoint, id2label=names)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(ExportConfig(model=str(checkpoint)))
    with pytest.raises(CheckpointError, match=message):
        load_classifier(str(checkpoint))


def test_labels_of_the_command_line_replace_names_that_start_at_one(checkpoint: Path) -> None:
    set_config(checkpoint, id2label={"1": "a", "2": "b", "3": "c"}, label2id={})
    assert load_checkpoint(ExportConfig(model=str(checkpoint), labels=("x", "y", "z"))).labels == ("x", "y", "z")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes"),
        ({"quant_method": "gptq", "bits": 4}, "gptq"),
        ({"quant_method": "awq", "bits": 4}, "awq"),
        ({"bits": 8}, "an unnamed method"),
    ],
)
def test_quantized_weights(settings: dict[str, Any], name: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    set_config(tmp_path, quantization_config=settings)
    with pytest.raises(CheckpointError, match=f"quantized by {name}, expected float weights; export the checkpoint"):
        load_checkpoint(ExportConfig(model=str(tmp_path)))
    with pytest.raises(CheckpointError, match=f"quantized by {name}"):
        load_classifier(str(tmp_path))
