"""Silent heads: chosen by importance, zeros for ever, and absent from the program with the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet
from linnet.errors import InvalidArgumentError
from linnet_export import ExportConfig, export
from linnet_export.graph.head_pruning import kept_channels
from linnet_export.graph.program import device_module
from linnet_export.tasks import get_task
from linnet_train import AdapterConfig, DataConfig, OptimizerConfig, ShrinkConfig, TrainConfig, train
from linnet_train.errors import ShrinkError
from linnet_train.prune import prune_heads
from tests.support.checkpoints import write_checkpoint

TEXT = "turn the volume up"


def load(folder: Path, model_type: str = "bert") -> tuple[Any, Any]:
    path = write_checkpoint(folder, model_type, "text-classification", num_labels=3)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(path, attn_implementation="eager")
    return model.eval(), transformers.AutoTokenizer.from_pretrained(path)


def batch(tokenizer: Any) -> dict[str, Any]:
    texts = [TEXT, "how do i reset my password", "open a bank account"]
    return {**tokenizer(texts, padding=True, return_tensors="pt"), "labels": torch.tensor([0, 1, 2])}


def layers(model: Any) -> Any:
    return model.base_model.encoder.layer


def pruned(layer: Any) -> list[bool]:
    values = layer.attention.self.value.weight.detach().view(4, -1)
    return [not bool(head.any()) for head in values]


def test_a_head_that_nothing_reads_is_the_first_to_go(tmp_path: Path) -> None:
    model, tokenizer = load(tmp_path / "model")
    for layer, head in zip(layers(model), (2, 0), strict=True):
        with torch.no_grad():
            layer.attention.output.dense.weight[:, 8 * head : 8 * head + 8] = 0
    with torch.no_grad():
        before = model(**batch(tokenizer)).logits
    text = prune_heads(model, 3, [batch(tokenizer)])
    assert text.startswith("3 of 4 heads in each layer, with 100% of the importance")
    assert [pruned(layer).index(True) for layer in layers(model)] == [2, 0]
    with torch.no_grad():
        torch.testing.assert_close(model(**batch(tokenizer)).logits, before)


@pytest.mark.parametrize("model_type", ["bert", pytest.param("electra", marks=pytest.mark.slow)])
@pytest.mark.parametrize("recipe", ["fp32", "int8"])
def test_the_program_is_made_without_them(model_type: str, recipe: str, tmp_path: Path) -> None:
    model, tokenizer = load(tmp_path / "model", model_type)
    whole = tmp_path / "whole.pte"
    settings: dict[str, Any] = {"model": str(tmp_path / "model"), "recipe": recipe, "max_length": 32, "max_batch": 3,
                                "budget": {"agreement": 0.0}}  # fmt: skip
    export(ExportConfig(output=whole, **settings))
    prune_heads(model, 1, [batch(tokenizer)])
    model.save_pretrained(tmp_path / "model")
    body = device_module(model, get_task("text-classification"), pooling="", normalize=False, max_length=32)
    assert {name: tuple(parameter.shape) for name, parameter in body.named_parameters() if "query.weight" in name} == {
        f"body.layers.{place}.attention.query.weight": (8, 32) for place in range(2)
    }
    small = tmp_path / "small.pte"
    export(ExportConfig(output=small, **settings))
    assert small.stat().st_size < whole.stat().st_size
    texts = [TEXT, "open a bank account", "play"]
    with torch.no_grad():
        inputs = tokenizer(texts, padding=True, return_tensors="pt")
        expected = torch.softmax(model(**inputs).logits, dim=-1)
    for fused in (False, True):
        with linnet.load(small, fused=fused) as program:
            for text, scores in zip(texts, expected, strict=True):
                found = {answer["label"]: answer["score"] for answer in program(text, top_k=None)}
                given = [found[f"LABEL_{place}"] for place in range(3)]
                assert given == pytest.approx(scores.tolist(), abs=1e-5 if recipe == "fp32" else 0.03)


def test_layers_keep_as_many_heads_and_a_dead_model_keeps_one(tmp_path: Path) -> None:
    model, _ = load(tmp_path / "model")
    pairs = [(layer.attention.self.value, layer.attention.output.dense) for layer in layers(model)]
    assert [len(kept) for kept in kept_channels(pairs, 4)] == [32, 32]
    with torch.no_grad():
        for value, output in pairs[:1]:
            value.weight[8:24] = 0
            value.bias[8:24] = 0
            output.weight[:, 8:24] = 0
    assert [kept.tolist() for kept in kept_channels(pairs, 4)] == [list(range(32))] * 2  # the other layer needs four
    assert kept_channels(pairs[:1], 4)[0].tolist() == [*range(8), *range(24, 32)]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert [len(kept) for kept in kept_channels(pairs, 4)] == [8, 8]


def test_pruned_heads_stay_zero_while_the_rest_learns(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    optimizer = OptimizerConfig(epochs=3, learning_rate=5e-3)
    train(
        TrainConfig(
            model=str(encoder), output=tmp_path / "first", data=DataConfig(train=rows_file), optimizer=optimizer
        )
    )
    report = train(TrainConfig(model=str(tmp_path / "first"), output=tmp_path / "small", optimizer=optimizer,
                               data=DataConfig(train=rows_file), shrink=ShrinkConfig(heads=2)))  # fmt: skip
    assert report.shrunk[0].startswith("2 of 4 heads in each layer")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "small")
    for layer in layers(model):
        dead = torch.tensor(pruned(layer)).repeat_interleave(8)
        assert int(dead.sum()) == 16
        own = layer.attention.self
        assert not any(
            bool(linear.weight[dead].any() or linear.bias[dead].any()) for linear in (own.query, own.key, own.value)
        )
        assert not layer.attention.output.dense.weight[:, dead].any()


def test_a_head_is_dead_if_it_gives_nothing_or_is_not_read(tmp_path: Path) -> None:
    model, _ = load(tmp_path / "model")
    value, output = layers(model)[0].attention.self.value, layers(model)[0].attention.output.dense
    with torch.no_grad():
        value.weight[:8], value.bias[:8] = 0, 0
        output.weight[:, 24:] = 0
    assert kept_channels([(value, output)], 4)[0].tolist() == list(range(8, 24))


def test_adapters_would_change_pruned_heads(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="adapters would change pruned heads"):
        TrainConfig(model=str(encoder), output=tmp_path, data=DataConfig(train=rows_file), shrink=ShrinkConfig(heads=2),
                    adapters=AdapterConfig(rank=2))  # fmt: skip


def test_what_cannot_be_left_out_is_refused(tmp_path: Path) -> None:
    model, tokenizer = load(tmp_path / "model")
    with pytest.raises(ShrinkError, match="heads is 4, the model has 4; expected fewer"):
        prune_heads(model, 4, [batch(tokenizer)])
    distil: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
        write_checkpoint(tmp_path / "distil", "distilbert", "text-classification")
    )
    with pytest.raises(ShrinkError, match="heads is for bert, electra, roberta, xlm-roberta; the model is distilbert"):
        prune_heads(distil, 2, [])
