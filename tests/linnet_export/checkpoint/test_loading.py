"""Loading a checkpoint, and every reason to refuse one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.main import main
from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_export.graph.architectures import UnsupportedConfigError
from tests.support.checkpoints import write_checkpoint, write_cross_encoder_modules, write_sentence_modules


def load(directory: Path, **settings: Any) -> Any:
    return load_checkpoint(ExportConfig(model=str(directory), **settings))


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_config(directory: Path, **changes: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_classifier(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification", id2label={0: "no", 1: "yes"}, label2id={"no": 0, "yes": 1})
    checkpoint = load(tmp_path)
    assert checkpoint.task.name == "text-classification"
    assert checkpoint.labels == ("no", "yes")
    assert checkpoint.score_function == "softmax"
    assert checkpoint.max_length == 64
    assert checkpoint.special_id("mask") == 4
    assert len(checkpoint.sha256) == 64


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"problem_type": "multi_label_classification"}, "sigmoid"),
        ({"problem_type": "regression", "num_labels": 1}, "none"),
        ({"num_labels": 1}, "sigmoid"),
        ({"problem_type": "single_label_classification", "num_labels": 3}, "softmax"),
    ],
)
def test_score_function_follows_the_pipeline(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    write_checkpoint(tmp_path, task="text-classification", **changes)
    assert load(tmp_path).score_function == expected


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (None, "sigmoid"),
        ("torch.nn.modules.activation.Sigmoid", "sigmoid"),
        ("torch.nn.modules.linear.Identity", "none"),
    ],
)
def test_a_cross_encoder(tmp_path: Path, activation: str | None, expected: str) -> None:
    settings = {"version": "5.0.0"} | ({"activation_fn": activation} if activation else {})
    write_checkpoint(tmp_path, task="text-ranking", sentence_transformers=settings)
    checkpoint = load(tmp_path)
    assert (checkpoint.task.name, checkpoint.score_function) == ("text-ranking", expected)


def test_a_reranker_that_does_not_say_so(tmp_path: Path) -> None:
    """As cross-encoder/ms-marco-MiniLM-L-12-v2 without the files of sentence-transformers."""
    write_checkpoint(tmp_path, task="text-classification", num_labels=1)
    checkpoint = load(tmp_path)
    (note,) = checkpoint.notes
    assert "--task text-ranking" in note
    assert checkpoint.warnings == (note,)
    assert load(tmp_path, task="text-classification").notes == ()
    ranking = load(tmp_path, task="text-ranking")
    assert (ranking.task.name, ranking.notes) == ("text-ranking", ())


@pytest.mark.parametrize(("activation", "expected"), [("linear.Identity", "none"), ("activation.Sigmoid", "sigmoid")])
@pytest.mark.parametrize("task", [None, "text-ranking"])
def test_a_cross_encoder_of_version_6(tmp_path: Path, task: str | None, activation: str, expected: str) -> None:
    write_checkpoint(tmp_path, task="text-ranking")
    write_cross_encoder_modules(tmp_path, f"torch.nn.modules.{activation}")
    edit_json(tmp_path / "tokenizer_config.json", model_max_length=24)
    checkpoint = load(tmp_path, task=task)
    # activation_fn and max_seq_length of CrossEncoder(directory)
    assert (checkpoint.task.name, checkpoint.score_function, checkpoint.max_length) == ("text-ranking", expected, 24)


def test_a_default_prompt_of_a_cross_encoder_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-ranking")
    write_cross_encoder_modules(tmp_path)
    edit_json(tmp_path / "config_sentence_transformers.json", prompts={"q": "query: "}, default_prompt_name="q")
    with pytest.raises(CheckpointError, match="default prompt 'query: '"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("own", "tokenizer", "expected"),
    [(48, None, 48), (None, 20, 20), (48, 20, 48), (400, 20, 64), (None, None, 64), (None, 10**30, 64)],
)
def test_the_bound_of_an_embedder(tmp_path: Path, own: int | None, tokenizer: int | None, expected: int) -> None:
    # max_seq_length of SentenceTransformer(directory), but never more than the 64 positions: it fails behind them
    write_checkpoint(tmp_path)
    write_sentence_modules(tmp_path, max_seq_length=own)
    edit_json(tmp_path / "tokenizer_config.json", model_max_length=tokenizer)
    assert load(tmp_path).max_length == expected


@pytest.mark.parametrize("task", ["text-classification", "token-classification", "question-answering"])
def test_the_bound_of_the_tokenizer(tmp_path: Path, task: str) -> None:
    write_checkpoint(tmp_path, task=task)
    edit_json(tmp_path / "tokenizer_config.json", model_max_length=20)
    assert load(tmp_path).max_length == 20
    assert load(tmp_path, max_length=30).max_length == 30


@pytest.mark.parametrize(
    ("option", "pooling", "size"), [(None, "mean", 32), ("none", "none", 32), ("cls+mean", "cls+mean", 64)]
)
def test_the_pooling_of_a_plain_encoder(tmp_path: Path, option: str | None, pooling: str, size: int) -> None:
    write_checkpoint(tmp_path)
    checkpoint = load(tmp_path, pooling=option)
    assert (checkpoint.pooling, checkpoint.embedding_size) == (pooling, size)
    assert bool(checkpoint.notes) is (option is None)
    assert checkpoint.warnings == checkpoint.notes


def test_the_pooling_of_sentence_transformers_can_be_replaced(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    write_sentence_modules(tmp_path)
    checkpoint = load(tmp_path, pooling="max")
    assert (checkpoint.pooling, checkpoint.normalize, checkpoint.max_length) == ("max", True, 48)


def test_a_pooling_is_for_embeddings(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification")
    with pytest.raises(CheckpointError, match="text-classification makes no embeddings"):
        load(tmp_path, pooling="mean")
    with pytest.raises(ValueError, match="pooling is 'median', expected none, or of cls, max"):
        ExportConfig(model="x", pooling="median")


def test_an_unknown_activation_of_a_cross_encoder_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-ranking", sentence_transformers={"activation_fn": "torch.nn.Tanh"})
    with pytest.raises(CheckpointError, match=r"torch\.nn\.Tanh.*Sigmoid, Identity"):
        load(tmp_path)


def test_a_sentence_transformers_directory(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    write_sentence_modules(tmp_path, pooling="cls")
    checkpoint = load(tmp_path)
    assert (checkpoint.task.name, checkpoint.pooling, checkpoint.normalize) == ("feature-extraction", "cls", True)
    assert checkpoint.max_length == 48


def test_lower_casing_outside_of_the_tokenizer_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    write_sentence_modules(tmp_path)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 48, "do_lower_case": true}')
    assert load(tmp_path).max_length == 48  # the tokenizer lower-cases anyway
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({**settings, "do_lower_case": False}))
    with pytest.raises(CheckpointError, match="do_lower_case"):
        load(tmp_path)


def test_a_body_is_not_a_classifier(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match=r"classifier\.(bias|weight).*trained for this task"):
        load(tmp_path, task="text-classification")


def test_labels(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, task="text-classification")
    assert load(tmp_path, labels=("off", "on")).labels == ("off", "on")
    with pytest.raises(CheckpointError, match="3 labels were given, the checkpoint has 2"):
        load(tmp_path, labels=("a", "b", "c"))


def test_labels_of_a_task_without_classes(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="feature-extraction has none"):
        load(tmp_path, labels=("a", "b"))


def test_max_length(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    assert load(tmp_path, max_length=17).max_length == 17
    with pytest.raises(CheckpointError, match="65, the model has 64 positions"):
        load(tmp_path, max_length=65)


def test_a_tokenizer_larger_than_the_embedding(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["extra"] = 5000
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="5000.*145 rows"):
        load(tmp_path)


def test_unsupported_settings_are_refused_together_before_weights_are_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    edit_config(tmp_path, is_decoder=True, hidden_act="laplace")
    (tmp_path / "model.safetensors").write_bytes(b"no weights at all")
    message = "bert: expected an encoder, got is_decoder true.*; hidden_act is 'laplace'"
    with pytest.raises(UnsupportedConfigError, match=message):
        load(tmp_path)


def test_missing_config(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": ""}, "expected model to be a directory"),
        ({"model": "x", "max_length": 2}, "at least 3"),
        ({"model": "x", "max_batch": -1}, "got -1"),
        ({"model": "x", "budget": {"accuracy": 1.0}}, "accuracy.*agreement"),
        ({"model": "x", "prove": False, "budget": {"agreement": 0.5}}, "switched off"),
        ({"model": "x", "max_length": 0, "max_batch": 5000}, "max_length.*max_batch"),
    ],
)
def test_settings_say_everything_at_once(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExportConfig(**settings)


def test_unknown_settings_are_errors() -> None:
    with pytest.raises(TypeError, match="quantise"):
        ExportConfig(model="x", quantise=True)  # type: ignore[call-arg]


def test_an_impossible_setting_is_wrong_usage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path), "--max-length", "1"]) == 2
    assert capfd.readouterr().err.startswith("linnet: error: expected max_length to be at least 3")
