"""Checkpoints of each later architecture with a tokenizer of their own kind, exported and proven end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet_export
from linnet_export.graph.program import device_module
from linnet_export.lower.lowering import lower
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, random_model
from tests.support.tokenizers import MAKERS, VOCABULARY

CASE_OF = {
    "albert": "albert-gelu_new",
    "deberta-v2": "deberta-v2-v3",
    "modernbert": "modernbert-cls",
    "mpnet": "mpnet-gelu",
    "roberta": "roberta-gelu",
    "xlm-roberta": "xlm-roberta-gelu",
}


def write(directory: Path, model_type: str) -> Path:
    """Write a classifier with the maker's tokenizer."""
    tokenizer = MAKERS[model_type]()
    config = next(case for case in CASES if case.name == CASE_OF[model_type]).config()
    config.vocab_size = max(VOCABULARY, len(tokenizer))
    config.pad_token_id = tokenizer.pad_token_id
    random_model(config, "text-classification").save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.mark.slow
@pytest.mark.parametrize("model_type", MAKERS)
def test_the_file_is_proven_against_the_checkpoint(model_type: str, tmp_path: Path) -> None:
    checkpoint = write(tmp_path / "checkpoint", model_type)
    settings: dict[str, Any] = {"model": str(checkpoint), "output": tmp_path / "model.pte", "recipe": "fp32"}
    report = linnet_export.export(linnet_export.ExportConfig(**settings))
    assert report.status == "proven"
    assert report.max_length == 46 if model_type in ("mpnet", "roberta", "xlm-roberta") else 48


@pytest.mark.slow
def test_albert_stores_its_layers_once(tmp_path: Path) -> None:
    sizes: list[int] = []
    for layers in (2, 6):
        config = next(case for case in CASES if case.name == "albert-gelu_new").config()
        config.num_hidden_layers, config.hidden_size, config.intermediate_size = layers, 128, 512
        model = transformers.AutoModel.from_config(config).eval()
        torch.manual_seed(0)
        program = device_module(model, get_task("feature-extraction"), max_length=16)
        lowered = lower({"forward": program}, max_length=16, constant_methods={})
        sizes.append(len(lowered.program))
    one_layer = 4 * (4 * 128 * 128 + 2 * 128 * 512)
    # a layer more is a layer of the graph more, and none of its weights
    assert (sizes[1] - sizes[0]) / 4 < one_layer / 10
