"""Calls of a model: order, batches, truncation, wrong inputs, wrong tasks, lifetime."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import linnet
from linnet.errors import (
    FileMissingError,
    InvalidArgumentError,
    ManifestInvalidError,
    TaskMismatchError,
    TextTooLongError,
    TrailerDamagedError,
)
from linnet.tokenization.truncation import TruncationWarning
from tests.support.sdk_fakes import CLS, PIECES, SEP, fake_model, hashed_program, ids_of, make_manifest

WORDS = [piece for piece in PIECES if piece.isalpha() and len(piece) > 1]
LONG = " ".join(WORDS * 3)

texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=12)


def batching(task: str, program: Any, max_batch: int = 4, **changes: Any) -> linnet.Model:
    inputs = ("input_ids", "token_type_ids", "attention_mask")
    return fake_model(task, program, max_batch=max_batch, batch_inputs=inputs, **changes)


def test_a_model_has_the_properties_that_it_has_in_kotlin(files: Path) -> None:
    """The checkpoint of tests.support.checkpoints has three placeholder labels and 48 positions."""
    with linnet.load(files / "text-classification.pte") as model:
        assert (model.task, model.max_length) == ("text-classification", 48)
        assert model.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    with linnet.load(files / "feature-extraction.pte") as model:
        assert model.labels == ()


# -- order and batches -----------------------------------------------------------------------------


@settings(deadline=None)
@given(texts=texts, size=st.integers(1, 9))
def test_a_list_answers_in_its_own_order_whatever_the_batch(texts: list[str], size: int) -> None:
    program = hashed_program(3, per_token=True)
    one_by_one = [fake_model("token-classification", program)(text) for text in texts]
    model = batching("token-classification", program)
    assert model(texts, batch_size=size) == one_by_one
    widths = [tokens for _, _, tokens in model._runtime.calls]  # type: ignore[attr-defined]
    assert widths == sorted(widths)


@settings(deadline=None)
@given(texts=texts, size=st.integers(1, 9))
def test_embeddings_keep_their_order_whatever_the_batch(texts: list[str], size: int) -> None:
    program = hashed_program(8)
    found = batching("feature-extraction", program).encode(texts, batch_size=size)
    assert found.shape == (len(texts), 8)
    assert found.dtype == np.float32
    model = fake_model("feature-extraction", program)
    for row, text in zip(found, texts, strict=True):
        np.testing.assert_array_equal(row, model.encode(text))


def test_batches_use_the_batch_method_only_where_it_helps() -> None:
    model = batching("text-classification", hashed_program(3), max_batch=3)
    calls = model._runtime.calls  # type: ignore[attr-defined]
    model(["the cat"] * 7)
    assert [(method, batch) for method, batch, _ in calls] == [
        ("forward_batch", 3), ("forward_batch", 3), ("forward", 1)]  # fmt: skip
    calls.clear()
    model(["the cat"] * 3, batch_size=1)
    assert [method for method, _, _ in calls] == ["forward"] * 3
    calls.clear()
    model(["the cat"] * 4, batch_size=100)
    assert [batch for _, batch, _ in calls] == [3, 1]


def test_without_a_batch_method_a_batch_size_is_no_error() -> None:
    model = fake_model("text-classification", hashed_program(3))
    assert model(["the cat", "a dog"], batch_size=32) == [model("the cat")[0], model("a dog")[0]]


def test_no_texts_give_no_answers() -> None:
    assert fake_model("text-classification", hashed_program(3))([]) == []
    assert fake_model("feature-extraction", hashed_program(8)).encode([]).shape == (0, 8)
    assert fake_model("text-ranking", hashed_program(1)).rank("the cat", []) == []
    assert fake_model("text-ranking", hashed_program(1)).predict([]).shape == (0,)


def test_any_iterable_is_a_list() -> None:
    model = fake_model("text-classification", hashed_program(3))
    expected = model(["the cat", "a dog"])
    assert model(text for text in ("the cat", "a dog")) == expected
    assert model(np.array(["the cat", "a dog"])) == expected


def test_a_program_without_type_ids_gets_none() -> None:
    model = fake_model("text-classification", hashed_program(3), inputs=("input_ids",))
    assert model("the cat")[0]["label"].startswith("LABEL")


# -- truncation ------------------------------------------------------------------------------------


def test_truncation_is_told_once_a_call_with_positions_and_bound() -> None:
    model = fake_model("text-classification", hashed_program(3))
    with pytest.warns(TruncationWarning) as caught:
        model(["the cat", LONG, "a dog", LONG])
    assert len(caught) == 1
    message = caught[0].message
    assert isinstance(message, TruncationWarning)
    assert (message.positions, message.max_length) == ((1, 3), 24)
    assert str(message) == (
        "2 of 4 texts were cut at 24 tokens, special tokens included (positions 1, 3); "
        "truncation=False makes it an error"
    )
    assert caught[0].filename == __file__


def test_what_fits_gives_no_warning() -> None:
    model = fake_model("text-classification", hashed_program(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(["the cat", "", " ".join(WORDS[:22])])


@pytest.mark.parametrize("call", ["model", "encode", "rank", "predict"])
def test_truncation_false_is_an_error_that_names_the_position(call: str) -> None:
    if call == "model":
        model = fake_model("text-classification", hashed_program(3))
        with pytest.raises(TextTooLongError, match=r"inputs\[1\]"):
            model(["the cat", LONG], truncation=False)
        with pytest.raises(TextTooLongError):
            model(LONG, truncation=False)
    elif call == "encode":
        with pytest.raises(TextTooLongError, match=r"inputs\[0\]"):
            fake_model("feature-extraction", hashed_program(8)).encode([LONG, "x"], truncation=False)
    else:
        ranker = fake_model("text-ranking", hashed_program(1))
        with pytest.raises(TextTooLongError):
            ranker.rank("the cat", [LONG], truncation=False) if call == "rank" else ranker.predict(
                [("x", LONG)], truncation=False
            )


def test_the_warning_stands_at_the_callers_line_for_every_method() -> None:
    calls: list[Callable[[], Any]] = [
        lambda: fake_model("feature-extraction", hashed_program(8)).encode(LONG),
        lambda: fake_model("text-ranking", hashed_program(1)).rank("the cat", [LONG]),
    ]
    for call in calls:
        with pytest.warns(TruncationWarning) as caught:
            call()
        assert [warning.filename for warning in caught] == [__file__]


# -- wrong inputs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (None, "the input is None"),
        (3, "the input is an int"),
        (b"the cat", "the input is a bytes"),
        (["the cat", None], r"inputs\[1\] is None"),
        (["the cat", 3.5], r"inputs\[1\] is a float"),
        ([["the cat", "a dog"]], r"inputs\[0\] is a list"),
        ([("a", "b", "c")], r"inputs\[0\] is a tuple of 3"),
        ([("a", 1)], r"inputs\[0\]\[1\] is an int"),
        ([{"txt": "a"}], r"inputs\[0\] has the keys \['txt'\]"),
        ([{"text": "a", "text_pair": 1}], r"text_pair of inputs\[0\] is an int"),
    ],
)
def test_wrong_inputs_are_named_with_their_position(inputs: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        fake_model("text-classification", hashed_program(3))(inputs)


@pytest.mark.parametrize("task", ["token-classification", "fill-mask", "feature-extraction"])
def test_tasks_of_one_text_refuse_pairs(task: str) -> None:
    model = fake_model(task, hashed_program(3))
    with pytest.raises(InvalidArgumentError, match=r"inputs\[1\] is a tuple, expected a str"):
        model(["x", ("a", "b")])


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("text-classification", {"topk": 1}, "unknown option topk; known are top_k, function_to_apply, batch_size"),
        ("text-classification", {"top_k": 0}, "top_k is 0"),
        ("text-classification", {"top_k": True}, "top_k is True"),
        ("text-classification", {"function_to_apply": "relu"}, "softmax, sigmoid, none"),
        ("text-classification", {"batch_size": 0}, "batch_size is 0"),
        ("text-classification", {"truncation": "no"}, "truncation is 'no'"),
        (
            "token-classification",
            {"aggregation_strategy": "last"},
            "'last', this linnet has none, simple, first, average, max",
        ),
        ("token-classification", {"ignore_labels": "O"}, "expected a list"),
        ("fill-mask", {"top_k": None}, "top_k is None"),
        ("fill-mask", {"targets": [3]}, r"targets\[0\] is a"),
        ("fill-mask", {"targets": []}, "names no token"),
        ("feature-extraction", {"top_k": 1}, "unknown option top_k"),
        ("text-ranking", {"top_k": 1}, "unknown option top_k"),
    ],
)
def test_wrong_options_are_named(task: str, options: dict[str, Any], message: str) -> None:
    model = fake_model(task, hashed_program(3))
    with pytest.raises(InvalidArgumentError, match=message):
        model(("a", "b") if task == "text-ranking" else "[MASK]", **options)


def test_a_text_without_a_mask_is_refused_with_its_position_and_the_token() -> None:
    model = fake_model("fill-mask", hashed_program(len(PIECES), per_token=True))
    with pytest.raises(InvalidArgumentError, match=r"inputs\[1\] has no mask token; write \[MASK\]"):
        model(["a [MASK]", "a cat"])
    with pytest.warns(TruncationWarning), pytest.raises(InvalidArgumentError, match="before the bound of 24"):
        model(LONG + " [MASK]")


def test_text_ranking_needs_pairs() -> None:
    model = fake_model("text-ranking", hashed_program(1))
    with pytest.raises(InvalidArgumentError, match=r"inputs\[1\] is one text"):
        model([("a", "b"), "c"])
    with pytest.raises(InvalidArgumentError, match="the input is one text"):
        model("c")
    with pytest.raises(InvalidArgumentError, match="passages is a str"):
        model.rank("a", "b")
    with pytest.raises(InvalidArgumentError, match="query is a list"):
        model.rank(["a"], ["b"])  # type: ignore[arg-type]


# -- wrong tasks -----------------------------------------------------------------------------------


def test_a_method_of_another_task_is_refused_with_what_the_file_can_do() -> None:
    model = fake_model("text-classification", hashed_program(3))
    calls: dict[str, Callable[[], object]] = {
        "encode": lambda: model.encode("x"),
        "similarity": lambda: model.similarity([1.0], [1.0]),
        "rank": lambda: model.rank("x", ["y"]),
        "predict": lambda: model.predict([("x", "y")]),
    }
    for name, call in calls.items():
        with pytest.raises(TaskMismatchError, match=rf"{name}\(\) needs .*this one is text-classification"):
            call()


@pytest.mark.parametrize(("labels", "says"), [(("LABEL_0",), True), (("no", "yes"), False)])
def test_a_reranker_that_was_exported_as_a_classifier(labels: tuple[str, ...], says: bool) -> None:
    model = fake_model("text-classification", hashed_program(len(labels)), labels=labels)
    for call in (lambda: model.rank("x", ["y"]), lambda: model.predict([("x", "y")])):
        with pytest.raises(TaskMismatchError) as error:
            call()
        assert ("export its checkpoint with --task text-ranking" in str(error.value)) == says


def test_encode_needs_a_pooled_output() -> None:
    model = fake_model("feature-extraction", hashed_program(8, per_token=True), outputs=("token_embeddings",))
    with pytest.raises(TaskMismatchError, match="pooling none"):
        model.encode("x")


def test_a_program_that_contradicts_its_manifest_is_named() -> None:
    with pytest.raises(ManifestInvalidError, match="3 labels"):
        fake_model("text-classification", hashed_program(4))("x")
    with pytest.raises(ManifestInvalidError, match="expected 3 tokens and 3 labels"):
        fake_model("token-classification", hashed_program(4, per_token=True))("x")
    with pytest.raises(ManifestInvalidError, match="gave 2 outputs"):
        fake_model("text-classification", hashed_program(3, outputs=2))("x")
    with pytest.raises(ManifestInvalidError, match="'position_ids'"):
        fake_model("text-classification", hashed_program(3), inputs=("input_ids", "position_ids"))("x")


# -- below the answers and lifetime ----------------------------------------------------------------


def test_tokenize_gives_ids_and_offsets_into_the_text() -> None:
    model = fake_model("text-classification", hashed_program(3))
    encoding = model.tokenize("Microsoft  is new", "a cat")
    assert ids_of(encoding)[0] == CLS
    assert ids_of(encoding).count(SEP) == 2
    assert [("Microsoft  is new"[start:end]) for start, end in encoding.offsets[1:5].tolist()] == [
        "Micro", "soft", "is", "new"]  # fmt: skip
    assert encoding.type_ids.tolist() == [0] * 6 + [1] * 3
    with pytest.raises(TextTooLongError):
        model.tokenize(LONG, truncation=False)
    with pytest.raises(InvalidArgumentError, match="pair is a int"):
        model.tokenize("x", 3)  # type: ignore[arg-type]


def test_close_and_context_manager_close_the_runtime() -> None:
    with fake_model("text-classification", hashed_program(3)) as model:
        assert not model._runtime.closed  # type: ignore[attr-defined]
    assert model._runtime.closed  # type: ignore[attr-defined]


def test_repr_says_what_it_is() -> None:
    model = fake_model("text-classification", hashed_program(3))
    assert repr(model) == "<linnet.Model text-classification bert fp32, at most 24 tokens, from bytes>"


def test_evidence_is_an_object_or_an_error() -> None:
    model = fake_model("text-ranking", hashed_program(1), evidence='{"status": "proven", "weather": "rain"}')
    assert model.evidence.status == "proven"
    assert model.raw_evidence == {"status": "proven", "weather": "rain"}
    for evidence in ("{", "[]", ""):
        with pytest.raises(TrailerDamagedError):
            _ = fake_model("text-ranking", hashed_program(1), evidence=evidence).evidence


def test_load_refuses_what_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="source is a int"):
        linnet.load(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="threads is -1"):
        linnet.load("x.pte", threads=-1)
    with pytest.raises(FileMissingError):
        linnet.load(tmp_path / "none.pte")
    with pytest.raises(linnet.LinnetError):
        linnet.load(b"")


def test_a_manifest_survives_its_raw_form() -> None:
    manifest = make_manifest("text-classification", labels=("a\\nb", "c\nd", "\\", "e"))
    assert linnet.Manifest.from_raw(manifest.to_raw()) == manifest
