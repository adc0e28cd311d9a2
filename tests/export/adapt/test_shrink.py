"""Smaller vocabularies, fewer layers, narrower feed-forward layers, against the model they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet_export.adapt.errors import ShrinkError
from linnet_export.adapt.shrink import drop_layers, narrow_feed_forward, trim_vocabulary
from linnet_export.adapt.shrink.feed_forward import neuron_importance
from tests.support.checkpoints import write_checkpoint

CORPUS = ["turn the volume down", "Resetting my passwords!", "open a bank account"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("shrink") / "model", "bert", "text-classification", num_labels=3)


def load(checkpoint: Path) -> tuple[Any, Any]:
    model = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint, attn_implementation="eager")
    return model.eval(), transformers.AutoTokenizer.from_pretrained(checkpoint)


def logits(model: Any, tokenizer: Any, text: str) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(**tokenizer(text, return_tensors="pt")).logits
    return found


def test_kept_texts_have_the_same_tokens_and_logits(checkpoint: Path, tmp_path: Path) -> None:
    model, tokenizer = load(checkpoint)
    before = [logits(model, tokenizer, text) for text in CORPUS]
    tokens = [tokenizer.tokenize(text) for text in CORPUS]
    trimmed = trim_vocabulary(model, tokenizer, CORPUS)
    assert len(trimmed.kept) < len(tokenizer)
    assert model.get_input_embeddings().weight.shape[0] == len(trimmed.kept) == model.config.vocab_size
    model.save_pretrained(tmp_path)
    trimmed.tokenizer.save_pretrained(tmp_path)
    again, read_back = load(tmp_path)
    for text, expected, pieces in zip(CORPUS, before, tokens, strict=True):
        assert read_back.tokenize(text) == pieces
        torch.testing.assert_close(logits(again, read_back, text), expected)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_no_ascii_text_becomes_unknown(text: str) -> None:
    assert _TRIMMED is not None
    assert _TRIMMED.unk_token_id not in _TRIMMED(text)["input_ids"]


_TRIMMED: Any = None


@pytest.fixture(scope="module", autouse=True)
def _trimmed(checkpoint: Path) -> None:
    global _TRIMMED
    model, tokenizer = load(checkpoint)
    _TRIMMED = trim_vocabulary(model, tokenizer, CORPUS).tokenizer


def test_frequent_words_stay(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    few = trim_vocabulary(model, tokenizer, CORPUS)
    model, tokenizer = load(checkpoint)
    more = trim_vocabulary(model, tokenizer, CORPUS, frequent=6)
    added = set(more.kept) - set(few.kept)
    assert added
    words = sorted(i for word, i in tokenizer.get_vocab().items() if len(word) > 1 and word.isalpha())
    assert added <= set(words[:6])


def test_layers_that_stay_compute_as_before(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    inputs = tokenizer("turn the volume down", return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs, output_hidden_states=True).hidden_states[1]
    drop_layers(model, [0])
    with torch.inference_mode():
        found = model(**inputs, output_hidden_states=True).hidden_states
    assert len(found) == 2
    torch.testing.assert_close(found[1], expected)
    with pytest.raises(ShrinkError, match=r"layers \[5\] are to stay, the model has the layers 0 to 0"):
        drop_layers(model, [5])


def batch(tokenizer: Any) -> dict[str, Any]:
    return {**tokenizer(CORPUS, return_tensors="pt", padding=True), "labels": torch.tensor([0, 1, 2])}


def test_dead_neurons_go_first_and_nothing_changes(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    for layer in model.bert.encoder.layer:  # every second neuron is multiplied by zero afterwards
        layer.output.dense.weight.data[:, ::2] = 0
    before = logits(model, tokenizer, CORPUS[0])
    text = narrow_feed_forward(model, 32, [batch(tokenizer)])
    assert model.config.intermediate_size == 32
    assert model.bert.encoder.layer[0].intermediate.dense.weight.shape == (32, 32)
    torch.testing.assert_close(logits(model, tokenizer, CORPUS[0]), before)
    assert text == "32 of 64 neurons in each feed-forward layer, with 100% of the importance"


def test_importance_is_what_the_loss_changes_by(checkpoint: Path) -> None:
    """The first-order estimate, against taking a little of the neuron away."""
    model, tokenizer = load(checkpoint)
    model.double()  # the difference is small
    rows = {name: value[:1] for name, value in batch(tokenizer).items()}
    layers = [model.bert.encoder.layer[1].output.dense]
    score = neuron_importance(model, layers, [rows])[0]
    neuron, part = int(score.argmax()), 1e-3
    with torch.no_grad():
        before = float(model(**rows).loss)
        layers[0].weight[:, neuron] *= 1 - part
        after = float(model(**rows).loss)
    assert abs(after - before) / part == pytest.approx(float(score[neuron]), rel=0.01)


def test_what_cannot_shrink_is_refused(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    with pytest.raises(ShrinkError, match="intermediate_size is 64, the model's is 64; needed less"):
        narrow_feed_forward(model, 64, [batch(tokenizer)])
