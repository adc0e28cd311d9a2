"""A teacher beside its student: each distance by hand, every task, and what has to be refused."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file

from linnet.errors import InvalidArgumentError
from linnet_export.errors import CheckpointError
from linnet_train import DataConfig, DistillationConfig, OptimizerConfig, ShrinkConfig, TrainConfig, train
from linnet_train.distill.transfer import attention_distance, feature_map_distance, load_teacher, with_teacher
from linnet_train.tasks import read_examples
from linnet_train.tasks.base import get_task
from tests.support.checkpoints import write_checkpoint
from tests.support.training import assert_same_weights, easy_rows, train_until_killed, write_rows

QUICK = OptimizerConfig(epochs=2, batch_size=16, learning_rate=2e-3, dropout=0.0)


def test_feature_maps_by_hand() -> None:
    student = torch.tensor([[[1.0, 2.0], [0.0, 0.0], [9.0, 9.0]]])
    teacher = torch.tensor([[[0.0, 0.0], [0.0, 2.0], [0.0, 0.0]]])
    mask = torch.tensor([[1, 1, 0]])
    assert float(feature_map_distance(student, teacher, mask)) == pytest.approx(((1 + 4) / 2 + (0 + 4) / 2) / 2)


def test_attention_by_hand() -> None:
    student = torch.tensor([[[[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [1.0, 0.0, 0.0]]]])
    teacher = torch.tensor([[[[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]]])
    mask = torch.tensor([[1, 1, 0]])
    second = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(attention_distance(student, teacher, mask)) == pytest.approx(second / 2)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Rows for each task."""
    folder = tmp_path_factory.mktemp("transfer")
    rows = easy_rows(64)
    texts = [str(row["text"]) for row in rows]
    words = [text.split() for text in texts]
    files = {
        "text-classification": rows,
        "token-classification": [
            {"tokens": tokens, "tags": ["B-A" if word == "the" else "O" for word in tokens]} for tokens in words
        ],
        "question-answering": [
            {"question": "open", "context": text, "answers": [{"text": "the", "answer_start": 0}]} for text in texts
        ],
        "sentence-similarity": [
            {"sentence1": left, "sentence2": right, "score": place % 5}
            for place, (left, right) in enumerate(itertools.pairwise(texts))
        ],
        "text-ranking": [
            {"query": f"{text} {place // 4}", "passage": texts[place - 1], "label": int(place % 4 == 0)}
            for place, text in enumerate(texts)
        ],
        "fill-mask": [{"text": text} for text in texts],
    }
    return {task: write_rows(folder / f"{task}.jsonl", found) for task, found in files.items()}  # type: ignore[arg-type]


def config(model: Path, output: Path, task: str, data: Path, **changes: Any) -> TrainConfig:
    return TrainConfig(model=str(model), output=output, task=task, data=DataConfig(train=data), max_length=32,
                       **{"optimizer": QUICK, **changes})  # fmt: skip


@pytest.mark.parametrize(
    "task",
    ["text-classification", "token-classification", "question-answering", "sentence-similarity", "text-ranking",
     "fill-mask"],
)  # fmt: skip
def test_every_task_learns_from_a_teacher_beside_it(
    task: str, encoder: Path, data: dict[str, Path], tmp_path: Path
) -> None:
    train(config(encoder, tmp_path / "teacher", task, data[task]))
    distillation = DistillationConfig(teacher=str(tmp_path / "teacher"), feature_map_weight=1.0, attention_weight=1.0)
    settings = config(tmp_path / "teacher", tmp_path / "student", task, data[task], distillation=distillation)
    kind = get_task(task)
    examples = read_examples(settings.data, 0, task)
    loaded = kind.load(settings.model, examples, settings)
    student: Any = loaded.model.train()
    teacher = load_teacher(settings, kind, examples, student, loaded.tokenizer)
    rows = kind.encode(examples.train[:8], examples, loaded.tokenizer, settings)
    batch = kind.collator(0)([rows[place] for place in range(8)])
    step = kind.step(settings, rows, examples)
    own = step(student, dict(batch))[0].detach()
    loss = with_teacher(step, teacher)(student, dict(batch))[0].detach()
    # the student is its own teacher: nothing is left but the task's loss, and what entropy a label has of its own
    if task == "text-ranking":
        assert float(loss) <= float(own) + 0.7
    else:
        share = 1.0 if task == "text-classification" else 1 - distillation.weight
        assert float(loss) == pytest.approx(share * float(own), rel=1e-3, abs=1e-4)
    report = train(settings)
    assert report.figures
    assert not any("projection" in name for name in load_file(tmp_path / "student/model.safetensors"))


