"""OpenAI's chat and completions against the SDK's own generation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest

import linnet
from tests.support.serving import Served, wait_until

MESSAGES: list[Any] = [{"role": "user", "content": "the bank"}]


@pytest.fixture(scope="module")
def model(decoder: Path) -> linnet.Model:
    return linnet.load(decoder)


@pytest.fixture
def client(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def test_chat_is_the_completion_of_the_sdk(client: openai.OpenAI, model: linnet.Model) -> None:
    expected = model.generate(MESSAGES, max_new_tokens=12, temperature=0.0)
    answer = client.chat.completions.create(model="chat", messages=MESSAGES, max_tokens=12, temperature=0)
    assert answer.choices[0].message.content == expected.text
    assert answer.choices[0].finish_reason == ("stop" if expected.finish_reason == "stop" else "length")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (expected.prompt_tokens, len(expected.ids))


def test_a_seed_gives_the_text_of_the_sdk_in_whole_and_in_a_stream(client: openai.OpenAI, model: linnet.Model) -> None:
    expected = model.generate(MESSAGES, max_new_tokens=12, temperature=1.0, seed=7, top_p=0.9)
    options: dict[str, Any] = {"model": "chat", "messages": MESSAGES, "max_tokens": 12, "temperature": 1, "seed": 7}
    options["top_p"] = 0.9
    assert client.chat.completions.create(**options).choices[0].message.content == expected.text
    chunks = list(client.chat.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == expected.text
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == len(expected.ids)


def test_log_probabilities_are_those_of_the_sdk(client: openai.OpenAI, model: linnet.Model) -> None:
    expected = model.generate(MESSAGES, max_new_tokens=5, temperature=0.0)
    answer = client.chat.completions.create(
        model="chat", messages=MESSAGES, max_tokens=5, temperature=0, logprobs=True, top_logprobs=3
    )
    found = answer.choices[0].logprobs
    assert found is not None
    assert found.content is not None
    assert [token.logprob for token in found.content] == pytest.approx(expected.log_probabilities, abs=1e-6)
    for token in found.content:  # greedy: the likeliest is the one that was taken
        assert token.top_logprobs[0].logprob == pytest.approx(token.logprob, abs=1e-5)
        assert [top.logprob for top in token.top_logprobs] == sorted(
            (t.logprob for t in token.top_logprobs), reverse=True
        )


def test_completions_continue_each_prompt(client: openai.OpenAI, model: linnet.Model) -> None:
    prompts = ["the bank", "rain and"]
    answer = client.completions.create(model="chat", prompt=prompts, max_tokens=6, temperature=0, echo=True)
    for choice, prompt in zip(answer.choices, prompts, strict=True):
        assert choice.text == prompt + model.generate(prompt, max_new_tokens=6, temperature=0.0).text
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == sum(len(model.tokenize(prompt)) for prompt in prompts)


def test_several_answers_use_the_next_seeds(client: openai.OpenAI, model: linnet.Model) -> None:
    answer = client.chat.completions.create(
        model="chat", messages=MESSAGES, max_tokens=6, n=3, seed=5, temperature=1, stream=False
    )
    expected = [model.generate(MESSAGES, max_new_tokens=6, temperature=1.0, seed=5 + i).text for i in range(3)]
    assert [choice.message.content for choice in answer.choices] == expected


def test_a_stop_text_ends_the_answer(client: openai.OpenAI, model: linnet.Model) -> None:
    whole = model.generate(MESSAGES, max_new_tokens=12, temperature=0.0).text
    stop = whole[3:6]
    answer = client.chat.completions.create(model="chat", messages=MESSAGES, max_tokens=12, temperature=0, stop=stop)
    assert answer.choices[0].message.content == whole[: whole.index(stop)]
    assert answer.choices[0].finish_reason == "stop"


def test_a_schema_gives_json_of_that_form(client: openai.OpenAI) -> None:
    schema: Any = {
        "type": "object",
        "properties": {"open": {"type": "boolean"}, "kind": {"enum": ["bank", "shop"]}},
        "required": ["open", "kind"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model="chat",
        messages=MESSAGES,
        max_tokens=40,
        response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": schema}},
    )
    value = json.loads(answer.choices[0].message.content or "")
    assert set(value) == {"open", "kind"}


def test_a_required_tool_is_called_with_arguments_of_its_schema(client: openai.OpenAI, files: Path) -> None:
    function: Any = {
        "name": "f",
        "parameters": {
            "type": "object",
            "properties": {"a": {"enum": ["x", "y"]}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }
    # the description of a tool is longer than the context of the small model
    with pytest.raises(openai.BadRequestError, match="context"):
        client.chat.completions.create(
            model="chat", messages=MESSAGES, tools=[{"type": "function", "function": function}], tool_choice="required"
        )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"logit_bias": {"5": 1.0}}, "logit_bias"),
    ({"n": 9}, "n is 9"),
    ({"temperature": 2.5}, "temperature"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"reasoning_effort": "low"}, "reasoning_effort"),
    ({"response_format": {"type": "xml"}}, "response_format"),
    ({"tool_choice": "required"}, "tools"),
    ({"guided_regex": "a", "guided_choice": ["b"]}, "at most one"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "pirate", "content": "x"}]}, "pirate"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "texts alone"),
    ({"messages": [{"role": "user", "content": "word " * 100}]}, "context"),
    ({"messages": [{"role": "user", "content": "word " * 100}], "stream": True}, "context"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_wrong_parameters_are_refused_with_their_name(served: Served, more: dict[str, Any], message: str) -> None:
    answer = served.post("/v1/chat/completions", {"model": "chat", "messages": MESSAGES, "max_tokens": 4, **more})
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]["message"]


def test_a_client_that_goes_ends_its_generation(served: Served) -> None:
    body = {"model": "chat", "messages": MESSAGES, "max_tokens": 40, "temperature": 1, "stream": True}
    for _ in range(12):  # more than run at the same time
        with served.client.stream("POST", "/v1/chat/completions", json=body) as answer:
            next(answer.iter_lines())
    wait_until(lambda: served.post("/v1/chat/completions", {**body, "stream": False}).status_code == 200)


def test_conversations_at_the_same_time_do_not_mix(served: Served, model: linnet.Model) -> None:
    from concurrent.futures import ThreadPoolExecutor

    prompts = [f"the {word}" for word in ("bank", "rain", "sun", "train", "bakery", "music", "volume", "password")] * 3
    expected = {prompt: model.generate(prompt, max_new_tokens=10, temperature=0.0).text for prompt in prompts}

    def ask(prompt: str) -> str:
        body = {"model": "chat", "prompt": prompt, "max_tokens": 10, "temperature": 0}
        text: str = served.post("/v1/completions", body).json()["choices"][0]["text"]
        return text

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, prompts)) == [expected[prompt] for prompt in prompts]
