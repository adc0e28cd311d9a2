"""Tasks beside text-classification: rows become the right labels, training ends in a file that measures the same."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from linnet.cli.main import main
from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.problems import Place
from linnet_train import CalibrationConfig, DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.data.rows import Example
from linnet_train.errors import BadDataError
from linnet_train.tasks import TASKS, read_examples
from linnet_train.tasks.base import get_task
from linnet_train.tasks.question_answering import answer_span
from linnet_train.tasks.rows.question_answering import read_answers
from linnet_train.tasks.sentence_similarity import cosent_loss, pool
from linnet_train.tasks.token_classification import first_tokens, word_of_tokens
from tests.support.training import assert_same_weights, train_until_killed, write_rows

Row = dict[str, object]
FILLERS = "the a to in is it on at my".split()


def tagged_rows(count: int) -> list[Row]:
    """`bank` opens a place, `account` after it goes on with it, `music` is a thing."""
    generator = random.Random(0)
    rows: list[Row] = []
    for _ in range(count):
        tokens, tags = ["the"], ["O"]
        for _ in range(generator.randint(1, 3)):
            name = generator.choice([["bank", "account"], ["bank"], ["music"]])
            tokens += [*generator.choices(FILLERS, k=2), *name]
            tags += ["O", "O", *(["B-thing"] if name == ["music"] else ["B-place", "I-place"][: len(name)])]
        rows.append({"tokens": tokens, "tags": tags, "intent": "none"})
    return rows


def question_rows(count: int) -> list[Row]:
    """The answer is the only word of its kind."""
    generator = random.Random(0)
    rows: list[Row] = []
    for _ in range(count):
        words = [*generator.choices(FILLERS, k=generator.randint(2, 5)), "bank", *generator.choices(FILLERS, k=4)]
        at = len(" ".join(words[: words.index("bank")])) + 1
        rows.append({"question": "open", "context": " ".join(words),
                     "answers": {"text": ["bank"], "answer_start": [at]}})  # fmt: skip
    return rows


def pair_rows(count: int) -> list[Row]:
    generator = random.Random(0)
    rows: list[Row] = []
    for _ in range(count):
        subjects = [generator.choice(["play music", "bank money", "train rain"]) for _ in range(2)]
        left, right = (" ".join([*generator.choices(FILLERS, k=2), subject]) for subject in subjects)
        score = 5.0 if subjects[0] == subjects[1] else generator.choice([0.0, 1.0])
        rows.append({"sentence1": left, "sentence2": right, "score": score})
    return rows


def ranked_rows(count: int) -> list[Row]:
    generator = random.Random(0)
    queries = [" ".join(generator.choices(FILLERS, k=4)) for _ in range(count // 4)]
    return [
        {"query": query, "passage": " ".join([*generator.choices(FILLERS, k=2), word]), "label": int(word == "music")}
        for query in queries
        for word in ("bank", "rain", "music", "money")
    ]


ROWS: dict[str, Callable[[int], list[Row]]] = {
    "token-classification": tagged_rows,
    "question-answering": question_rows,
    "sentence-similarity": pair_rows,
    "text-ranking": ranked_rows,
}
LEAST = {"token-classification": 0.9, "question-answering": 0.9, "sentence-similarity": 0.6, "text-ranking": 0.9}


def config(task: str, encoder: Path, tmp_path: Path, **changes: Any) -> TrainConfig:
    rows = write_rows(tmp_path / "rows.jsonl", ROWS[task](128))
    return TrainConfig(
        **{
            "model": str(encoder),
            "output": tmp_path / "model",
            "data": DataConfig(train=rows, validation_split=0.2),
            "task": task,
            "optimizer": OptimizerConfig(epochs=3, batch_size=16, learning_rate=5e-3),
            "max_length": 32,
            **changes,
        }
    )


# -- the whole way ---------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ROWS)
def test_from_rows_to_a_file_that_measures_the_same(
    task: str, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`linnet eval`'s own decoding of the file, in C++, is the oracle of the figures of the training."""
    rows = write_rows(tmp_path / "rows.jsonl", ROWS[task](160))
    status = main(
        ["train", str(encoder), "--task", task, "--data", str(rows), "--validation-split", "0.2", "--epochs", "5",
         "--batch-size", "16", "--learning-rate", "5e-3", "--max-length", "32", "-o", str(tmp_path / "out"),
         "--export", str(tmp_path / "out.pte"), "--quantization", "fp32", "--json"]
    )  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["file"]["status"] == "proven"
    figures = found["stages"]["out"]["figures"]
    assert found["file"]["figures"] == pytest.approx(figures, abs=2e-3)
    assert figures[get_task(task).metrics[0]] >= LEAST[task]


