"""Weights under names with a prefix, and weights, code and pickles that a program would leave out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_train.loading import load_classifier
from tests.support.checkpoints import write_checkpoint, write_sentence_modules
from tests.support.model_cases import CASES

IDS = torch.tensor([[2, 7, 30, 90, 12, 3]])


def load(directory: Path, **settings: Any) -> Any:
    return load_checkpoint(ExportConfig(model=str(directory), **settings))


def rename(directory: Path, change: Callable[[str], str], **more: Tensor) -> None:
    path = directory / "model.safetensors"
    save_file({**{change(name): tensor for name, tensor in load_file(path).items()}, **more}, path)


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        result: Tensor = model(IDS).logits
    return result


@pytest.mark.parametrize(
    ("change", "prefix"),
    [
        (lambda name: f"_orig_mod.{name}", "_orig_mod."),
        (lambda name: f"module.{name}", "module."),
        (lambda name: f"model.{name}", "model."),
        (lambda name: f"module._orig_mod.{name}", "module."),
        (lambda name: f"model.model.{name}", "model.model."),
        (lambda name: name.replace("bert.", "bert._orig_mod."), "_orig_mod."),
    ],
)
def test_a_known_prefix_is_left_out_and_said(change: Callable[[str], str], prefix: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification")
    expected = logits(transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path))
    rename(tmp_path, change)
    checkpoint = load(tmp_path)
    torch.testing.assert_close(logits(checkpoint.model), expected)
    assert f"have {prefix} before those of transformers" in checkpoint.notes[0]
    torch.testing.assert_close(logits(load_classifier(str(tmp_path)).model), expected)


def test_what_a_training_kept_beside_the_model_is_named(tmp_path: Path) -> None:
    """A Lightning module has its loss beside the model."""
    write_checkpoint(tmp_path, task="text-classification")
    rename(tmp_path, lambda name: f"model.{name}", **{"loss.weight": torch.ones(2)})
    with pytest.raises(CheckpointError, match=r"loss\.weight"):
        load(tmp_path)
    assert len(load(tmp_path, task="text-classification").notes) == 2


@pytest.mark.parametrize("name", ["modernbert-cls", "bert-gelu"])
def test_names_of_transformers_stay(name: str, tmp_path: Path) -> None:
    """ModernBERT's own weights begin with `model.`."""
    (case,) = (case for case in CASES if case.name == name)
    config = case.config()
    config.vocab_size = 145
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    write_checkpoint(tmp_path)
    model.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    checkpoint = load(tmp_path)
    assert checkpoint.notes == ()
    torch.testing.assert_close(logits(checkpoint.model), logits(model))


EXTRA: dict[str, Any] = {
    "crf": {"crf.transitions": torch.zeros(3, 3), "crf.start_transitions": torch.zeros(3)},
    "dense": {"dense.weight": torch.zeros(32, 32)},
    "deeper": {"bert.encoder.layer.2.output.dense.bias": torch.zeros(32)},
    "inside": {"bert.extra.weight": torch.zeros(3)},
}


@pytest.mark.parametrize("extra", EXTRA.values(), ids=EXTRA)
def test_weights_that_no_class_has_are_refused_or_noted(extra: dict[str, Tensor], tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="token-classification")
    rename(tmp_path, str, **extra)
    with pytest.raises(
        CheckpointError, match=r"BertForTokenClassification.*--task token-classification exports it"
    ) as error:
        load(tmp_path)
    assert all(name in str(error.value) for name in extra)
    (note,) = load(tmp_path, task="token-classification").notes
    assert all(name in note for name in extra)


def test_heads_of_other_tasks_and_buffers(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="fill-mask")
    buffer = {"bert.embeddings.position_ids": torch.arange(64)[None], "bert.pooler.dense.bias": torch.zeros(32)}
    rename(tmp_path, str, **buffer)
    assert load(tmp_path).notes == ()
    assert load(tmp_path, task="feature-extraction", pooling="mean").notes == (
        "weights of other heads are left out: cls",
    )


def set_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))


def setfit(directory: Path) -> None:
    write_sentence_modules(directory)
    set_json(directory / "config_setfit.json", labels=["a", "b"], normalize_embeddings=False)
    (directory / "model_head.pkl").write_bytes(b"\x80\x04.")


def setfit_of_the_hub(directory: Path) -> None:
    write_sentence_modules(directory)
    set_json(directory / "config_setfit.json", labels=["a", "b"])


def own_model(directory: Path) -> None:
    set_json(directory / "config.json", auto_map={"AutoModel": "modeling_own.OwnModel"})


def own_tokenizer(directory: Path) -> None:
    set_json(directory / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_own.OwnTokenizer", None]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setfit, r"the classifier of SetFit in model_head\.pkl, a pickle"),
        (setfit_of_the_hub, r"the classifier of SetFit \(config_setfit\.json\)"),
        (own_model, r"code of its own \(auto_map in config\.json: modeling_own\.OwnModel\)"),
        (own_tokenizer, r"code of its own \(auto_map in tokenizer_config\.json: .*OwnTokenizer"),
    ],
)
def test_code_and_pickles_are_refused_or_noted(change: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    change(tmp_path)
    with pytest.raises(CheckpointError, match=f"{message}.*--task feature-extraction exports it without"):
        load(tmp_path)
    (note,) = load(tmp_path, task="feature-extraction", pooling="mean").notes
    assert note.startswith("left out of the program: ")
