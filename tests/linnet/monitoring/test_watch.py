"""The watch of a model: counts of its answers, and the same answers as without it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.errors import ContextFullError, GoldenMismatchError, InvalidArgumentError, TextTooLongError
from linnet.format.manifest import Manifest
from linnet.model import Model
from linnet.monitoring import Metrics, prometheus
from tests.support.decoder_file import decoder_file
from tests.support.sdk_fakes import fake_model, make_manifest, table_program

TEXTS = ["the cat sat on the mat", "zzqqxx ♥", "the " * 60]


def found(metrics: Metrics, name: str) -> dict[tuple[str, ...], Any]:
    series = metrics.snapshot()["metrics"].get(name, [])
    return {tuple(one["labels"].values())[1:]: one.get("value", one.get("count")) for one in series}


def classifier() -> Model:
    return fake_model("text-classification", table_program([0.0, np.log(3), -20.0]), labels=("a", "oos", "c"))


@pytest.mark.filterwarnings("ignore::linnet.TruncationWarning")
def test_a_watched_model_gives_the_same_answers_and_counts_them() -> None:
    metrics, plain, watched = Metrics(), classifier(), classifier()
    watched.watch(metrics, "cats")
    for options in ({}, {"top_k": 1}, {"top_k": None}, {"top_k": 2}):
        assert watched(TEXTS, **options) == plain(TEXTS, **options)
    assert found(metrics, "inferences") == {(): 12}
    assert found(metrics, "labels") == {("oos",): 12}
    assert found(metrics, "out_of_scope") == {(): 12}
    assert found(metrics, "truncated") == {(): 4}
    encodings = [plain.tokenize(text) for text in TEXTS]
    assert found(metrics, "tokens") == {("input",): 4 * sum(map(len, encodings))}
    assert found(metrics, "unknown_tokens")[()] == 4 * sum(encoding.ids.tolist().count(1) for encoding in encodings)
    snapshot = metrics.snapshot()["metrics"]
    assert snapshot["confidence"][0]["sum"] == pytest.approx(12 * 0.75)  # softmax of 0 and ln 3
    assert snapshot["margin"][0]["sum"] == pytest.approx(12 * 0.5)
    stages = {one["labels"]["stage"]: 0 for one in snapshot["latency"]}
    for one in snapshot["latency"]:
        stages[one["labels"]["stage"]] += one["count"]
    assert stages == {"tokenize": 12, "run": 12, "decode": 12}


def test_scores_that_are_no_probabilities_have_no_confidence() -> None:
    metrics, model = Metrics(), classifier()
    model.watch(metrics, "cats")
    model("the cat", function_to_apply="none")
    assert found(metrics, "labels") == {("oos",): 1}
    assert found(metrics, "confidence") == {}


@pytest.mark.parametrize(
    ("task", "output", "given", "confidences"),
    [
        ("token-classification", [[0.0, 4.0, 0.0]] * 4, "the cat", 2),
        ("fill-mask", np.zeros((4, 1)), "the [MASK]", 1),
        ("question-answering", None, {"question": "who", "context": "ada"}, 1),
        ("feature-extraction", np.ones(8), "the cat", 0),
    ],
)
def test_every_task_is_counted(task: str, output: Any, given: Any, confidences: int) -> None:
    width = make_manifest(task).vocab_size
    arrays = [[0.0, 0, 0, 9, 0], [0.0, 0, 0, 9, 0]] if output is None else [output]
    if task == "fill-mask":
        arrays = [np.zeros((4, width))]
    plain, model, metrics = (*(fake_model(task, table_program(*arrays)) for _ in range(2)), Metrics())
    model.watch(metrics, "m")
    assert model(given) == plain(given)
    assert found(metrics, "inferences") == {(): 1}
    assert sum(found(metrics, "confidence").values()) == confidences


def test_errors_are_counted_once_by_name() -> None:
    metrics, model = Metrics(), classifier()
    model.watch(metrics, "cats")
    for given in ("the " * 60, ["a", "the " * 60]):
        with pytest.raises(TextTooLongError):
            model(given, truncation=False)
    assert found(metrics, "errors") == {("text_too_long",): 2}


def test_generated_tokens_are_counted_and_timed() -> None:
    metrics = Metrics()
    with linnet.load(decoder_file()) as plain, linnet.load(decoder_file(), watch=metrics) as model:
        options: dict[str, Any] = {"max_new_tokens": 5, "regex": "[a-z ]{9,30}"}
        completion = plain.generate("the cat", **options)
        assert model.generate("the cat", **options) == completion
        tokens = len(completion.ids)
        assert found(metrics, "tokens") == {("input",): completion.prompt_tokens, ("output",): tokens}
        assert found(metrics, "time_to_first_token") == {(): 1}
        assert found(metrics, "time_per_token") == {(): tokens - 1}
        assert found(metrics, "inferences") == {(): 1}
        with pytest.raises(ContextFullError):
            model.new_text(capacity=4).append([5] * 9)
        assert found(metrics, "errors") == {("context_full",): 1}


def test_a_model_is_watched_from_its_load_on() -> None:
    metrics = Metrics()
    with linnet.load(watch=metrics, self_test=True) as model:
        model("turn the volume down")
    assert found(metrics, "inferences") == {(): 1}
    assert found(metrics, "self_test") == {(): 1}
    assert found(metrics, "labels") == {("change_volume",): 1}
    json.dumps(metrics.snapshot(), allow_nan=False)
    assert 'linnet_labels_total{model="intents",label="change_volume"} 1' in prometheus(metrics.snapshot())


def test_a_failed_self_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise GoldenMismatchError("wrong")

    monkeypatch.setattr("linnet.loading.run_self_test", fail)
    metrics = Metrics()
    with pytest.raises(GoldenMismatchError):
        linnet.load(watch=metrics, self_test=True)
    assert found(metrics, "self_test") == {(): 0}


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="expected a model's name"):
        classifier().watch(Metrics(), "he said: hello")


def test_the_name_of_a_file_becomes_a_name_of_a_model() -> None:
    model = classifier()
    model.path = "/tmp/my models/.ünsere Katzen.pte"
    assert model.watch(Metrics()).name == "nsere_Katzen"


def test_labels_that_cannot_be_shown_have_numbers() -> None:
    manifest: Manifest = make_manifest("text-classification", labels=("a", "b\nc", "d" * 99))
    metrics = Metrics()
    metrics.register_model("m", manifest.labels)
    for label in ("a", "class_1", "class_2", "b\nc"):
        metrics.count("labels", model="m", label=label)
    assert found(metrics, "labels") == {("a",): 1, ("class_1",): 1, ("class_2",): 1, ("other",): 1}