def test_the_distances_shrink_and_the_projection_does_not_stay(data: dict[str, Path], tmp_path: Path) -> None:
    task = "text-classification"
    wide = write_checkpoint(tmp_path / "wide", "bert", hidden_size=48, num_hidden_layers=4)
    narrow = write_checkpoint(tmp_path / "narrow", "bert")
    train(config(wide, tmp_path / "teacher", task, data[task]))

    def student(weight: float, output: str) -> float:
        settings = config(
            narrow, tmp_path / output, task, data[task], optimizer=OptimizerConfig(
                epochs=12, batch_size=16, learning_rate=5e-3, dropout=0.0
            ),
            distillation=DistillationConfig(teacher=str(tmp_path / "teacher"), attention_weight=weight),
        )  # fmt: skip
        train(settings)
        return _attention_gap(tmp_path / "teacher", tmp_path / output)

    assert student(20.0, "with") < 0.7 * student(0.0, "without")
    both = DistillationConfig(teacher=str(tmp_path / "teacher"), feature_map_weight=1.0, teacher_layers=(0, 3))
    report = train(config(narrow, tmp_path / "maps", task, data[task], distillation=both))
    assert not any("projection" in name for name in load_file(tmp_path / "maps/model.safetensors"))
    assert report.trained_parameters == report.parameters
    assert report.parameters == sum(
        weight.numel() for weight in load_file(tmp_path / "maps/model.safetensors").values()
    )


def _attention_gap(teacher: Path, student: Path) -> float:
    ids = torch.arange(5, 29).view(2, 12)
    found = []
    for path in (student, teacher):
        model = transformers.AutoModelForSequenceClassification.from_pretrained(path, attn_implementation="eager")
        with torch.no_grad():
            found.append(model.eval()(input_ids=ids, output_attentions=True).attentions)
    mask = torch.ones(2, 12, dtype=torch.int64)
    pairs = ((0, 1), (1, 3))  # spread evenly
    return sum(float(attention_distance(found[0][mine], found[1][other], mask)) for mine, other in pairs)


def test_a_trimmed_student_is_understood_and_goes_on_after_a_kill(
    data: dict[str, Path], encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = "text-classification"
    train(config(encoder, tmp_path / "teacher", task, data[task]))

    def settings(output: str, **changes: Any) -> TrainConfig:
        distillation = DistillationConfig(teacher=str(tmp_path / "teacher"), feature_map_weight=1.0)
        return config(tmp_path / "teacher", tmp_path / output, task, data[task], distillation=distillation,
                      shrink=ShrinkConfig(vocabulary="corpus", layers=(1,)), save_steps=2, **changes)  # fmt: skip

    report = train(settings("a"))
    assert "tokens" in report.shrunk[-1]
    train_until_killed(settings("b"), 2, monkeypatch)
    train(settings("b", resume=True))
    assert_same_weights(tmp_path / "a", tmp_path / "b")


def test_answers_alone_need_no_layers_to_compare(data: dict[str, Path], encoder: Path, tmp_path: Path) -> None:
    task = "token-classification"
    shallow = write_checkpoint(tmp_path / "shallow", "bert", num_hidden_layers=1)
    train(config(shallow, tmp_path / "teacher", task, data[task]))
    distillation = DistillationConfig(teacher=str(tmp_path / "teacher"))
    report = train(config(encoder, tmp_path / "student", task, data[task], distillation=distillation,
                          shrink=ShrinkConfig(layers=(1,))))  # fmt: skip
    assert report.figures
    with pytest.raises(InvalidArgumentError, match="teacher_layers is for feature_map_weight and attention_weight"):
        config(
            encoder, tmp_path / "x", task, data[task], distillation=DistillationConfig(teacher="t", teacher_layers=(0,))
        )


def test_what_cannot_teach_is_refused(data: dict[str, Path], encoder: Path, tmp_path: Path) -> None:
    task = "token-classification"
    maps: dict[str, Any] = {"feature_map_weight": 1.0}

    def refused(teacher: Path, *, name: str = task, **settings: Any) -> str:
        distillation = DistillationConfig(teacher=str(teacher), **settings)
        with pytest.raises((CheckpointError, InvalidArgumentError)) as caught:
            train(config(encoder, tmp_path / "out", name, data[name], distillation=distillation, force=True))
        return str(caught.value)

    assert "was not trained for token-classification with these labels" in refused(encoder, **maps)
    train(config(encoder, tmp_path / "teacher", task, data[task]))
    assert "cannot learn from the layers 0, 1, 5" in refused(tmp_path / "teacher", teacher_layers=(0, 1, 5), **maps)
    assert "token-classification has no hidden weight" in refused(tmp_path / "teacher", hidden_weight=1.0)
    heads = write_checkpoint(tmp_path / "heads", "bert", num_attention_heads=2)
    train(config(heads, tmp_path / "two", task, data[task]))
    assert "has 2 heads of attention, the student 4" in refused(tmp_path / "two", attention_weight=1.0)
    other = json.loads((tmp_path / "two/tokenizer.json").read_text())
    other["model"]["vocab"]["##qqq"] = other["model"]["vocab"].pop("bank")
    (tmp_path / "two/tokenizer.json").write_text(json.dumps(other))
    assert "does not know 1 of the student's tokens (bank)" in refused(tmp_path / "two", **maps)
    with pytest.raises(InvalidArgumentError, match="attention_weight requires dropout = 0"):
        config(encoder, tmp_path / "out", task, data[task], optimizer=OptimizerConfig(),
               distillation=DistillationConfig(teacher="t", attention_weight=1.0))  # fmt: skip
