"""Training with rounding: what is exported is what was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet
from linnet.cli.main import main
from linnet.errors import CallerError
from linnet_export.quantize.prepare import FakeQuantizedEmbedding, FakeQuantizedLinear
from linnet_export.quantize.recipes import get_recipe
from linnet_train import AdapterConfig, DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.techniques.quantization_aware import insert_fake_quantization, remove_fake_quantization

FAST = OptimizerConfig(epochs=6, batch_size=16, learning_rate=5e-3)


def classifier(checkpoint: Path) -> Any:
    return transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()


def config(encoder: Path, rows: Path, output: Path, **changes: Any) -> TrainConfig:
    settings = {"model": str(encoder), "output": output, "data": DataConfig(train=rows, validation_split=0.2),
                "optimizer": FAST, "max_length": 32}  # fmt: skip
    return TrainConfig(**{**settings, **changes})


def test_all_but_the_last_layer_is_rounded_and_comes_back(encoder: Path) -> None:
    model = classifier(encoder)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layers = insert_fake_quantization(model, get_recipe("int8"))
    found = {name: type(module) for name, module in model.named_modules()}
    assert found["bert.encoder.layer.0.attention.self.query"] is FakeQuantizedLinear
    assert found["bert.embeddings.word_embeddings"] is FakeQuantizedEmbedding
    assert found["bert.embeddings.position_embeddings"] is torch.nn.Embedding
    assert found["classifier"] is torch.nn.Linear
    assert model.state_dict().keys() == before.keys()
    with torch.no_grad():
        model.bert.encoder.layer[0].attention.self.query.weight.add_(1.0)
    remove_fake_quantization(model, layers)
    query = model.bert.encoder.layer[0].attention.self.query
    assert type(query) is torch.nn.Linear
    torch.testing.assert_close(query.weight, before["bert.encoder.layer.0.attention.self.query.weight"] + 1.0)


@pytest.mark.parametrize("recipe", ["int8", "8da4w"])
def test_the_file_answers_as_the_rounded_model(
    encoder: Path, rows_file: Path, tmp_path: Path, recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output, file = tmp_path / "model", tmp_path / "model.pte"
    words = ["train", str(encoder), "--data", str(rows_file), "-o", str(output), "--quantize-aware", recipe, "--json"]
    words += ["--epochs", "6", "--batch-size", "16", "--learning-rate", "5e-3", "--max-length", "32"]
    assert main([*words, "--export", str(file)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["stages"]["model"]["figures"]["accuracy"] >= 0.9
    model, tokenizer = classifier(output), transformers.AutoTokenizer.from_pretrained(output)
    insert_fake_quantization(model, get_recipe(recipe))
    texts = ["play the music", "open account bank", "the rain", "reset the password"]
    with linnet.load(file) as exported, torch.no_grad():
        assert exported.manifest.recipe == recipe
        for text in texts:
            expected = torch.softmax(model(**tokenizer(text, return_tensors="pt")).logits[0], -1)
            found = {answer["label"]: answer["score"] for answer in exported(text, top_k=None)}
            for place, label in model.config.id2label.items():
                # an activation between two steps can fall to either side: a few hundredths of a score
                assert found[label] == pytest.approx(float(expected[place]), abs=0.03)


def test_the_weights_are_others_than_without(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    plain = train(config(encoder, rows_file, tmp_path / "plain"))
    aware = train(config(encoder, rows_file, tmp_path / "aware", quantize_aware="8da4w"))
    weights = [
        classifier(report.output).state_dict()["bert.encoder.layer.0.output.dense.weight"] for report in (plain, aware)
    ]
    assert not torch.equal(*weights)


def test_what_does_not_go_together_is_refused(encoder: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="quantize_aware trains every layer: leave out adapters and freeze"):
        config(encoder, rows_file, tmp_path, quantize_aware="int8", adapters=AdapterConfig(rank=2))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("int9", "quantize_aware is 'int9', which is no recipe; quantization-aware training supports 8da4w, int8"),
        ("fp16", "quantize_aware is 'fp16', quantization-aware training supports 8da4w, int8"),
        ("int8-static", "quantize_aware is 'int8-static', quantization-aware training supports 8da4w, int8"),
    ],
)
def test_a_recipe_that_cannot_be_imitated_is_refused_at_once(recipe: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=message):
        config(tmp_path, tmp_path / "rows.jsonl", tmp_path, quantize_aware=recipe)
