"""Constrained generation with a decoder of random weights: every completion is valid, however early it has to end."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import linnet
from linnet.cli.main import main
from linnet.errors import ContextFullError, InvalidArgumentError, TaskMismatchError
from linnet.generation import GenerationOptions
from linnet.model import Model
from tests.support.decoder_file import decoder_file
from tests.support.random_schemas import random_schema

PROMPT = "The small bird"
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file()) as opened:
        yield opened


def _random_options(source: random.Random) -> dict[str, Any]:
    return {
        "max_new_tokens": source.choice([30, 45, 500]),
        "temperature": source.choice([0.0, 0.7, 1.0, 3.0]),
        "top_k": source.choice([0, 5, 50]),
        "top_p": source.choice([1.0, 0.9]),
        "repetition_penalty": source.choice([1.0, 1.3]),
        "seed": source.getrandbits(40),
    }


def _check_schemas(model: Model, count: int, each: int) -> None:
    """Generate ``count`` completions, ``each`` of a random schema, and check them with jsonschema."""
    done = number = 0
    while done < count:
        number += 1
        source = random.Random(number)
        schema = random_schema(source)
        validator = jsonschema.Draft202012Validator(schema)
        for _ in range(each):
            try:
                text = model.generate("a", json_schema=schema, **_random_options(source)).text
            except (InvalidArgumentError, ContextFullError) as error:  # its shortest text is longer than the limit
                assert "the constraint needs" in str(error)  # noqa: PT017
                break
            validator.validate(json.loads(text))
            done += 1


def test_200_completions_have_their_schema(model: Model) -> None:
    _check_schemas(model, 200, 4)


@pytest.mark.slow
def test_10000_completions_have_their_schema(model: Model) -> None:
    _check_schemas(model, 10_000, 10)


@pytest.mark.parametrize("pattern", [r"[A-Z]{2}\d{3,8}", r"(ab|cd)*!", r".{5,}", r"\w+@\w+\.(com|org)", "[^a-z]*ü"])
def test_completions_match_their_expression(model: Model, pattern: str) -> None:
    for seed in range(20):
        options = _random_options(random.Random(seed))
        completion = model.generate(PROMPT, regex=pattern, **options)
        assert re.fullmatch(pattern, completion.text, re.ASCII)
        assert len(completion.ids) <= options["max_new_tokens"]


def test_a_completion_is_one_of_the_choices(model: Model) -> None:
    choices = ["yes", "no", "perhaps not"]
    found = [model.generate(PROMPT, choices=choices, temperature=3.0, seed=seed) for seed in range(60)]
    assert {completion.text for completion in found} == set(choices)
    assert {completion.finish_reason for completion in found} == {"stop"}
    state = model.new_text()
    state.append([*model.tokenize(PROMPT).ids.tolist(), *found[0].ids[:-1]])
    logits = state.logits().astype(np.float64)
    expected = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
    assert found[0].log_probabilities[-1] == pytest.approx(expected[found[0].ids[-1]], abs=1e-5)


def test_stream_chat_and_call_take_constraints(model: Model) -> None:
    options: dict[str, Any] = {"json_schema": PERSON, "temperature": 1.0, "seed": 4, "max_new_tokens": 40}
    text = model.generate(PROMPT, **options).text
    jsonschema.validate(json.loads(text), PERSON)
    assert "".join(model.stream(PROMPT, **options)) == text
    assert model(PROMPT, return_full_text=False, **options) == [{"generated_text": text}]
    assert model.generate(PROMPT, **{**options, "json_schema": json.dumps(PERSON)}).text == text
    chat = model.chat(choices=["yes", "no"])
    assert {chat.ask("a"), chat.ask("b")} <= {"yes", "no"}


def test_a_limit_that_is_too_small_is_refused(model: Model) -> None:
    with pytest.raises(InvalidArgumentError, match="max_new_tokens is 3; raise it"):
        model.generate(PROMPT, json_schema=PERSON, max_new_tokens=3)
    with pytest.raises(ContextFullError, match="fit behind the prompt"):
        model.generate("bird " * 20, regex=".{60}")
    assert model.generate(PROMPT, regex="(aa)?", max_new_tokens=0).text == ""


def test_choices_have_the_probabilities_of_their_tokens(model: Model) -> None:
    choices = ["yes", "no", "perhaps"]
    answers = model.choose(PROMPT, choices)
    prompt = model.tokenize(PROMPT).ids.tolist()
    sums = []
    for choice in choices:
        ids = model.tokenizer.encode(choice, add_special_tokens=False)[0].ids.tolist()
        rows = model.new_text().score(prompt + ids)[len(prompt) - 1 : -1].astype(np.float64)
        normalized = rows - np.log(np.exp(rows).sum(-1, keepdims=True))
        sums.append(normalized[np.arange(len(ids)), ids].sum())
    expected = np.exp(sums) / np.exp(sums).sum()
    assert {answer["label"]: answer["score"] for answer in answers} == pytest.approx(
        dict(zip(choices, expected.tolist(), strict=True))
    )
    assert [answer["score"] for answer in answers] == sorted((answer["score"] for answer in answers), reverse=True)
    for wrong in ([], "yes", ["a", "a"], [""], None, [1]):
        with pytest.raises(InvalidArgumentError, match="choices is"):
            model.choose(PROMPT, wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="prompt is empty"):
        model.choose("", choices)


def test_other_tasks_do_not_choose(toys: Path) -> None:
    with linnet.load(toys / "toy.pte") as classifier, pytest.raises(TaskMismatchError, match="text-generation"):
        classifier.choose("x", ["a"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"regex": "a", "choices": ["a"]}, "regex and choices are given"),
        ({"regex": 3}, "regex is 3"),
        ({"choices": "ab"}, "choices is 'ab'"),
        ({"choices": ["a", "a"]}, "different texts"),
        ({"json_schema": [1]}, "json_schema is a list"),
        ({"json_schema": {"enum": [{1, 2}]}}, "cannot be written as JSON"),
        ({"regex": "a", "stop_strings": ["b"]}, "stop_strings would cut"),
        ({"temperature": "hot"}, "temperature is 'hot', expected a number or None"),
        ({"temperature": True}, "temperature is True"),
        ({"presence_penalty": None}, "presence_penalty is None, expected a number"),
        ({"top_k": 2.5}, "top_k is 2.5, expected an int"),
        ({"top_k": 2**40}, "top_k is"),
        ({"do_sample": 1}, "do_sample is 1"),
        ({"seed": True}, "seed is True"),
    ],
)
def test_options_of_the_wrong_type_are_named(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(problem)):
        GenerationOptions.of(options)


def test_numbers_of_numpy_are_numbers(model: Model) -> None:
    numbers = {"temperature": np.float32(1), "top_k": np.int64(5), "seed": np.int64(3)}
    options: dict[str, Any] = {**numbers, "max_new_tokens": 3}
    plain = model.generate(PROMPT, temperature=1.0, top_k=5, seed=3, max_new_tokens=3)
    assert model.generate(PROMPT, **options) == plain


def test_the_command_line_takes_constraints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = tmp_path / "person.json"
    schema.write_text(json.dumps(PERSON), encoding="utf-8")
    run = ["run", str(decoder_file()), PROMPT, "--json", "--max-new-tokens", "40", "--seed", "1"]
    for given in (str(schema), json.dumps(PERSON)):
        assert main([*run, "--json-schema", given]) == 0
        text = json.loads(capsys.readouterr().out)["result"][0]["generated_text"]
        jsonschema.validate(json.loads(text), PERSON)
    assert main([*run[:3], "--choices", "yes,no"]) == 0
    assert capsys.readouterr().out.removeprefix(PROMPT) in ("yes\n", "no\n")
    assert main([*run[:3], "--regex", r"\d{4}"]) == 0
    assert re.fullmatch(r"\d{4}\n", capsys.readouterr().out.removeprefix(PROMPT))
    assert main([*run[:3], "--json-schema", str(tmp_path / "none.json")]) != 0
    assert "none.json: No such file or directory" in capsys.readouterr().err
