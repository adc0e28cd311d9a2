"""OpenAI embeddings, text-embeddings-inference, pipelines and the Open Inference Protocol against the SDK's answers."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

import linnet
from tests.support.serving import Served

TEXTS = ["turn the volume up", "", "the bank is closed", "rain and sun " * 3]


@pytest.fixture(scope="module")
def embedder(files: Path) -> linnet.Model:
    return linnet.load(files / "feature-extraction.pte")


def openai_client(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0)


def test_the_openai_client_gets_the_embeddings_of_the_sdk(served: Served, embedder: linnet.Model) -> None:
    # the client asks for base64, and decodes it
    answer = openai_client(served).embeddings.create(model="feature-extraction", input=TEXTS)
    expected = embedder.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_array_equal(np.array([item.embedding for item in answer.data], np.float32), expected)
    assert answer.usage.prompt_tokens == sum(len(embedder.tokenize(text)) for text in TEXTS)


def test_float_and_base64_are_the_same_numbers(served: Served) -> None:
    body = {"model": "feature-extraction", "input": TEXTS[0]}
    plain = served.post("/v1/embeddings", body).json()["data"][0]["embedding"]
    encoded = served.post("/v1/embeddings", {**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    np.testing.assert_array_equal(np.float32(plain), np.frombuffer(base64.b64decode(encoded), "<f4"))


def test_long_lists_come_back_in_their_order(served: Served, embedder: linnet.Model) -> None:
    texts = [f"open number {number} of the bank" for number in range(50)]  # several jobs
    found = served.post("/embed", {"inputs": texts, "normalize": False}).json()
    np.testing.assert_array_equal(np.float32(found), embedder.encode(texts))


def test_a_prompt_of_the_file_stands_before_the_texts(served: Served, embedder: linnet.Model) -> None:
    found = served.post("/embed", {"inputs": TEXTS, "prompt_name": "query", "normalize": False}).json()
    np.testing.assert_array_equal(np.float32(found), embedder.encode(TEXTS, prompt_name="query"))


def test_similarity_is_the_cosine(served: Served, embedder: linnet.Model) -> None:
    body = {"inputs": {"source_sentence": TEXTS[0], "sentences": TEXTS[1:]}}
    expected = embedder.similarity(embedder.encode(TEXTS[0]), embedder.encode(TEXTS[1:]))[0]
    np.testing.assert_allclose(served.post("/similarity", body).json(), expected, atol=1e-6)


def test_rerank_sorts_by_the_sigmoid_of_the_logit(served: Served, files: Path) -> None:
    passages = ["play music", "the bank", "rain"]
    with linnet.load(files / "text-ranking.pte") as model:
        logits = [float(model.run(model.tokenize("music", text))["logits"][0]) for text in passages]
    found = served.post("/rerank", {"query": "music", "texts": passages, "return_text": True}).json()
    order = sorted(range(3), key=lambda index: -logits[index])
    assert [rank["index"] for rank in found] == order
    assert [rank["text"] for rank in found] == [passages[index] for index in order]
    np.testing.assert_allclose([rank["score"] for rank in found], [1 / (1 + math.exp(-logits[i])) for i in order])
    raw = served.post("/rerank", {"query": "music", "texts": passages, "raw_scores": True}).json()
    assert [rank["score"] for rank in raw] == [logits[index] for index in order]


@pytest.mark.parametrize(
    ("inputs", "texts"),
    [
        ("play music", "play music"),
        (["play", "music"], ("play", "music")),
        ([["play"], ["the", "bank"]], ["play", ("the", "bank")]),
    ],
)
def test_predict_reads_texts_pairs_and_lists(served: Served, files: Path, inputs: Any, texts: Any) -> None:
    with linnet.load(files / "text-classification.pte") as model:
        assert served.post("/predict", {"inputs": inputs}).json() == model(texts, top_k=None)


def test_tokens_have_their_place(served: Served, embedder: linnet.Model) -> None:
    found = served.post("/tokenize", {"inputs": ["the bank"]}).json()[0]
    assert [token["id"] for token in found] == embedder.tokenize("the bank").ids.tolist()
    assert found[0] == {"id": found[0]["id"], "text": "[CLS]", "special": True, "start": None, "stop": None}
    assert "the bank"[found[1]["start"] : found[1]["stop"]] == found[1]["text"] == "the"


TASKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "text-classification": (["play music", "the bank is closed"], {"top_k": 2}),
    "token-classification": ("play music in the bank", {"aggregation_strategy": "simple"}),
    "fill-mask": ("the [MASK] is open", {"top_k": 3}),
    "question-answering": ({"question": "what is open", "context": "the bakery is open on the train"}, {}),
    "feature-extraction": ("play music", {}),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_answers_as_its_pipeline(served: Served, files: Path, task: str) -> None:
    inputs, parameters = TASKS[task]
    with linnet.load(files / f"{task}.pte") as model:
        expected = model(inputs, **parameters)
    found = served.post(f"/models/{task}", {"inputs": inputs, "parameters": parameters})
    assert found.status_code == 200, found.text
    assert found.json() == (expected.tolist() if isinstance(expected, np.ndarray) else expected)


def test_a_pair_is_text_and_text_pair(served: Served, files: Path) -> None:
    with linnet.load(files / "text-ranking.pte") as model:
        expected = model(("music", "play music"))
    pair = {"text": "music", "text_pair": "play music"}
    assert served.post("/models/text-ranking", {"inputs": pair}).json() == expected


def test_the_open_inference_protocol_runs_texts_and_ids(served: Served, embedder: linnet.Model) -> None:
    path = "/v2/models/feature-extraction"
    described = served.get(path).json()
    assert {"name": "input_ids", "datatype": "INT64", "shape": [-1, -1]} in described["inputs"]
    text = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["the bank"]}
    by_text = served.post(f"{path}/infer", {"id": "7", "inputs": [text]}).json()
    ids = embedder.tokenize("the bank").ids.tolist()
    tensor = {"name": "input_ids", "shape": [1, len(ids)], "datatype": "INT64", "data": ids}
    by_ids = served.post(f"{path}/infer", {"inputs": [tensor]}).json()
    assert by_text["id"] == "7"
    assert by_text["outputs"] == by_ids["outputs"]
    output = by_text["outputs"][0]
    assert (output["name"], output["datatype"], output["shape"]) == ("embedding", "FP32", [1, len(output["data"])])
    np.testing.assert_array_equal(np.float32(output["data"]), embedder.encode("the bank"))


WRONG: list[tuple[str, Any, str]] = [
    ("/v1/embeddings", {"model": "feature-extraction", "input": [[1, 2]]}, "token ids"),
    ("/v1/embeddings", {"model": "feature-extraction", "input": []}, "0 texts"),
    ("/v1/embeddings", {"model": "feature-extraction", "input": "x", "dimensions": 3}, "dimensions"),
    ("/v1/embeddings", {"model": "feature-extraction", "input": "x", "dimension": 3}, "'dimension' is not supported"),
    ("/v1/embeddings", {"model": "fill-mask", "input": "x"}, "task fill-mask"),
    ("/v1/embeddings", {"model": "feature-extraction", "input": "word " * 200}, "48"),
    ("/embed", {"inputs": "x", "prompt_name": "passage"}, "passage"),
    ("/embed", {"inputs": "x", "truncation_direction": "Left"}, "Left"),
    ("/embed_all", {"inputs": "x"}, "each token"),
    ("/predict", {"inputs": [["a", "b", "c"]]}, "inputs"),
    ("/models/text-classification", {"inputs": "x", "parameters": {"topk": 1}}, "topk"),
    ("/models/question-answering", {"inputs": "x"}, "question"),
    ("/v2/models/fill-mask/infer", {"inputs": []}, "inputs"),
    (
        "/v2/models/fill-mask/infer",
        {"inputs": [{"name": "input_ids", "shape": [1, 2], "datatype": "INT64", "data": [1]}]},
        "INT64",
    ),
    (
        "/v2/models/fill-mask/infer",
        {"inputs": [{"name": "input_ids", "shape": [1, 1], "datatype": "INT64", "data": [10**9]}]},
        "input_ids has 1000000000",
    ),
]


@pytest.mark.parametrize(("path", "body", "message"), WRONG)
def test_what_would_change_the_answer_and_is_not_supported_is_refused(
    served: Served, path: str, body: Any, message: str
) -> None:
    answer = served.post(path, body)
    assert answer.status_code == 400, answer.text
    assert message in answer.text


def test_errors_have_the_form_of_their_interface(served: Served) -> None:
    openai_form = served.post("/v1/embeddings", {"model": "feature-extracton", "input": "x"})
    assert openai_form.status_code == 404
    error = openai_form.json()["error"]
    assert (error["code"], error["param"], error["type"]) == ("model_not_found", "model", "not_found_error")
    assert "feature-extraction" in error["message"]
    tei_form = served.post("/embed", {"inputs": "word " * 200}).json()
    assert tei_form["error_type"] == "Validation"
    assert "48" in tei_form["error"]
    assert set(served.post("/models/none", {"inputs": "x"}).json()) == {"error"}
    assert set(served.get("/v2/models/none").json()) == {"error"}


def test_a_body_must_be_json_and_not_too_large(served: Served) -> None:
    assert served.client.post("/embed", content=b"{").status_code == 400
    assert served.client.post("/embed", content=b'{"inputs": "\xff"}').status_code == 400
    assert served.client.post("/embed", content=b"[" * 100_000).status_code == 400
    large = served.client.post("/embed", content=b'{"inputs": "' + b"a" * 3_000_000 + b'"}')
    assert large.status_code == 413
    assert served.get("/nowhere").status_code == 404
    assert served.get("/embed").status_code == 405


def test_headers_over_the_limit_are_431(served: Served) -> None:
    answer = served.get("/health/live", headers={"x-filler": "a" * 20_000})
    assert answer.status_code == 431
    assert served.get("/health/live").status_code == 200


def test_models_and_health_are_listed(served: Served) -> None:
    names = [model["id"] for model in served.get("/v1/models").json()["data"]]
    assert names == [model["name"] for model in served.models]
    assert served.get("/v1/models/chat").json()["id"] == "chat"
    assert served.get("/health/ready").json()["status"] == "ready"
    assert served.get("/v2/health/live").status_code == 200
    card = served.get("/models/text-classification").json()
    assert (card["task"], card["ready"], len(card["labels"])) == ("text-classification", True, 3)
    assert served.get("/info").json()["max_input_length"] == 48
    assert "text/html" in served.get("/").headers["content-type"]
