"""Prompt lookup: the same completion as without, to the last bit, in fewer passes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.cli.main import main
from linnet.errors import CancelledError, ContextFullError, InvalidArgumentError
from linnet.model import Model
from tests.support.decoder_file import CONTEXT, VOCABULARY, decoder_file

PROMPT = "The small bird sings before the small bird"
REPEATED = [7, 8, 9, 10, 11, 12]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file()) as opened:
        yield opened


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 1.5, "seed": 5},
        {"do_sample": False, "repetition_penalty": 1.3},
        {"regex": "(ab|abc|b)*", "temperature": 1.0, "seed": 1},
        {"stop_strings": ["e"]},
    ],
)
def test_a_completion_is_the_same_with_and_without(model: Model, options: dict[str, Any]) -> None:
    plain = model.generate(PROMPT, max_new_tokens=40, **options)
    for most in (1, 3, 15):
        quick = model.generate(PROMPT, max_new_tokens=40, prompt_lookup_num_tokens=most, **options)
        assert (quick.text, quick.ids, quick.finish_reason) == (plain.text, plain.ids, plain.finish_reason)
        assert quick.log_probabilities == plain.log_probabilities
        assert 0 <= quick.accepted_tokens <= quick.guessed_tokens
    assert plain.guessed_tokens == 0


def test_tokens_that_repeat_the_text_are_accepted(model: Model) -> None:
    text = model.new_text()
    text.append([5, *REPEATED, 6, *REPEATED[:2]])
    text.set_lookup(3)
    text.append(REPEATED[2:3])  # three tokens are found again: three are guessed
    assert text.lookup == (3, 0)
    plain = model.new_text()
    plain.append([5, *REPEATED, 6, *REPEATED[:3]])
    for token in REPEATED[3:]:
        text.append([token])
        plain.append([token])
        np.testing.assert_array_equal(text.logits(), plain.logits())
    assert text.lookup == (3, 3)
    assert list(text.tokens) == list(plain.tokens)


def test_a_wrong_guess_leaves_no_trace(model: Model) -> None:
    text, plain = model.new_text(), model.new_text()
    text.append([*REPEATED, *REPEATED[:3]])
    text.set_lookup(8)
    text.append([REPEATED[3]])
    text.append([200])
    plain.append([*REPEATED, *REPEATED[:4], 200])
    np.testing.assert_array_equal(text.logits(), plain.logits())
    assert text.lookup == (4, 0)


def test_texts_in_any_order_of_calls_have_the_same_logits(model: Model, tmp_path: Any) -> None:
    draw = random.Random(7)
    for _ in range(12):
        text, plain = model.new_text(), model.new_text()
        for _ in range(30):
            room = CONTEXT - len(text.tokens)
            choice = draw.randrange(7)
            if choice < 3 and room:
                _append(draw, text, plain)
            elif choice == 3 and room > 4:
                ids = [draw.randrange(5, 9) for _ in range(draw.randrange(5))]
                text.append(ids)
                plain.append(ids)
            elif choice == 4:
                length = draw.randrange(len(text.tokens) + 1)
                text.rewind(length)
                plain.rewind(length)
            elif choice == 5:
                text.set_lookup(draw.randrange(16))
            else:
                text = text.fork()
                text.set_lookup(draw.randrange(16))
            assert list(text.tokens) == list(plain.tokens)
            if text.tokens and draw.random() < 0.7:
                np.testing.assert_array_equal(text.logits(), plain.logits())
        text.save(str(tmp_path / "text.state"))
        assert list(model.new_text(path=str(tmp_path / "text.state")).tokens) == list(plain.tokens)


def _append(draw: random.Random, text: Any, plain: Any) -> None:
    """Append one of few tokens, so that many guesses are right."""
    token = draw.randrange(5, 8) if draw.random() < 0.8 else draw.randrange(VOCABULARY)
    text.append([token])
    plain.append([token])


def test_guesses_stop_at_the_end_of_the_context(model: Model) -> None:
    text = model.new_text(capacity=10)
    text.append([5, 6, 7, 5, 6, 7, 5])
    text.set_lookup(15)
    for token in (6, 7, 5):
        text.append([token])
    assert len(text.tokens) == 10
    with pytest.raises(ContextFullError):
        text.append([6])


def test_cancelling_stops_a_token_that_was_guessed_too(model: Model) -> None:
    text = model.new_text()
    text.append([5, 6, 7, 5, 6])
    text.set_lookup(4)
    text.append([7])
    text.cancel()
    with pytest.raises(CancelledError):
        text.append([5])
    text.append([5])
    assert text.lookup[1] == 1


@pytest.mark.parametrize("wrong", [16, 2**40])
def test_more_tokens_than_the_file_gives_logits_of_are_refused(model: Model, wrong: int) -> None:
    with pytest.raises(InvalidArgumentError, match="expected a lookup of 0 to 15 tokens"):
        model.generate(PROMPT, prompt_lookup_num_tokens=wrong)


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "2"])
def test_an_option_of_another_form_is_refused(model: Model, wrong: object) -> None:
    with pytest.raises(InvalidArgumentError, match="prompt_lookup_num_tokens is"):
        model.generate(PROMPT, prompt_lookup_num_tokens=wrong)


def test_the_commands_show_how_many_guesses_were_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, options = str(decoder_file()), ["--max-new-tokens", "30", "--temperature", "0"]
    assert main(["run", file, PROMPT, *options]) == 0
    plain = capsys.readouterr().out
    assert main(["run", file, PROMPT, *options, "--prompt-lookup", "8"]) == 0
    quick = capsys.readouterr()
    assert quick.out == plain
    assert "guessed tokens were right" in quick.err
    assert main(["run", file, PROMPT, *options, "--prompt-lookup", "8", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["result"]
    assert 0 <= result["accepted_tokens"] <= result["guessed_tokens"]
    monkeypatch.setattr("linnet.cli.chat._lines", lambda interactive: iter(["hi"]))
    monkeypatch.setattr("sys.stdin", type("Pipe", (), {"isatty": lambda self: False})())
    assert main(["chat", file, "--max-new-tokens", "4", "--prompt-lookup", "8"]) == 0
    assert "guessed tokens were right" in capsys.readouterr().err
