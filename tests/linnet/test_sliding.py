"""Texts that are longer than the context: what is forgotten, and that nothing else changes."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.cli.main import main
from linnet.errors import CancelledError, ContextFullError, InvalidArgumentError
from linnet.generation import Chat, read_prompt
from linnet.model import Model
from linnet.sliding import Turn, Window
from tests.support.decoder_file import CONTEXT, decoder_file

PROMPT = "The small bird sings before"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file()) as opened:
        yield opened


def _behind(model: Model, ids: list[int]) -> Any:
    text = model.new_text()
    text.append(ids)
    return text.logits()


def test_removed_tokens_leave_no_trace(model: Model) -> None:
    draw = random.Random(3)
    for _ in range(10):
        ids = [draw.randrange(5, 400) for _ in range(draw.randrange(2, CONTEXT))]
        start = draw.randrange(len(ids))
        count = draw.randrange(len(ids) - start + (start > 0))
        text = model.new_text()
        text.append(ids)
        text.remove(start, count)
        rest = ids[:start] + ids[start + count :]
        assert list(text.tokens) == rest
        np.testing.assert_array_equal(text.logits(), _behind(model, rest))


def test_tokens_that_are_not_there_cannot_be_removed(model: Model) -> None:
    text = model.new_text()
    text.append([5, 6, 7])
    for start, count in ((0, 4), (4, 0), (2, 2), (1, 2**64 - 1)):
        with pytest.raises(InvalidArgumentError, match="there are 3"):
            text.remove(start, count)
    assert list(text.tokens) == [5, 6, 7]
    text.cancel()
    with pytest.raises(CancelledError):
        text.remove(0, 1)
    assert list(text.tokens) == []


@pytest.mark.parametrize("keep", [0, 5])
@pytest.mark.parametrize("lookup", [None, 8])
def test_a_text_slides_as_one_that_is_made_anew(model: Model, keep: int, lookup: int | None) -> None:
    ids = model.tokenize(PROMPT).ids.tolist()
    made = []
    for _ in range(150):
        made.append(int(_behind(model, ids).argmax()))
        if len(ids) == CONTEXT:  # half of what is behind the kept tokens goes
            ids = ids[:keep] + ids[keep + (CONTEXT - keep + 1) // 2 :]
        ids.append(made[-1])
    ended = made.index(2) if 2 in made else len(made)
    options: dict[str, Any] = {
        "max_new_tokens": 150,
        "overflow": "slide",
        "keep": keep,
        "prompt_lookup_num_tokens": lookup,
    }
    answer = model.generate(PROMPT, **options)
    assert list(answer.ids) == made[:ended]
    assert answer.finish_reason == ("stop" if ended < 150 else "length")


def test_a_prompt_that_is_too_long_keeps_its_beginning_and_its_end(model: Model) -> None:
    prompt = " ".join(["one two three four five"] * 30)
    ids = read_prompt(model._session, prompt)
    assert len(ids) > 2 * CONTEXT
    answer = model.generate(prompt, max_new_tokens=1, overflow="slide", keep=10)
    kept = ids[:10] + ids[-(CONTEXT - 10) // 2 :]
    assert answer.prompt_tokens == len(kept)
    assert answer.ids[0] == int(_behind(model, kept).argmax())


def test_a_seed_is_not_used_twice_for_a_place(model: Model) -> None:
    # with almost uniform probabilities a repeated random number gives a repeated token
    options: dict[str, Any] = {
        "temperature": 1000.0,
        "seed": 4,
        "max_new_tokens": 150,
        "overflow": "slide",
        "stop_strings": [],
    }
    first = model.generate(PROMPT, **options)
    assert model.generate(PROMPT, **options).ids == first.ids
    if len(first.ids) > CONTEXT:
        half = CONTEXT // 2
        same = sum(a == b for a, b in zip(first.ids[half:], first.ids, strict=False))
        assert same < len(first.ids) / 4


def test_a_constraint_holds_while_the_text_slides(model: Model) -> None:
    answer = model.generate(PROMPT, regex="(ab ){60}", max_new_tokens=250, overflow="slide")
    assert answer.text == "ab " * 60


def test_whole_turns_are_forgotten_first(model: Model) -> None:
    system = {"role": "system", "content": "Be"}
    turns = [[{"role": "user", "content": str(n)}, {"role": "assistant", "content": "x" * 4}] for n in range(4)]
    question = {"role": "user", "content": "last"}
    whole = [system, *(message for turn in turns for message in turn), question]
    full = len(_ids(model, whole))
    assert full > CONTEXT
    answer = model.generate(whole, max_new_tokens=1, overflow="slide")
    keep = len(_ids(model, [system])) - _tail(model, system)
    expected = [
        ids
        for first in range(1, 5)
        if len(ids := _ids(model, [system, *(message for turn in turns[first:] for message in turn), question]))
        <= keep + (CONTEXT - keep) // 2
    ]
    ids = expected[0] if expected else _ids(model, [system, question])
    assert answer.prompt_tokens == len(ids)
    assert (answer.ids or (2,))[0] == int(_behind(model, ids).argmax())


def _ids(model: Model, messages: list[dict[str, str]]) -> list[int]:
    return read_prompt(model._session, messages)


def _tail(model: Model, system: dict[str, str]) -> int:
    """Return how many tokens of a prompt with one message follow the beginning that all such prompts share."""
    one, other = (_ids(model, [system, {"role": "user", "content": text}]) for text in "0A")
    common = next(place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return len(_ids(model, [system])) - common


def test_a_chat_goes_on_for_ever_and_keeps_its_system_message(model: Model) -> None:
    chat = model.chat(system="Be", max_new_tokens=6, overflow="slide", temperature=1.0, seed=2)
    beginning = list(model.prepare([{"role": "system", "content": "Be"}]).tokens)
    for number in range(12):
        chat.ask(f"q{number}")
        assert list(chat._state.tokens)[: len(beginning)] == beginning
    assert len(chat.messages) == 1 + 2 * 12
    stopping = model.chat(system="Be", max_new_tokens=6)
    with pytest.raises(ContextFullError, match="overflow='slide'"):
        _ask_all(stopping)
    chat.reset()
    assert [message["role"] for message in chat.messages] == ["system"]


def _ask_all(chat: Chat) -> None:
    for number in range(12):
        chat.ask(f"q{number}")


def _turns(ends: list[int]) -> list[Turn]:
    return [Turn(end, number) for number, end in enumerate(ends, 1)]


def test_a_window_never_leaves_a_text_too_long_and_forgets_turns_in_order() -> None:
    draw = random.Random(5)
    for _ in range(3000):
        capacity = draw.randrange(2, 60)
        keep = draw.randrange(capacity - 1)
        size = draw.randrange(capacity, 3 * capacity + 1)
        ends = sorted(draw.sample(range(1, size - keep + 1), min(size - keep, draw.randrange(6))))
        window = Window(keep, capacity, functools.partial(_turns, list(ends)))
        dropped = 0
        while size >= capacity:
            removed = window.removal(size)
            assert 0 < removed <= size - keep
            assert size - removed < capacity
            gone = [end for end in ends if end <= removed]
            assert window.dropped_turns == dropped + len(gone)
            dropped, ends = window.dropped_turns, [end - removed for end in ends if end > removed]
            size = size - removed + draw.randrange(capacity)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"overflow": "wrap"}, "expected 'stop' or 'slide'"),
        ({"keep": 3}, "overflow='slide'"),
        ({"keep": -1, "overflow": "slide"}, "keep is -1"),
        ({"keep": True, "overflow": "slide"}, "keep is True"),
    ],
)
def test_options_of_another_form_are_refused(model: Model, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        model.generate(PROMPT, **options)


def test_kept_tokens_need_room_for_others(model: Model) -> None:
    with pytest.raises(ContextFullError, match="63 tokens are kept, the context has 64"):
        model.generate(PROMPT, overflow="slide", keep=63)
    assert model.generate(PROMPT, overflow="slide", keep=62, max_new_tokens=70, temperature=0.0).finish_reason


def test_the_command_slides(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--max-new-tokens", "90", "--temperature", "0", "--overflow", "slide", "--keep", "4", "--json"]
    assert main(["run", str(decoder_file()), PROMPT, *options]) == 0
    expected = model.generate(PROMPT, max_new_tokens=90, temperature=0.0, overflow="slide", keep=4)
    (result,) = json.loads(capsys.readouterr().out)["result"]
    assert result == {"generated_text": expected.text, "finish_reason": expected.finish_reason}
