"""Low-rank adapters in a checkpoint: merged as `peft` computes them, or refused by name."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from linnet_export.checkpoint import Checkpoint, load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_train.loading import load_classifier
from tests.support.checkpoints import write_checkpoint, write_tokenizer

peft = pytest.importorskip("peft", reason="peft writes the adapters of these tests: pip install linnet[train]")

IDS = torch.tensor([[2, 7, 30, 90, 12, 3]])
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rank-stabilized": {"use_rslora": True, "r": 6},
    "patterns": {
        "target_modules": ["query", "value", "output.dense"],
        "rank_pattern": {"layer.0.attention.self.query": 2},
        "alpha_pattern": {"value": 40},
    },
    "every linear layer": {"target_modules": "all-linear"},
    "DoRA": {"use_dora": True},
    "biases": {"bias": "lora_only"},
    "every bias": {"bias": "all"},
    "a bias of its own": {"lora_bias": True},
    "embeddings": {"target_modules": ["word_embeddings", "value"]},
    "a trained pooler": {"modules_to_save": ["pooler", "classifier"]},
}


def load(directory: Path, **settings: Any) -> Checkpoint:
    return load_checkpoint(ExportConfig(model=str(directory), **settings))


def logits(model: Any) -> Tensor:
    with torch.no_grad():
        result: Tensor = model.eval()(IDS).logits
    return result


def adapted(base: Path, **settings: Any) -> Any:
    """Return a peft model with random adapters over a base model with a classifier."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    given = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 12, "target_modules": ["query", "value"], **settings}
    wrapped = peft.get_peft_model(model, peft.LoraConfig(**given))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if parameter.requires_grad and "magnitude" not in name:
                parameter.normal_(0.0, 0.3, generator=generator)
            elif parameter.requires_grad:
                parameter.mul_(1.2)
    return wrapped


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base"), task="text-classification")


@pytest.fixture
def beside(base: Path, tmp_path: Path) -> Path:
    """A folder with the base model's files, into which an adapter is saved."""
    return shutil.copytree(base, tmp_path / "beside")


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_folder_with_base_weights_and_adapter(settings: dict[str, Any], base: Path, beside: Path) -> None:
    wrapped = adapted(base, **settings)
    wrapped.save_pretrained(beside)
    checkpoint = load(beside)
    torch.testing.assert_close(logits(checkpoint.model), logits(wrapped), rtol=1e-5, atol=1e-5)
    read = peft.PeftModel.from_pretrained(transformers.AutoModelForSequenceClassification.from_pretrained(base), beside)
    torch.testing.assert_close(logits(checkpoint.model), logits(read), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(checkpoint.model), logits(load(base).model), atol=1e-2)
    assert re.match(r"LoRA adapter of rank [246, ]+ merged into [0-9]+ layers$", checkpoint.notes[0])
    assert not any("lora" in name for name, _ in checkpoint.model.named_modules())
    assert checkpoint.sha256 != load(base).sha256


@pytest.mark.parametrize(
    "settings", [SETTINGS[name] for name in ("plain", "rank-stabilized", "patterns", "embeddings")]
)
def test_as_from_pretrained_of_transformers(settings: dict[str, Any], base: Path, beside: Path) -> None:
    adapted(base, **settings).save_pretrained(beside)
    original = transformers.AutoModelForSequenceClassification.from_pretrained(beside)
    torch.testing.assert_close(logits(load(beside).model), logits(original), rtol=1e-5, atol=1e-5)


def test_an_adapter_alone_is_merged_with_its_local_base(base: Path, tmp_path: Path) -> None:
    wrapped = adapted(base)
    wrapped.save_pretrained(tmp_path)  # notes the base model's folder
    checkpoint = load(tmp_path)
    torch.testing.assert_close(logits(checkpoint.model), logits(wrapped), rtol=1e-5, atol=1e-5)
    assert checkpoint.task.name == "text-classification"
    assert f"of {base.name}" in checkpoint.notes[0]


def test_a_head_that_only_the_adapter_has(tmp_path: Path) -> None:
    body = write_checkpoint(tmp_path / "body", "bert", "fill-mask")
    wrapped = adapted(body, modules_to_save=["pooler", "classifier"])
    wrapped.save_pretrained(tmp_path / "adapter")
    checkpoint = load(tmp_path / "adapter")  # the task is the adapter's
    torch.testing.assert_close(logits(checkpoint.model), logits(wrapped), rtol=1e-5, atol=1e-5)


def test_an_adapter_that_transformers_saved(base: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    model.add_adapter(peft.LoraConfig(r=4, target_modules=["key"], init_lora_weights=False))
    model.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**settings, "base_model_name_or_path": str(base)}))
    torch.testing.assert_close(logits(load(tmp_path).model), logits(model), rtol=1e-5, atol=1e-5)


def test_an_embedder_with_an_adapter(tmp_path: Path) -> None:
    body = write_checkpoint(tmp_path / "body")
    wrapped = peft.get_peft_model(
        transformers.AutoModel.from_pretrained(body),
        peft.LoraConfig(task_type="FEATURE_EXTRACTION", target_modules=["query"], init_lora_weights=False),
    )
    wrapped.save_pretrained(tmp_path / "adapter")
    write_tokenizer(tmp_path / "adapter")
    with torch.no_grad():
        found, expected = (model.eval()(IDS)[0] for model in (load(tmp_path / "adapter").model, wrapped))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_training_starts_from_the_merged_weights(base: Path, beside: Path) -> None:
    wrapped = adapted(base)
    wrapped.save_pretrained(beside)
    torch.testing.assert_close(logits(load_classifier(str(beside)).model), logits(wrapped), rtol=1e-5, atol=1e-5)


def set_config(directory: Path, **changes: Any) -> None:
    path = directory / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def pickled(directory: Path) -> None:
    (directory / "adapter_model.safetensors").rename(directory / "adapter_model.bin")


def without_base(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    set_config(directory, base_model_name_or_path="acme/not-here")


def with_other_shape(directory: Path) -> None:
    weights = load_file(directory / "adapter_model.safetensors")
    name = next(key for key in weights if "classifier.weight" in key)
    save_file({**weights, name: torch.zeros(5, 32)}, directory / "adapter_model.safetensors")


def with_unknown_layer(directory: Path) -> None:
    weights = load_file(directory / "adapter_model.safetensors")
    other = {key.replace("layer.1.", "layer.7."): tensor for key, tensor in weights.items()}
    save_file(other, directory / "adapter_model.safetensors")


def cut(directory: Path) -> None:
    path = directory / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: set_config(folder, peft_type="IA3"), "peft_type is IA3, supported is LORA; merge it with peft"),
        (lambda folder: set_config(folder, init_lora_weights="pissa_niter_4"), "pissa_niter_4.*changes the base"),
        (lambda folder: set_config(folder, trainable_token_indices=[1]), "trainable_token_indices"),
        (pickled, r"adapter_model\.bin, which linnet never loads"),
        (without_base, r"acme/not-here is not on this machine.*merge_and_unload"),
        (with_other_shape, r"classifier\.weight has the shape \[5, 32\], the model's \[2, 32\].*id2label"),
        (with_unknown_layer, r"layer\.7\.attention.* is no linear layer.*of the model"),
        (cut, r"adapter_model\.safetensors is cut off"),
    ],
)
def test_refusals(change: Callable[[Path], object], message: str, base: Path, beside: Path) -> None:
    adapted(base).save_pretrained(beside)
    change(beside)
    with pytest.raises(CheckpointError, match=message):
        load(beside)
