"""Fine-tuning of decoders: which tokens are learned, the loss of transformers, and an answer that was taught."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet
from linnet.errors import InvalidArgumentError
from linnet_export import ExportConfig, export
from linnet_export.errors import CheckpointError
from linnet_train import AdapterConfig, DataConfig, OptimizerConfig, ShrinkConfig, TrainConfig, train
from linnet_train.data.batches import NO_LABEL
from linnet_train.errors import BadDataError
from linnet_train.tasks import read_examples
from linnet_train.tasks.base import get_task
from tests.support.decoder_file import write_decoder

TURNS = [
    {"role": "user", "content": "turn the volume up"},
    {"role": "assistant", "content": "The volume goes up."},
    {"role": "user", "content": "and down"},
    {"role": "assistant", "content": "Down it goes."},
]


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_decoder(tmp_path_factory.mktemp("decoder") / "model")


def _rows(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _config(model: Path, rows: Path, output: Path, **changes: Any) -> TrainConfig:
    given: dict[str, Any] = {"task": "text-generation", "max_length": 64, **changes}
    return TrainConfig(model=str(model), output=output, data=DataConfig(train=rows), **given)


def _encoded(decoder: Path, folder: Path, row: dict[str, Any], **changes: Any) -> tuple[Any, Any]:
    """Return the tokenizer, and the rows as they are trained on."""
    path = _rows(folder, row, row)
    config = _config(decoder, path, folder / "out", **changes)
    examples = read_examples(config.data, 0, config.task)
    tokenizer = transformers.AutoTokenizer.from_pretrained(decoder)
    return tokenizer, get_task(config.task).encode(examples.train, examples, tokenizer, config)


def test_answers_alone_are_learned(decoder: Path, tmp_path: Path) -> None:
    tokenizer, rows = _encoded(decoder, tmp_path, {"messages": TURNS}, max_length=128)
    ids, labels = rows.inputs[0]["input_ids"], rows.labels[0]
    assert tokenizer.decode(ids) == tokenizer.apply_chat_template(TURNS, tokenize=False)
    assert all(label in (NO_LABEL, token) for token, label in zip(ids, labels, strict=True))
    learned = tokenizer.decode([label for label in labels if label != NO_LABEL])
    # by hand from the template of decoder_file.py: with the end of each answer
    assert learned == "The volume goes up.<|im_end|>\nDown it goes.<|im_end|>\n"


def test_a_prompt_and_its_completion_are_two_messages(decoder: Path, tmp_path: Path) -> None:
    row = {"prompt": TURNS[0]["content"], "completion": TURNS[1]["content"]}
    assert _encoded(decoder, tmp_path, row)[1].labels == _encoded(decoder, tmp_path, {"messages": TURNS[:2]})[1].labels


def test_a_model_without_a_template_learns_the_completion_and_its_end(decoder: Path, tmp_path: Path) -> None:
    path = _rows(tmp_path, {"prompt": "play", "completion": " jazz"}, {"prompt": "play", "completion": " jazz"})
    config = _config(decoder, path, tmp_path / "out")
    examples = read_examples(config.data, 0, config.task)
    tokenizer = transformers.AutoTokenizer.from_pretrained(decoder)
    tokenizer.chat_template = None
    labels = get_task(config.task).encode(examples.train, examples, tokenizer, config).labels[0]
    assert tokenizer.decode([label for label in labels if label != NO_LABEL]) == " jazz<|im_end|>"


def test_the_loss_is_that_of_transformers(decoder: Path, tmp_path: Path) -> None:
    _, rows = _encoded(decoder, tmp_path, {"messages": TURNS})
    task = get_task("text-generation")
    batch = task.collator(0)([rows[0]])
    model = transformers.AutoModelForCausalLM.from_pretrained(decoder, dtype="float32").eval()
    expected = model(**batch).loss
    config = _config(decoder, tmp_path / "rows.jsonl", tmp_path / "out")
    loss, measured = task.step(config, rows, read_examples(config.data, 0, config.task))(model, dict(batch))
    torch.testing.assert_close(loss, expected)
    figures = task.figures([measured[name].numpy() for name in ("token_loss", "right")], rows, None)  # type: ignore[arg-type]
    assert figures["perplexity"] == pytest.approx(expected.exp().item(), rel=1e-4)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"messages": []}, "expected a list of messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "has the role 'robot', expected system, user, assistant"),
        ({"messages": TURNS[:1]}, "nothing to learn"),
        ({"messages": [{"role": "assistant", "content": " "}]}, "expected a text"),
        ({"messages": ["x"]}, "message 1 has the role"),
        ({"prompt": "x", "completion": ""}, "completion is"),
        ({"prompt": "x", "other": "y"}, "expected messages, or prompt and completion, got prompt, other"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadDataError, match=problem):
        read_examples(DataConfig(train=_rows(tmp_path, row, row)), 0, "text-generation")


def test_what_a_decoder_has_not_is_refused(decoder: Path, tmp_path: Path, encoder: Path) -> None:
    rows = _rows(tmp_path, {"messages": TURNS}, {"messages": TURNS[:2]})
    with pytest.raises(InvalidArgumentError, match="keeps its shape"):
        train(_config(decoder, rows, tmp_path / "a", shrink=ShrinkConfig(layers=(0,))))
    with pytest.raises(CheckpointError, match="bert generates no text"):
        train(_config(encoder, rows, tmp_path / "b"))
    with pytest.raises(BadDataError, match="no answer within 4 of its"):
        train(_config(decoder, rows, tmp_path / "c", max_length=4))


def test_adapters_leave_the_head_alone(decoder: Path, tmp_path: Path) -> None:
    rows = _rows(tmp_path, *({"prompt": f"volume {number}", "completion": "yes"} for number in range(8)))
    optimizer = OptimizerConfig(epochs=1, batch_size=2)
    report = train(_config(decoder, rows, tmp_path / "out", adapters=AdapterConfig(rank=2), optimizer=optimizer))
    # by hand, for each of two layers of width 64 with heads 4 and 2 of 16, and 96 inner: rank 2 of every linear layer
    pairs = ((64, 64), (64, 32), (64, 32), (64, 64), (64, 96), (64, 96), (96, 64))
    assert report.trained_parameters == 2 * sum(2 * (ins + outs) for ins, outs in pairs)


def test_a_taught_answer_comes_from_the_proven_file(decoder: Path, tmp_path: Path) -> None:
    words = ("up", "down", "off", "on")
    rows = _rows(tmp_path, *({"prompt": f"volume {word}", "completion": f"It goes {word}."} for word in words * 8))
    config = _config(decoder, rows, tmp_path / "taught")
    optimizer = OptimizerConfig(epochs=30, learning_rate=3e-3, batch_size=8)
    data = DataConfig(train=rows, validation=rows)
    report = train(dataclasses.replace(config, optimizer=optimizer, data=data))
    assert report.figures["perplexity"] < 1.2
    file = export(
        ExportConfig(
            model=str(tmp_path / "taught"), output=tmp_path / "taught.pte", max_length=64,
            proof=tmp_path / "taught" / "training" / "proof.jsonl",
        )
    )  # fmt: skip
    assert file.status == "proven"
    with linnet.load(file.path) as model:
        for word in words:
            answer = model.generate([{"role": "user", "content": f"volume {word}"}], max_new_tokens=12)
            assert answer.text.strip() == f"It goes {word}."
            assert answer.finish_reason == "stop"
