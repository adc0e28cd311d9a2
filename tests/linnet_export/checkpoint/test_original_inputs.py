"""Inputs of the original: those that its own tokenizer of transformers gives, and what they mean for the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import linnet
import linnet_export
from linnet.errors import InvalidArgumentError
from linnet_export.checkpoint import Checkpoint, load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_export.proof import ProofText
from linnet_export.proof.reference import reference_outputs
from tests.support.checkpoints import VOCABULARY, write_checkpoint

PAIR = ("turn the volume down", "the bakery is open")
WITHOUT_TYPES: list[dict[str, Any]] = [
    {"model_input_names": ["input_ids", "attention_mask"]},
    {"tokenizer_class": "DistilBertTokenizer"},
]


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def load(directory: Path, **settings: Any) -> Checkpoint:
    return load_checkpoint(ExportConfig(model=str(directory), **settings))


def of_transformers(directory: Path, *texts: str) -> torch.Tensor:
    """Return the logits of transformers for what its tokenizer gives."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(directory).eval()
    with torch.inference_mode():
        logits: torch.Tensor = model(**tokenizer(*texts, return_tensors="pt")).logits[0]
    return logits


@pytest.mark.parametrize("changes", WITHOUT_TYPES, ids=["names", "class"])
@pytest.mark.parametrize("model_type", ["bert", "electra"])
def test_the_proof_takes_its_inputs_from_the_tokenizer_of_transformers(
    tmp_path: Path, model_type: str, changes: dict[str, Any]
) -> None:
    write_checkpoint(tmp_path, model_type, "text-classification", num_labels=3)
    with_types = of_transformers(tmp_path, *PAIR)
    edit(tmp_path / "tokenizer_config.json", **changes)
    checkpoint = load(tmp_path)
    assert not checkpoint.token_types.needed
    assert checkpoint.takes_pairs
    (reference,) = reference_outputs(checkpoint, [ProofText(*PAIR)], lambda done: None)
    np.testing.assert_allclose(reference.outputs["logits"], of_transformers(tmp_path, *PAIR), atol=1e-6)
    assert np.abs(reference.outputs["logits"] - with_types.numpy()).max() > 1e-5


@pytest.mark.parametrize(
    ("model_type", "changes", "expected"),
    [("bert", {}, True), ("bert", {"type_vocab_size": 3}, True), ("distilbert", {}, False)],
)
def test_types_of_pairs_are_needed_where_the_model_has_them(
    tmp_path: Path, model_type: str, changes: dict[str, Any], expected: bool
) -> None:
    write_checkpoint(tmp_path, model_type, "text-classification", **changes)
    assert load(tmp_path).token_types.needed is expected


def test_a_file_without_types_answers_pairs_as_transformers(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", "bert", "text-classification", num_labels=3)
    edit(checkpoint / "tokenizer_config.json", **WITHOUT_TYPES[0])
    config = ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte", recipe="fp32")
    assert linnet_export.export(config).figures["agreement"] == 1.0
    expected = torch.softmax(of_transformers(checkpoint, *PAIR), -1).tolist()
    with linnet.load(tmp_path / "m.pte") as model:
        assert model.manifest.inputs == ("input_ids",)
        found = {answer["label"]: answer["score"] for answer in model(PAIR, top_k=None)}
    assert [found[f"LABEL_{index}"] for index in range(3)] == pytest.approx(expected, abs=1e-5)


@pytest.fixture
def one_type(tmp_path: Path) -> Path:
    """A RoBERTa whose tokenizer is BERT's: every pair has a type that the model lacks."""
    return write_roberta(tmp_path / "checkpoint")


def write_roberta(directory: Path, task: str = "text-classification") -> Path:
    write_checkpoint(directory, "bert", task)
    settings: dict[str, Any] = {
        "vocab_size": len(VOCABULARY), "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
        "intermediate_size": 48, "type_vocab_size": 1, "max_position_embeddings": 66,
    }  # fmt: skip
    config = transformers.RobertaConfig(**settings, num_labels=1 if task == "text-ranking" else 2)  # type: ignore[call-arg]
    transformers.RobertaForSequenceClassification(config).save_pretrained(directory)
    return directory


def test_pairs_that_fail_in_the_original_are_refused_and_single_texts_answered(one_type: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        of_transformers(one_type, *PAIR)
    config = ExportConfig(model=str(one_type), output=tmp_path / "m.pte", recipe="fp32")
    assert linnet_export.export(config).status == "proven"
    expected = torch.softmax(of_transformers(one_type, PAIR[0]), -1)
    with linnet.load(tmp_path / "m.pte") as model:
        assert model(PAIR[0])[0]["score"] == pytest.approx(float(expected.max()), abs=1e-5)
        with pytest.raises(InvalidArgumentError, match="got a pair, this file takes single texts"):
            model(PAIR)


def test_a_task_of_pairs_that_the_original_cannot_read_is_refused(tmp_path: Path) -> None:
    write_roberta(tmp_path, "text-ranking")
    with pytest.raises(CheckpointError, match=r"token types up to 1, the model has 1 .*model_input_names"):
        load(tmp_path, task="text-ranking")