@pytest.mark.slow
@pytest.mark.parametrize("task", ROWS)
def test_interrupted_and_resumed_is_as_uninterrupted(
    task: str, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = config(task, encoder, tmp_path)
    train(whole)
    broken = dataclasses.replace(whole, output=tmp_path / "broken", save_steps=3)
    train_until_killed(broken, 3, monkeypatch)
    train(dataclasses.replace(broken, resume=True))
    assert_same_weights(broken.output, whole.output)


@pytest.mark.slow
def test_killed_and_resumed_is_as_uninterrupted(encoder: Path, tmp_path: Path) -> None:
    """kill -9 while entities are learned."""
    rows = write_rows(tmp_path / "rows.jsonl", tagged_rows(128))
    command = [
        sys.executable, "-m", "linnet", "train", str(encoder), "--task", "token-classification", "--data", str(rows),
        "--epochs", "20", "--batch-size", "16", "--learning-rate", "5e-3", "--max-length", "32", "--save-steps", "5",
        "--json",
    ]  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([*command, "-o", str(whole)], check=True, capture_output=True, timeout=300)
    process = subprocess.Popen([*command, "-o", str(broken)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 200
    while not list(broken.glob("training/checkpoints/*/complete")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (broken / "model.safetensors").exists()
    subprocess.run([*command, "-o", str(broken), "--resume"], check=True, capture_output=True, timeout=300)
    assert_same_weights(broken, whole)


# -- settings and rows -----------------------------------------------------------------------------


def test_every_task_has_its_file() -> None:
    assert [get_task(name).name for name in TASKS] == list(TASKS)


def test_settings_of_other_tasks_are_refused_at_once(encoder: Path, tmp_path: Path) -> None:
    wrong = config(
        "token-classification", encoder, tmp_path, metric="spearman", calibration=CalibrationConfig(temperature=True)
    )
    with pytest.raises(InvalidArgumentError, match="has no calibration; metric is 'spearman', .* has f1, precision"):
        train(wrong)
    assert not wrong.output.exists()


def problems(task: str, rows: list[Row], tmp_path: Path) -> list[str]:
    file = write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(BadDataError) as caught:
        read_examples(DataConfig(train=file), 0, task)
    return [str(problem).removeprefix(f"{file}").lstrip(", :") for problem in caught.value.problems]


def test_bad_tags_are_named_at_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        *tagged_rows(3),
        {"tokens": ["a", "b"], "tags": ["O"]},
        {"tokens": [], "tags": ["O"]},
        {"tokens": ["a", ""], "tags": ["O", 3.5]},
        {"tokens": ["a b"], "tags": ["O"]},
        {"tags": "O"},
    ]
    assert problems("token-classification", rows, tmp_path) == [
        "line 4: 2 tokens and 1 tags, expected as many",
        "line 5: tokens is [], expected a list of words",
        "line 6: tokens 2 is empty, expected a str, tags 2 is 3.5, expected a str or a whole number",
        "line 7: tokens 1 is 'a b', expected one word",
        "line 8: tokens is missing, expected a list of words, tags is 'O', expected a list of tags",
    ]


def test_tags_that_no_training_row_has_are_refused(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", tagged_rows(8))
    dev = tmp_path / "dev.conll"
    dev.write_text("it O\n\nEU B-org\nis O\n", encoding="utf-8")
    with pytest.raises(BadDataError) as caught:
        read_examples(DataConfig(train=file, validation=dev), 0, "token-classification")
    assert [str(problem) for problem in caught.value.problems] == [f"{dev}, line 3: no training row has B-org"]


def test_bad_answers_are_named_at_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        *question_rows(2),
        {"question": "q", "context": "a bank, a bank", "answers": "bank"},
        {"question": "q", "context": "a bank", "answers": ["train"]},
        {"question": "q", "context": "a bank", "answers": {"text": ["bank"], "answer_start": [1]}},
        {"question": " ", "context": "a bank", "answers": []},
        {"question": "q", "context": "a bank"},
    ]
    assert problems("question-answering", rows, tmp_path) == [
        "line 3: answers: 'bank' occurs 2 times in the context, expected answer_start",
        "line 4: answers: 'train' is not in the context",
        "line 5: answers: answer_start is 1, but the context does not have 'bank' there",
        "line 6: question is empty, expected a text",
        "line 7: answers: missing, expected answers; an empty list where there is none",
    ]


def test_bad_scores_are_named_at_once(tmp_path: Path) -> None:
    rows: list[Row] = [
        {"sentence1": "a", "sentence2": "b", "score": "high"},
        {"sentence1": "a", "sentence2": "", "score": 1},
        {"sentence1": "c", "sentence2": "d", "score": float("nan")},
    ]
    assert problems("sentence-similarity", rows, tmp_path) == [
        "line 1: score is 'high', expected a number",
        "line 2: sentence2 is empty, expected a text",
        "line 3: score is nan, expected a number",
    ]
    rows = [*ranked_rows(8), {"query": "a", "passage": "b", "label": 3}]
    assert problems("text-ranking", rows, tmp_path) == ["line 9: label is 3, expected a number from 0 to 1"]
    assert "every passage has the label 1" in problems(
        "text-ranking", [{"query": "a", "passage": "b", "label": 1}] * 2, tmp_path
    )[0]  # fmt: skip


def test_what_belongs_together_is_held_out_together(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", ranked_rows(80))
    found = read_examples(DataConfig(train=file, validation_split=0.25), 0, "text-ranking")
    assert len(found.validation) == 20
    assert not {example.text for example in found.train} & {example.text for example in found.validation}


# -- labels ----------------------------------------------------------------------------------------


def test_words_of_tokens_are_transformers_own(encoder: Path) -> None:
    """`word_ids` of a fast tokenizer that is given the words is the oracle."""
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(encoder)
    words = ["Zebras", "don't", "play", "U.S.", "music-hall", "x"]
    expected = tokenizer(words, is_split_into_words=True).word_ids()
    found = tokenizer(" ".join(words), return_offsets_mapping=True)["offset_mapping"]
    owners = word_of_tokens(words, found)
    assert owners == expected
    assert first_tokens(owners, 6) == [expected.index(word) for word in range(6)]
    assert first_tokens(owners[:3], 6)[2:] == [None] * 4  # what was cut has no token


@pytest.mark.parametrize("everywhere", [False, True])
def test_only_first_tokens_have_a_label_unless_all_are_wanted(encoder: Path, tmp_path: Path, everywhere: bool) -> None:
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(encoder)
    row = Example("the zz", None, ("O", "B-place"), Place("rows", 1), ("the", "zz"))
    other = Example("it", None, ("I-place",), Place("rows", 2), ("it",))
    settings = config("token-classification", encoder, tmp_path)
    settings = dataclasses.replace(settings, data=dataclasses.replace(settings.data, label_all_tokens=everywhere))
    examples = dataclasses.replace(
        read_examples(settings.data, 0, "token-classification"), labels=("B-place", "I-place", "O")
    )
    rows = get_task("token-classification").encode([row, other], examples, tokenizer, settings)
    assert rows.labels == [[-100, 2, 0, 1 if everywhere else -100, -100], [-100, 1, -100]]  # the, z, ##z


def test_entity_figures_are_those_of_seqeval() -> None:
    """Printed by seqeval 1.2.2: precision_score, recall_score, f1_score, accuracy_score of these tags."""
    names = ("B-a", "B-b", "I-a", "O")
    expected = [("B-a", "I-a", "O", "B-b"), ("O", "B-a", "B-b")]
    found = [("B-a", "I-a", "O", "B-a"), ("O", "B-a", "O")]
    rows: Any = type("Encoded", (), {"extra": [([1, 2, 3, 4], expected[0]), ([1, 2, 3], expected[1])]})
    logits = torch.zeros(2, 6, 4)
    for place, tags in enumerate(found):
        for token, tag in enumerate(tags, 1):
            logits[place, token, names.index(tag)] = 1
    examples: Any = type("Labels", (), {"labels": names})
    figures = get_task("token-classification").figures(logits.numpy(), rows, examples)
    assert figures == pytest.approx(SEQEVAL)


SEQEVAL = {"precision": 2 / 3, "recall": 0.5, "f1": 0.5714285714285715, "accuracy": 0.7142857142857143}


def test_answers_become_tokens() -> None:
    spans = [None, None, None, (0, 3), (4, 8), (8, 10), (11, 15), None]
    assert answer_span(spans, [("bankss", 4)]) == (4, 5)
    assert answer_span(spans, [("the", 0), ("late", 11)]) == (3, 3)
    assert answer_span(spans, [(" late ", 10)]) == (6, 6)
    assert answer_span([*spans[:5], None], [("bankss", 4)]) == (0, 0)  # the window ends within the answer
    assert answer_span(spans, []) == (0, 0)


def test_forms_of_answers() -> None:
    expected = (("bank", 2),)
    assert read_answers("bank", None, "a bank") == expected
    assert read_answers("bank", 2, "a bank") == expected
    assert read_answers(["bank"], None, "a bank") == expected
    assert read_answers([{"text": "bank", "answer_start": 2}], None, "a bank") == expected
    assert read_answers({"text": ["bank"], "answer_start": [2]}, None, "a bank") == expected
    assert read_answers([], None, "a bank") == read_answers("", None, "a bank") == ()
    assert read_answers({"text": [], "answer_start": []}, None, "a bank") == ()


def test_long_contexts_become_windows_and_one_has_the_answer(encoder: Path, tmp_path: Path) -> None:
    squad = {"data": [{"paragraphs": [
        {"context": "the rain " * 20 + "bank" + " the sun" * 20,
         "qas": [{"question": "open", "answers": [{"text": "bank", "answer_start": 180}]}]},
        {"context": "it is", "qas": [{"question": "it", "is_impossible": True, "answers": []}]},
    ]}]}  # fmt: skip
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(squad))
    task = get_task("question-answering")
    examples = read_examples(DataConfig(train=file, validation=file), 0, "question-answering")
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(encoder)
    settings = config("question-answering", encoder, tmp_path)
    rows = task.encode(examples.train, examples, tokenizer, settings)
    assert [window.owner for window in rows.extra][-2:] == [0, 1]
    bank = tokenizer.convert_tokens_to_ids("bank")
    for row, (first, last) in zip(rows.inputs, rows.labels, strict=True):
        assert first == last
        assert (row["input_ids"][first] == bank) == (bank in row["input_ids"])
        assert len(row["input_ids"]) <= 32
    assert rows.labels[-1] == (0, 0)
    # logits that point at the labels are the right answers
    logits = torch.full((len(rows), 32), -5.0)
    for place, (first, _) in enumerate(rows.labels):
        logits[place, first] = 5
    assert task.figures((logits.numpy(), logits.numpy()), rows, examples) == {"f1": 1.0, "exact_match": 1.0}
    long = Example("open the bank " * 20, "it is", (), Place("rows", 7))
    with pytest.raises(BadDataError, match="rows, line 7: the question has 60 tokens, expected at most 12"):
        task.encode([long], examples, tokenizer, settings)


def test_cosent_by_hand() -> None:
    cosines, scores = torch.tensor([0.9, 0.5, 0.1]), torch.tensor([1.0, 3.0, 3.0])
    expected = torch.log(1 + torch.exp(torch.tensor(20 * 0.4)) + torch.exp(torch.tensor(20 * 0.8)))
    assert float(cosent_loss(cosines, scores)) == pytest.approx(float(expected), rel=1e-5)
    assert float(cosent_loss(cosines, torch.ones(3))) == 0


def test_pooling_leaves_padding_out() -> None:
    hidden, mask = torch.tensor([[[1.0, 4.0], [3.0, 2.0], [9.0, 9.0]]]), torch.tensor([[1, 1, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2, 3]]
    assert pool(hidden, mask, "max").tolist() == [[3, 4]]
    assert pool(hidden, mask, "cls").tolist() == [[1, 4]]
