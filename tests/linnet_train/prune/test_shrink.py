"""Smaller vocabularies, fewer layers, narrower feed-forward layers, against the model they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet_train.errors import ShrinkError
from linnet_train.prune import drop_layers, factorize_embeddings, narrow_feed_forward, trim_vocabulary
from linnet_train.prune.importance import input_importance
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
    score = input_importance(model, layers, [rows])[0]
    neuron, part = int(score.argmax()), 1e-3
    with torch.no_grad():
        before = float(model(**rows).loss)
        layers[0].weight[:, neuron] *= 1 - part
        after = float(model(**rows).loss)
    assert abs(after - before) / part == pytest.approx(float(score[neuron]), rel=0.01)


def test_what_cannot_shrink_is_refused(checkpoint: Path) -> None:
    model, tokenizer = load(checkpoint)
    with pytest.raises(ShrinkError, match="intermediate_size is 64, the model's is 64; expected less"):
        narrow_feed_forward(model, 64, [batch(tokenizer)])


TOKEN_TEXTS = ["turn the volume down", "open a bank account", "how do i reset my password", "play the music"]


def _token_batches(tokenizer: Any) -> list[dict[str, Any]]:
    return [dict(tokenizer(TOKEN_TEXTS, padding=True, return_tensors="pt"))]


def test_embeddings_of_full_rank_are_kept_whatever_their_width(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "model", "bert", "token-classification", num_labels=3)
    model: Any = transformers.AutoModelForTokenClassification.from_pretrained(path, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    before = [logits(model, tokenizer, text) for text in TOKEN_TEXTS]
    # the texts have fewer than 30 kinds of tokens at their places
    made, text = factorize_embeddings(model, 31, _token_batches(tokenizer))
    assert "100.0% of their variance" in text
    assert type(made).__name__ == "ElectraForTokenClassification"
    for sentence, expected in zip(TOKEN_TEXTS, before, strict=True):
        torch.testing.assert_close(logits(made, tokenizer, sentence), expected, atol=2e-3, rtol=1e-3)


def test_narrow_embeddings_resemble_the_wide_ones_and_are_read_back(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "model", "bert", "token-classification", num_labels=3)
    model: Any = transformers.AutoModelForTokenClassification.from_pretrained(path, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(path)
    wide = sum(parameter.numel() for parameter in model.base_model.embeddings.parameters())
    before = logits(model, tokenizer, TOKEN_TEXTS[0])
    made, _ = factorize_embeddings(model, 16, _token_batches(tokenizer))
    narrow: Any = made.base_model
    parts = [*narrow.embeddings.parameters(), *narrow.embeddings_project.parameters()]
    assert sum(parameter.numel() for parameter in parts) < 0.6 * wide
    after = logits(made, tokenizer, TOKEN_TEXTS[0])
    assert torch.nn.functional.cosine_similarity(after.flatten(), before.flatten(), dim=0) > 0.9
    made.save_pretrained(tmp_path / "made")
    again: Any = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path / "made").eval()
    torch.testing.assert_close(logits(again, tokenizer, TOKEN_TEXTS[0]), after, atol=1e-5, rtol=1e-5)


def test_only_a_bert_is_factorized(checkpoint: Path, tmp_path: Path) -> None:
    model, tokenizer = load(checkpoint)
    with pytest.raises(ShrinkError, match="embedding_size is 32, the encoder is 32 wide"):
        factorize_embeddings(model, 32, _token_batches(tokenizer))
    other = write_checkpoint(tmp_path / "distil", "distilbert", "token-classification")
    distil: Any = transformers.AutoModelForTokenClassification.from_pretrained(other)
    with pytest.raises(ShrinkError, match="embedding_size is for BERT"):
        factorize_embeddings(distil, 16, _token_batches(tokenizer))
