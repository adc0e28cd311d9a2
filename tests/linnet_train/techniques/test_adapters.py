"""LoRA: what is trained, what is saved, and that peft itself would have saved the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file

from linnet.cli.main import main
from linnet.errors import CallerError
from linnet_export.errors import CheckpointError
from linnet_train import AdapterConfig, DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.techniques.adapters import add_adapters, merge_adapters, trained_parameters
from tests.support.training import assert_same_weights, train_until_killed

QUERIES = AdapterConfig(rank=4, targets=("query", "value"))


def config(encoder: Path, rows: Path, output: Path, **changes: Any) -> TrainConfig:
    settings = {
        "model": str(encoder), "output": output, "data": DataConfig(train=rows, validation_split=0.2),
        "optimizer": OptimizerConfig(epochs=6, batch_size=16, learning_rate=2e-2), "max_length": 32,
        "adapters": AdapterConfig(rank=4),
    }  # fmt: skip
    return TrainConfig(**{**settings, **changes})


def classifier(encoder: Path) -> Any:
    torch.manual_seed(0)
    return transformers.AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=4).eval()


def test_merged_as_peft_merges(encoder: Path) -> None:
    ours, theirs = classifier(encoder), classifier(encoder)
    add_adapters(ours, QUERIES)
    settings = peft.LoraConfig(r=4, lora_alpha=8, target_modules=["query", "value"])
    wrapped: Any = peft.get_peft_model(theirs, settings)
    generator = torch.Generator().manual_seed(1)
    learnt = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in ours.state_dict().items()
        if "lora_" in name
    }
    assert len(learnt) == 2 * 2 * 2  # two matrices for query and value of two layers
    ours.load_state_dict(learnt, strict=False)
    wrapped.load_state_dict({f"base_model.model.{name}": value for name, value in learnt.items()}, strict=False)
    merge_adapters(ours)
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    with torch.no_grad():
        found, expected = ours(ids).logits, wrapped.merge_and_unload()(ids).logits
        plain = classifier(encoder)(ids).logits
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, plain)
    assert ours.state_dict().keys() == classifier(encoder).state_dict().keys()


def test_adapters_and_head_are_trained(encoder: Path) -> None:
    model = classifier(encoder)
    said = add_adapters(model, QUERIES)
    width, layers = model.config.hidden_size, model.config.num_hidden_layers
    # by hand: A [4, width] and B [width, 4] of query and value of each layer; weight and bias of head and pooler
    expected = layers * 2 * 2 * 4 * width + 4 * width + 4 + width * width + width
    assert trained_parameters(model) == expected
    assert f"adapters of rank 4 in {2 * layers} layers: {expected:,} of" in said


def test_unknown_layers_are_refused_with_those_that_there_are(encoder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no layer is called q_proj; the model has .*attention.self.query"):
        add_adapters(classifier(encoder), AdapterConfig(rank=4, targets=("q_proj",)))


def test_impossible_settings_are_refused_together(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CallerError) as caught:
        config(
            encoder, rows_file, tmp_path, adapters=AdapterConfig(rank=0, alpha=-1.0, dropout=1.0),
            optimizer=OptimizerConfig(freeze="body"),
        )  # fmt: skip
    for expected in ("rank is 0", "alpha is -1.0", "dropout is 1.0", "adapters freeze the encoder themselves"):
        assert expected in str(caught.value)


def test_only_chosen_layers_change(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    report = train(config(encoder, rows_file, tmp_path / "model", adapters=QUERIES))
    assert report.figures["accuracy"] >= 0.6
    assert report.trained_parameters < report.parameters / 10
    before, after = load_file(encoder / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    names = {name.removeprefix("bert."): name for name in after}
    same = {name: torch.equal(value, after[names[name.removeprefix("bert.")]]) for name, value in before.items()
            if name.removeprefix("bert.") in names}  # fmt: skip
    changed = {name for name, equal in same.items() if not equal}
    assert changed
    assert all(name.endswith(("query.weight", "value.weight")) or "pooler" in name for name in changed)
    assert not [name for name in after if "lora" in name or "base_layer" in name]


def test_interrupted_and_resumed(
    encoder: Path, rows_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(encoder, rows_file, tmp_path / "broken", save_steps=5)
    train(dataclasses.replace(settings, output=tmp_path / "whole"))
    train_until_killed(settings, 2, monkeypatch)
    train(dataclasses.replace(settings, resume=True))
    assert_same_weights(tmp_path / "broken", tmp_path / "whole")


def test_the_command(encoder: Path, rows_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", str(encoder), "--data", str(rows_file), "-o", str(tmp_path / "model"), "--epochs", "1", "--json"]
    assert main([*words, "--lora-rank", "4", "--lora-targets", "query,value"]) == 0
    (stage,) = json.loads(capsys.readouterr().out)["stages"].values()
    assert stage["shrunk"][0].startswith("adapters of rank 4 in 4 layers")
    assert main([*words, "--force", "--lora-alpha", "4"]) == 2
    assert "--lora-alpha has no effect without --lora-rank" in capsys.readouterr().err
