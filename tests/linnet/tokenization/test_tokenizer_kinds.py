"""Answers over BPE and Unigram tokenizers equal those of transformers 5's pipelines over the same model."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import tokenizers  # noqa: E402

from linnet.errors import BuildError, InvalidArgumentError  # noqa: E402
from linnet.inputs import TextInput  # noqa: E402
from linnet.model import Model  # noqa: E402
from linnet_export.tokenizer import tables_blob, tokenizer_json_blob  # noqa: E402
from tests.support.pipeline_oracle import same  # noqa: E402
from tests.support.sdk_fakes import fake_model, hashed_program  # noqa: E402
from tests.support.tokenizers import MAKERS, VOCABULARY, training_texts  # noqa: E402

CORE = " in the core"
"""Ends the name of a family whose tokenizer is read by the core instead of the ``tokenizers`` package."""

_TABLES = sorted({*MAKERS} - {"mpnet"})  # whose WordPiece is not for tables
families = pytest.mark.parametrize("family", [*sorted(MAKERS), *(name + CORE for name in _TABLES)])

TEXTS = [
    "turn the volume down",
    "Ada wrote the book, in London.",
    "  zzz éclair 漢字 \u200b dog's  ",
    "x",
    "New York is a big city; Microsoft? 83 % of it.",
]
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
_HEADS = {"token-classification": "BertForTokenClassification", "fill-mask": "BertForMaskedLM"}


@functools.cache
def tokenizer_of(family: str) -> Any:
    return MAKERS[family.removesuffix(CORE)](model_max_length=64)


@functools.cache
def hf_model(task: str, pad_id: int) -> Any:
    """A seeded random BERT with spread-out logits."""
    torch.manual_seed(3)
    names = dict(enumerate(TAGS))
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.4,
        pad_token_id=pad_id,
        id2label=names,
        label2id={name: at for at, name in names.items()},
    )
    return getattr(transformers, _HEADS[task])(config).eval()


def device_model(family: str, task: str, program: Any, **manifest: Any) -> Model:
    """A model whose tokenizer is of the family."""
    tokenizer = tokenizer_of(family)
    fields: dict[str, Any] = {f"{role}_id": getattr(tokenizer, f"{role}_token_id") for role in ("pad", "unk", "cls")}
    fields |= {"sep_id": tokenizer.sep_token_id, "mask_id": tokenizer.mask_token_id}
    if family.endswith(CORE):
        fields |= {"tokenizer_kind": "tables", "tokenizer": tables_blob(tokenizer.backend_tokenizer)}
    else:
        fields |= {"tokenizer_kind": "tokenizers", "tokenizer": tokenizer_json_blob(tokenizer.backend_tokenizer)}
        fields |= {"tokenizer_version": tokenizers.__version__}
    fields |= {"vocab_size": VOCABULARY, "max_length": 64}
    return fake_model(task, program, **{**fields, "inputs": ("input_ids",), **manifest})


def both(family: str, task: str, **manifest: Any) -> tuple[Model, Any]:
    """Our model and the pipeline over one eager model."""
    model = hf_model(task, tokenizer_of(family).pad_token_id)

    def program(ids: Any, types: Any) -> list[Any]:
        with torch.inference_mode():
            return [model(input_ids=torch.tensor(ids)[None])[0][0].numpy()]

    pipe = transformers.pipeline(task, model=model, tokenizer=tokenizer_of(family))
    return device_model(family, task, program, **manifest), pipe


@families
@pytest.mark.parametrize("strategy", ["none", "simple", "first", "average", "max"])
def test_token_classification(family: str, strategy: str) -> None:
    model, pipe = both(family, "token-classification", labels=TAGS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model(TEXTS, aggregation_strategy=strategy, ignore_labels=[])
        same(found, pipe(TEXTS, aggregation_strategy=strategy, ignore_labels=[]))


@families
@pytest.mark.parametrize("stride", [0, 15])
@pytest.mark.parametrize("strategy", ["simple", "first", "average", "max"])
def test_token_classification_in_windows(family: str, strategy: str, stride: int) -> None:
    model, pipe = both(family, "token-classification", labels=TAGS)
    text = " ".join([*TEXTS, *training_texts()[:6]])
    options: dict[str, Any] = {"aggregation_strategy": strategy, "stride": stride, "ignore_labels": []}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model(text, **options)
        same(found, pipe(text, **options))
    # transformers drops the weaker of two entities that overlap, which may be the last one
    assert max(entity["end"] for entity in found) > 0.9 * len(text)


def test_words_that_no_token_marks_are_a_warning() -> None:
    model, _ = both("roberta", "token-classification", labels=TAGS)
    with pytest.warns(UserWarning, match="does not mark words"):
        model(TEXTS[0], aggregation_strategy="first")


@families
@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"targets": ["the", "a", "▁the", "Ġthe"]}])
def test_fill_mask(family: str, options: dict[str, Any]) -> None:
    model, pipe = both(family, "fill-mask")
    mask = tokenizer_of(family).mask_token
    for text in (f"turn the {mask} down, please.", f"{mask}the {mask} {mask}", f"The bank  {mask}."):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            same(model(text, **options), pipe(text, **options))


@families
def test_a_missing_mask_is_named(family: str) -> None:
    model = device_model(family, "fill-mask", hashed_program(VOCABULARY, per_token=True))
    with pytest.raises(InvalidArgumentError, match=f"write {tokenizer_of(family).mask_token}".replace("[", r"\[")):
        model("no mask here")


@families
def test_answers_are_widened_to_the_words_of_the_tokenizer(family: str) -> None:
    """As transformers 4 does: token_to_word, then word_to_chars of the window's encoding."""
    question, context = "which text?", " ".join(training_texts()[4:9])
    outputs = ("start_logits", "end_logits")
    scores = np.empty(0, dtype=np.float32)
    model = device_model(family, "question-answering", lambda ids, types: [scores, scores], outputs=outputs)
    session = model._session
    windows = session.windows(TextInput(question, context), truncation="only_second", max_length=40, stride=8)
    tokenizer = tokenizer_of(family)
    expected = tokenizer(
        question, context, truncation="only_second", max_length=40, stride=8, return_overflowing_tokens=True
    ).encodings
    assert len(windows) == len(expected) > 2
    for window, encoding in zip(windows, expected, strict=True):
        (places,) = np.nonzero(window.sequence_ids == 1)
        for token in places.tolist():
            scores = np.full(len(window), -20.0, dtype=np.float32)
            scores[token] = 20.0
            start, end = encoding.word_to_chars(encoding.token_to_word(token), 1)
            assert _answer(model, window, context) == (start, end)


def _answer(model: Model, window: Any, context: str) -> tuple[int, int]:
    from linnet.tasks.question_answering import QuestionOptions, _decode

    outputs = [list(model.run(window).values())]
    answer = _decode(model._session, TextInput("?", context), [window], outputs, QuestionOptions())
    return answer["start"], answer["end"]


def test_an_unknown_kind_is_named() -> None:
    model = device_model("roberta", "fill-mask", hashed_program(4), tokenizer_kind="syllables")
    with pytest.raises(BuildError, match="'syllables', this linnet reads tables, tokenizers, wordpiece"):
        model.tokenize("x")


def test_token_ids_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    model = device_model("roberta", "fill-mask", hashed_program(VOCABULARY, per_token=True))
    encoding = model.tokenize("a<mask>b")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    bare = device_model("roberta", "fill-mask", hashed_program(VOCABULARY, per_token=True))
    np.testing.assert_array_equal(bare.run(encoding)["logits"], model.run(encoding)["logits"])
    with pytest.raises(BuildError, match="pip install"):
        bare("a<mask>b")
