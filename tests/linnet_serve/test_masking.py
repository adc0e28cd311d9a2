"""Masking in the service: the model never sees the values, answers get them back, and no log holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.masking import Masker
from tests.support.serving import Served, serving

SECRET, IBAN = "ada.lovelace@example.org", "DE89 3704 0044 0532 0130 00"


@pytest.fixture(scope="module")
def masked(files: Path, decoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("masked")
    models: list[str | Path] = [
        f"chat={decoder}",
        *(files / f"{task}.pte" for task in ("feature-extraction", "token-classification")),
    ]
    with serving(folder, *models, "--threads", "1", "--mask", "all", "--audit", folder / "audit.jsonl") as served:
        yield served


def test_embeddings_are_those_of_the_masked_text(masked: Served, files: Path) -> None:
    text = f"write to {SECRET} and pay {IBAN}"
    model = linnet.load(files / "feature-extraction.pte")
    expected = model.encode(Masker(mode="pseudonym").mask(text).text, normalize_embeddings=True)
    np.testing.assert_array_equal(np.float32(masked.post("/embed", {"inputs": [text]}).json()[0]), expected)


def test_answers_get_their_values_back(masked: Served, decoder: Path) -> None:
    prompt = f"mail {SECRET}"
    body: dict[str, Any] = {
        "model": "chat", "prompt": prompt, "max_tokens": 20, "temperature": 0,
        "guided_regex": r"write to \[EMAIL_1\] now",
    }  # fmt: skip
    assert masked.post("/v1/completions", body).json()["choices"][0]["text"] == f"write to {SECRET} now"
    lines = masked.post("/v1/completions", {**body, "stream": True}).text.splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert "".join(event["choices"][0]["text"] for event in events) == f"write to {SECRET} now"
    chat = {**body, "messages": [{"role": "user", "content": SECRET}]}
    del chat["prompt"]
    answer = masked.post("/v1/chat/completions", chat)
    assert answer.json()["choices"][0]["message"]["content"] == f"write to {SECRET} now"


def test_places_of_entities_are_those_of_the_original(masked: Served, files: Path) -> None:
    text = f"play music {SECRET} in the bank"
    blocks = Masker(mode="redact_length").mask(text).text
    assert len(blocks) == len(text)
    with linnet.load(files / "token-classification.pte") as model:
        expected = model(blocks, aggregation_strategy="simple")
    body = {"inputs": text, "parameters": {"aggregation_strategy": "simple"}}
    assert masked.post("/models/token-classification", body).json() == expected


def test_token_ids_are_refused_since_they_cannot_be_masked(masked: Served) -> None:
    tensor = {"name": "input_ids", "shape": [1, 2], "datatype": "INT64", "data": [1, 2]}
    answer = masked.post("/v2/models/feature-extraction/infer", {"inputs": [tensor]})
    assert answer.status_code == 400
    assert "masked" in answer.text


def test_nothing_that_is_written_holds_a_value(masked: Served) -> None:
    for body in (
        {"inputs": [SECRET, IBAN]},
        {"inputs": f"{SECRET} " * 100},  # too long: an error
        {"inputs": SECRET, "wrong": SECRET},
    ):
        answer = masked.post("/embed", body)
        if answer.status_code != 200:
            assert SECRET not in answer.text
    metrics = masked.get("/metrics").text
    assert 'linnet_masked_total{entity="email"}' in metrics
    folder = masked.log.parent
    for text in (metrics, masked.log.read_text(), (folder / "audit.jsonl").read_text()):
        assert "lovelace" not in text
        assert "3704" not in text
