"""Answers equal those of transformers 5's pipelines when both get the same logits from the same model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from linnet.errors import InvalidArgumentError  # noqa: E402
from linnet.model import Model  # noqa: E402
from linnet.tokenization.truncation import TruncationWarning  # noqa: E402
from tests.support.pipeline_oracle import TEXTS, eager, hf_model, hf_tokenizer, same  # noqa: E402
from tests.support.sdk_fakes import PIECES, fake_model  # noqa: E402


def both(task: str, *, manifest: dict[str, Any] | None = None, **changes: Any) -> tuple[Model, Callable[..., Any]]:
    """Our model and the pipeline over one eager model."""
    model = hf_model(task, **changes)
    pipe = transformers.pipeline(task, model=model, tokenizer=hf_tokenizer())
    return fake_model(task, eager(model), **(manifest or {})), pipe


# -- text-classification ---------------------------------------------------------------------------


PAIR = {"text": "the cat", "text_pair": "a dog"}


@pytest.mark.parametrize("inputs", [TEXTS[0], [TEXTS[0]], TEXTS, PAIR, [PAIR, {"text": "x", "text_pair": "y"}]])
@pytest.mark.parametrize("options", [{}, {"top_k": 1}, {"top_k": 2}, {"top_k": None}, {"function_to_apply": "sigmoid"},
                                     {"function_to_apply": "none", "top_k": None}])  # fmt: skip
def test_text_classification(inputs: Any, options: dict[str, Any]) -> None:
    model, pipe = both("text-classification", num_labels=3)
    same(model(inputs, **options), pipe(inputs, **options))


@pytest.mark.parametrize(
    ("score_function", "changes"),
    [
        ("sigmoid", {"problem_type": "multi_label_classification", "num_labels": 3}),
        ("sigmoid", {"num_labels": 1}),
        ("none", {"problem_type": "regression", "num_labels": 1}),
    ],
)
@pytest.mark.parametrize("options", [{}, {"top_k": None}])
def test_text_classification_score_functions(
    score_function: str, changes: dict[str, Any], options: dict[str, Any]
) -> None:
    names = tuple(f"LABEL_{index}" for index in range(changes["num_labels"]))
    model, pipe = both("text-classification", manifest={"score_function": score_function, "labels": names}, **changes)
    same(model(TEXTS, **options), pipe(TEXTS, **options))
    same(model(TEXTS[1], **options), pipe(TEXTS[1], **options))


def test_a_tuple_is_a_pair() -> None:
    model, pipe = both("text-classification", num_labels=3)
    same(model(("the cat", "a dog")), pipe({"text": "the cat", "text_pair": "a dog"}))


# -- token-classification --------------------------------------------------------------------------

_TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "x-ray-y")


@pytest.mark.parametrize("inputs", [TEXTS[1], [TEXTS[1]], TEXTS])
@pytest.mark.parametrize("strategy", [None, "none", "simple", "first", "average", "max"])
@pytest.mark.parametrize("ignored", [None, [], ["O", "B-PER", "PER"]])
def test_token_classification(inputs: Any, strategy: str | None, ignored: list[str] | None) -> None:
    model, pipe = both("token-classification", manifest={"labels": _TAGS}, names=_TAGS)
    options: dict[str, Any] = {} if strategy is None else {"aggregation_strategy": strategy}
    options |= {} if ignored is None else {"ignore_labels": ignored}
    same(model(inputs, **options), pipe(inputs, **options))


LONG = " ".join(TEXTS)


@pytest.mark.parametrize("stride", [0, 15])
@pytest.mark.parametrize("strategy", [None, "simple", "first", "average", "max"])
@pytest.mark.parametrize("inputs", [LONG, [TEXTS[0], LONG, TEXTS[1]]])
def test_token_classification_in_windows(inputs: Any, strategy: str | None, stride: int) -> None:
    model, pipe = both("token-classification", manifest={"labels": _TAGS}, names=_TAGS)
    options: dict[str, Any] = {} if strategy is None else {"aggregation_strategy": strategy}
    with warnings.catch_warnings():
        warnings.simplefilter("error", TruncationWarning)
        found = model(inputs, stride=stride, ignore_labels=[], **options)
    same(found, pipe(inputs, stride=stride, ignore_labels=[], **options))
    ends = [entity["end"] for entity in (found if isinstance(inputs, str) else found[1])]
    assert max(ends) == len(LONG)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stride": 24, "aggregation_strategy": "simple"}, "stride is 24, expected less than the 24 tokens"),
        ({"stride": 22, "aggregation_strategy": "simple"}, "room for 22 tokens"),  # beside two special tokens
        ({"stride": 5, "aggregation_strategy": "none"}, "aggregation_strategy"),
        ({"stride": -1, "aggregation_strategy": "simple"}, "stride is -1"),
        ({"stride": True, "aggregation_strategy": "simple"}, "stride is True"),
    ],
)
def test_windows_that_cannot_be(options: dict[str, Any], message: str) -> None:
    model, _ = both("token-classification", manifest={"labels": _TAGS}, names=_TAGS)
    with pytest.raises(InvalidArgumentError, match=message):
        model(LONG, **options)


def test_token_classification_of_a_text_over_the_bound() -> None:
    model, pipe = both("token-classification", num_labels=3)
    long = " ".join(TEXTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = model(long, aggregation_strategy="simple")
    same(ours, pipe(long, aggregation_strategy="simple"))


# -- fill-mask -------------------------------------------------------------------------------------

_MASKED = ["the [MASK] sat on the mat.", "Ada wrote [MASK] in London, didn ' t she?", "[MASK]"]


@pytest.mark.parametrize("inputs", [_MASKED[0], [_MASKED[0]], _MASKED, "the [MASK] of [MASK] is [MASK]!",
                                    ["the [MASK] [MASK]", "a [MASK]"]])  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"top_k": 1}, {"top_k": 3}, {"targets": ["cat", "dog", "river"]},
                                     {"targets": "cat"}, {"targets": ["cat", "dog"], "top_k": 1}])  # fmt: skip
def test_fill_mask(inputs: Any, options: dict[str, Any]) -> None:
    model, pipe = both("fill-mask")
    same(model(inputs, **options), pipe(inputs, **options))


def test_fill_mask_targets_outside_of_the_vocabulary() -> None:
    model, pipe = both("fill-mask")
    with pytest.warns(UserWarning, match="'micros'"):
        ours = model(_MASKED[0], targets=["micros", "cat"])
    same(ours, pipe(_MASKED[0], targets=["micros", "cat"]))


# -- feature-extraction ----------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [TEXTS[0], [TEXTS[0]], TEXTS])
def test_feature_extraction(inputs: Any) -> None:
    model, pipe = both("feature-extraction", manifest={"outputs": ("token_embeddings",), "embedding_size": 32})
    same(model(inputs), pipe(inputs))


# -- tokens back to text ---------------------------------------------------------------------------


def test_decoding_equals_the_tokenizer() -> None:
    model, tokenizer = fake_model("fill-mask", eager(hf_model("fill-mask"))), hf_tokenizer()
    vocabulary = model._session.vocabulary
    random = np.random.default_rng(5)
    for _ in range(300):
        ids = random.integers(0, len(PIECES), size=int(random.integers(1, 12))).tolist()
        assert vocabulary.decode(ids) == tokenizer.decode(ids)
        assert vocabulary.decode(ids, skip_special=True) == tokenizer.decode(ids, skip_special_tokens=True)
        tokens = tokenizer.convert_ids_to_tokens(ids)
        assert [vocabulary.token(token_id) for token_id in ids] == tokens
        assert vocabulary.join(tokens) == tokenizer.convert_tokens_to_string(tokens)
