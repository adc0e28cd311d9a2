"""Text generation with a file: streams, chat, saved texts, sampling, and the same text however it was computed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import linnet
from linnet.errors import (
    CancelledError,
    ContextFullError,
    FileError,
    InputOutOfRangeError,
    InvalidArgumentError,
    StateInvalidError,
    TaskMismatchError,
    UnknownMethodError,
)
from linnet.generation import GenerationOptions, _StopStrings
from linnet.model import Model
from tests.support.decoder_file import decoder_file

PROMPT = "The small bird sings before"


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with linnet.load(decoder_file()) as opened:
        yield opened


def test_a_stream_is_the_completion_in_pieces(model: Model) -> None:
    completion = model.generate(PROMPT, max_new_tokens=12)
    assert "".join(model.stream(PROMPT, max_new_tokens=12)) == completion.text
    assert len(completion.ids) == len(completion.log_probabilities) == 12
    assert completion.finish_reason == "length"
    assert completion.prompt_tokens == len(model.tokenize(PROMPT))
    assert model(PROMPT, max_new_tokens=12) == [{"generated_text": PROMPT + completion.text}]
    assert model(PROMPT, max_new_tokens=12, return_full_text=False) == [{"generated_text": completion.text}]
    assert model([PROMPT], max_new_tokens=12) == [[{"generated_text": PROMPT + completion.text}]]


def test_greedy_tokens_have_the_largest_logits(model: Model) -> None:
    text = model.new_text()
    ids = model.tokenize(PROMPT).ids.tolist()
    text.append(ids)
    for token, log_probability in zip(*_completion(model, 6), strict=True):
        logits = text.logits().astype(np.float64)
        assert token == int(logits.argmax())
        expected = logits[token] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        assert log_probability == pytest.approx(expected, abs=1e-5)
        text.append([token])


def _completion(model: Model, count: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    completion = model.generate(PROMPT, max_new_tokens=count)
    return completion.ids, completion.log_probabilities


def test_a_text_does_not_depend_on_how_it_was_computed(model: Model) -> None:
    ids = list(range(5, 45))
    at_once, one_by_one, rewound = model.new_text(), model.new_text(), model.new_text(capacity=50)
    at_once.append(ids)
    for token in ids:
        one_by_one.append([token])
    rewound.append(ids[:20] + [3] * 20)
    rewound.rewind(20)
    rewound.append(ids[20:])
    expected = at_once.logits()
    fork = at_once.fork()
    at_once.append([7])
    for text in (one_by_one, rewound, fork):
        np.testing.assert_array_equal(text.logits(), expected)
        assert list(text.tokens) == ids
    np.testing.assert_array_equal(model.new_text().score(ids)[-1], expected)
    at_once.rewind(len(ids))  # the last token has to run again
    np.testing.assert_array_equal(at_once.logits(), expected)


def test_a_saved_text_goes_on_where_it_was(model: Model, tmp_path: Path) -> None:
    text = model.new_text()
    text.append([5, 6, 7])
    text.save(str(tmp_path / "prompt.state"))
    again = model.new_text(path=str(tmp_path / "prompt.state"))
    assert list(again.tokens) == [5, 6, 7]
    np.testing.assert_array_equal(again.logits(), text.logits())
    assert [path.name for path in tmp_path.iterdir()] == ["prompt.state"]


def test_a_saved_text_follows_no_link_and_leaves_nothing_behind(model: Model, tmp_path: Path) -> None:
    text = model.new_text()
    text.append([5])
    target = tmp_path / "target"
    target.write_text("kept", encoding="utf-8")
    for name in ("s", "s.partial"):
        (tmp_path / name).symlink_to(target)
    text.save(str(tmp_path / "s"))
    assert target.read_text(encoding="utf-8") == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s", "s.partial", "target"]
    assert not (tmp_path / "s").is_symlink()
    with pytest.raises(FileError, match="cannot be written"):
        text.save(str(tmp_path / "none" / "s"))


@pytest.mark.parametrize("damage", ["cut", "byte", "empty", "other"])
def test_a_damaged_state_is_refused(model: Model, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "prompt.state"
    text = model.new_text()
    text.append([5, 6, 7])
    text.save(str(path))
    content = bytearray(path.read_bytes())
    if damage == "byte":
        content[len(content) // 2] ^= 1
    elif damage == "other":
        content[8] ^= 1  # of the hash of the model
    path.write_bytes(bytes({"cut": content[:-1], "empty": bytearray()}.get(damage, content)))
    with pytest.raises(StateInvalidError, match=r"prompt\.state"):
        model.new_text(path=str(path))


def test_a_state_of_more_tokens_than_the_capacity_is_refused(model: Model, tmp_path: Path) -> None:
    text = model.new_text()
    text.append([5, 6, 7])
    text.save(str(tmp_path / "s"))
    with pytest.raises(ContextFullError, match="3 tokens, the capacity is 2"):
        model.new_text(capacity=2, path=str(tmp_path / "s"))


def test_the_context_is_a_named_end(model: Model) -> None:
    completion = model.generate(PROMPT, max_new_tokens=1000)
    assert completion.finish_reason == "context"
    assert completion.prompt_tokens + len(completion.ids) == model.max_length == 64
    with pytest.raises(ContextFullError, match="100 tokens"):
        model.new_text().append([5] * 100)
    with pytest.raises(ContextFullError, match="the context 64"):
        model.generate("word " * 80)
    with pytest.raises(InvalidArgumentError, match="expected 1 to 64"):
        model.new_text(capacity=65)


def test_hostile_tokens_are_errors(model: Model) -> None:
    text = model.new_text()
    for bad in ([-1], [420], [2**62]):
        with pytest.raises(InputOutOfRangeError):
            text.append(bad)
    with pytest.raises(InvalidArgumentError, match="empty"):
        text.logits()
    with pytest.raises(InvalidArgumentError, match="rewind to 3"):
        text.rewind(3)
    with pytest.raises(InvalidArgumentError, match="prompt is empty"):
        model.generate("")
    with pytest.raises(InvalidArgumentError, match="temperature is -1"):
        model.generate("a", temperature=-1.0)
    with pytest.raises(InvalidArgumentError, match="did you mean 'temperature'"):
        model.generate("a", temprature=1)


def test_a_seed_gives_the_same_text_again_and_another_one_does_not(model: Model) -> None:
    first = model.generate(PROMPT, max_new_tokens=20, temperature=2.0, seed=3)
    assert model.generate(PROMPT, max_new_tokens=20, temperature=2.0, seed=3) == first
    assert model.generate(PROMPT, max_new_tokens=20, temperature=2.0, seed=4).ids != first.ids
    # a text that is continued goes on as one that was never stopped
    state = model.new_text()
    options = {"temperature": 2.0, "seed": 3}
    state.append(model.tokenize(PROMPT).ids.tolist())
    for token in first.ids[:5]:
        assert state.sample(**options)[0] == token
        state.append([token])


@pytest.mark.parametrize(
    ("settings", "warper"),
    [
        ({"top_k": 7}, ("TopKLogitsWarper", {"top_k": 7})),
        ({"top_p": 0.6}, ("TopPLogitsWarper", {"top_p": 0.6})),
        ({"min_p": 0.3}, ("MinPLogitsWarper", {"min_p": 0.3})),
    ],
)
def test_tokens_are_sampled_as_transformers_would(
    model: Model, settings: dict[str, float], warper: tuple[str, dict[str, float]]
) -> None:
    torch = pytest.importorskip("torch")
    process = pytest.importorskip("transformers.generation.logits_process")
    text = model.new_text()
    text.append(model.tokenize(PROMPT).ids.tolist())
    temperature, draws = 1.5, 3000
    logits = torch.from_numpy(text.logits())[None] / temperature
    kept = getattr(process, warper[0])(**warper[1])(torch.tensor([list(text.tokens)]), logits)
    expected = torch.softmax(kept.double(), -1)[0].numpy()
    counts = np.zeros(len(expected))
    for seed in range(draws):
        counts[text.sample(temperature=temperature, seed=seed, **settings)[0]] += 1
    assert set(np.flatnonzero(counts)) <= set(np.flatnonzero(expected))
    # five standard deviations of a binomial distribution
    assert (np.abs(counts - draws * expected) <= 5 * np.sqrt(draws * expected * (1 - expected)) + 1).all()


def test_penalties_are_those_of_transformers_and_of_openai(model: Model) -> None:
    torch = pytest.importorskip("torch")
    process = pytest.importorskip("transformers.generation.logits_process")
    text = model.new_text()
    text.append([5, 6, 7, 5, 8])
    logits = text.logits()
    penalized = process.RepetitionPenaltyLogitsProcessor(1e3)(
        torch.tensor([list(text.tokens)]), torch.from_numpy(logits)[None]
    )
    assert text.sample(repetition_penalty=1e3)[0] == int(penalized.argmax())
    # the three first tokens are the prompt's: 5 and 8 were generated once
    changed = logits.copy()
    changed[[5, 8]] -= 2.0 + 3.0
    assert text.sample(presence_penalty=2.0, frequency_penalty=3.0, prompt_tokens=3)[0] == int(changed.argmax())


def test_a_chat_remembers_and_starts_again(model: Model) -> None:
    chat = model.chat(system="Be brief.", max_new_tokens=4)
    first = chat.ask("hi")
    assert [message["role"] for message in chat.messages] == ["system", "user", "assistant"]
    conversation = [*chat.messages, {"role": "user", "content": "and?"}]
    assert chat.ask("and?") == model.generate(conversation, max_new_tokens=4).text
    chat.reset()
    assert chat.ask("hi") == first
    assert model([{"role": "user", "content": "x"}], max_new_tokens=3)[0]["generated_text"][-1]["role"] == "assistant"


def test_roles_that_a_template_does_not_have_are_named(model: Model) -> None:
    with pytest.raises(InvalidArgumentError, match='role "tool"'):
        model.generate([{"role": "tool", "content": "x"}])
    with pytest.raises(InvalidArgumentError, match="expected it first only"):
        model.generate([{"role": "user", "content": "x"}, {"role": "system", "content": "x"}])
    with pytest.raises(InvalidArgumentError, match="message 0"):
        model.generate([{"role": "user"}])


def test_the_prompt_of_a_conversation_is_the_templates(model: Model) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(decoder_file().parent / "checkpoint")
    messages = [
        {"role": "user", "content": "Grüße 👋"},
        {"role": "assistant", "content": " b\n"},
        {"role": "user", "content": ""},
    ]
    prompt = model._session.task.chat_prompt([(message["role"], message["content"]) for message in messages])
    assert prompt == tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert model.generate(messages, max_new_tokens=0).prompt_tokens == len(
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    )


def test_another_thread_cancels(model: Model) -> None:
    text = model.new_text()
    thread = threading.Thread(target=text.cancel)
    thread.start()
    thread.join()
    with pytest.raises(CancelledError):
        text.append([5])
    text.append([5])
    assert list(text.tokens) == [5]


def test_several_texts_share_a_model_from_several_threads(model: Model) -> None:
    expected = model.generate(PROMPT, max_new_tokens=10).ids
    found: list[tuple[int, ...]] = []

    def generate() -> None:
        found.append(model.generate(PROMPT, max_new_tokens=10).ids)

    threads = [threading.Thread(target=generate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["abc", "END", "x"], ["abc", ""]),
        (["ab", "cE", "ND"], ["ab", "c", ""]),
        (["E", "N", "x"], ["", "", "ENx"]),
        (["aEN", "aEND"], ["a", "ENa"]),
    ],
)
def test_a_stop_string_is_found_across_pieces(pieces: list[str], shown: list[str]) -> None:
    stops = _StopStrings(["END"])
    found = []
    for piece in pieces:
        found.append(stops.push(piece))
        if stops.found:
            break
    assert found == shown


def test_a_stop_string_ends_a_completion(model: Model) -> None:
    whole = model.generate(PROMPT, max_new_tokens=12).text
    stop = whole[3:5]
    completion = model.generate(PROMPT, max_new_tokens=12, stop_strings=[stop])
    assert completion.text == whole[: whole.index(stop)]
    assert completion.finish_reason == "stop"


def test_options_that_cannot_be_are_refused() -> None:
    for wrong in (
        {"max_new_tokens": -1},
        {"max_new_tokens": True},
        {"stop_strings": "x"},
        {"stop_strings": [""]},
        {"seed": -1},
    ):
        with pytest.raises(InvalidArgumentError):
            GenerationOptions.of(wrong)


def test_other_tasks_and_other_calls_are_refused_by_name(model: Model, toys: Path) -> None:
    with linnet.load(toys / "toy.pte") as classifier:
        with pytest.raises(TaskMismatchError, match="text-generation"):
            classifier.generate("x")
        with pytest.raises(InvalidArgumentError, match="generates no text"):
            classifier._session.new_text()
    with pytest.raises(TaskMismatchError, match="chat"):
        model.encode("x")
    with pytest.raises(UnknownMethodError, match="linnet_generation"):
        model._runtime.run("forward", [np.zeros((1, 2), np.int64), np.zeros((1, 1), np.int64)])


def test_the_file_says_and_proves_what_it_is(model: Model) -> None:
    assert model.task == "text-generation"
    assert model.manifest.end_ids == ("2",)
    assert {
        "perplexity",
        "original_perplexity",
        "perplexity_ratio",
        "kl_mean",
        "agreement",
    } <= model.evidence.proof.keys()
    assert model.evidence.status == "proven"
    assert json.dumps(model.evidence.to_json())
