"""Pre-training: what is hidden, how text is packed, and that a killed pre-training goes on bit for bit."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

import linnet
from linnet.errors import InvalidArgumentError
from linnet_export import ExportConfig, export
from linnet_export.errors import CheckpointError
from linnet_train import DataConfig, MaskingConfig, OptimizerConfig, ShrinkConfig, TrainConfig, train
from linnet_train.data.batches import NO_LABEL
from linnet_train.data.masking import MaskedRows, Masking, answers_only_for
from linnet_train.data.passages import Passage, pack, pair_sentences
from linnet_train.errors import BadDataError
from linnet_train.tasks import read_examples
from linnet_train.tasks.base import get_task
from tests.support.checkpoints import write_checkpoint
from tests.support.training import assert_same_weights, easy_rows, train_until_killed

MASKING = Masking(probability=0.15, mask_id=4, special_ids=frozenset(range(5)), vocabulary=100)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 documents of four sentences."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    lines = [f"{row['text']}\n" + ("\n" if place % 4 == 3 else "") for place, row in enumerate(easy_rows(160))]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def config(model: Path, output: Path, corpus: Path, **changes: Any) -> TrainConfig:
    """Two short epochs."""
    optimizer = OptimizerConfig(epochs=2, learning_rate=2e-3, batch_size=16)
    settings: dict[str, Any] = {"task": "fill-mask", "max_length": 32, "optimizer": optimizer, **changes}
    return TrainConfig(model=str(model), output=output, data=DataConfig(train=corpus), **settings)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=64), st.integers(0, 2**32 - 1))
def test_what_is_hidden_can_be_put_back(ids: list[int], seed: int) -> None:
    hidden, labels = MASKING.hide(ids, np.random.default_rng(seed))
    again = [token if label == NO_LABEL else label for token, label in zip(hidden, labels, strict=True)]
    assert again == ids
    ordinary = sum(token >= 5 for token in ids)
    assert sum(label != NO_LABEL for label in labels) == (max(1, round(0.15 * ordinary)) if ordinary else 0)
    assert all(label == NO_LABEL for token, label in zip(ids, labels, strict=True) if token < 5)


def test_hidden_tokens_are_masked_kept_or_replaced_as_in_bert() -> None:
    generator = np.random.default_rng(0)
    counts = {"masked": 0, "same": 0, "other": 0}
    for _ in range(2000):
        ids = [int(token_id) for token_id in generator.integers(5, 100, size=20)]
        hidden, labels = MASKING.hide(ids, generator)
        for token, label in zip(hidden, labels, strict=True):
            if label != NO_LABEL:
                counts["masked" if token == 4 else "same" if token == label else "other"] += 1
    shares = {name: count / sum(counts.values()) for name, count in counts.items()}
    # 80, 10 and 10 %; a random token is the same one once in 95
    assert shares == pytest.approx({"masked": 0.8, "same": 0.1, "other": 0.1}, abs=0.015)


def test_every_epoch_hides_other_tokens_and_finds_them_again() -> None:
    rows = MaskedRows([{"input_ids": list(range(5, 65))}], MASKING, seed=3)
    first = rows[0]
    rows.set_epoch(1)
    assert rows[0] != first
    rows.set_epoch(0)
    assert rows[0] == first


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=6), min_size=1, max_size=5), st.integers(4, 16))
def test_packed_passages_fit_and_lose_nothing(documents: list[list[int]], bound: int) -> None:
    assert _TOKENIZER is not None
    texts = [[" ".join(["bank"] * count) for count in counts] for counts in documents]
    passages = pack(texts, _TOKENIZER, bound)
    for number, sentences in enumerate(texts):
        found = [word for passage in passages if passage.document == number for word in passage.text.split()]
        assert found == " ".join(sentences).split()
    assert all(len(passage.text.split()) <= bound for passage in passages)
    for left, right in itertools.pairwise(passages):  # nothing that would have fitted was left for the next
        if left.document == right.document:
            assert len(left.text.split()) + len(right.sentences[0].split()) > bound


_TOKENIZER: Any = None


@pytest.fixture(scope="module", autouse=True)
def _load_tokenizer(encoder: Path) -> None:
    global _TOKENIZER
    _TOKENIZER = transformers.AutoTokenizer.from_pretrained(encoder)


def test_half_of_the_second_sentences_come_from_elsewhere() -> None:
    passages = [Passage((f"a{number}", f"b{number}", f"c{number}"), number) for number in range(400)]
    passages.append(Passage(("alone",), 400))
    pairs = pair_sentences(passages, seed=1)
    assert len(pairs) == 400
    for first, second, replaced in pairs:
        document = first.split()[0][1:]
        continued = {part[1:] for part in second.split()} == {document}
        assert continued is not bool(replaced)
    assert 0.4 < sum(label for _, _, label in pairs) / 400 < 0.6


def test_the_loss_is_that_of_transformers(corpus: Path, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "bert", "bert", "fill-mask")
    model = transformers.AutoModelForMaskedLM.from_pretrained(checkpoint, attn_implementation="eager").eval()
    settings = config(checkpoint, tmp_path / "out", corpus)
    task = get_task("fill-mask")
    examples = read_examples(settings.data, 0, "fill-mask")
    rows = task.encode(examples.validation, examples, _TOKENIZER, settings)
    batch = task.collator(0)([rows[place] for place in range(len(rows))])
    with torch.no_grad():
        expected = model(**batch)
        loss, measured = task.step(settings, rows, examples)(model, dict(batch))
    assert float(loss) == pytest.approx(float(expected.loss), rel=1e-5)
    hidden = batch["labels"] != NO_LABEL
    guessed = expected.logits.argmax(dim=-1)[hidden] == batch["labels"][hidden]
    figures = task.figures(tuple(value.numpy() for value in measured.values()), rows, examples)
    assert figures["accuracy"] == pytest.approx(float(guessed.float().mean()))
    assert figures["perplexity"] == pytest.approx(math.exp(float(expected.loss)), rel=1e-4)


@pytest.mark.parametrize("model_type", ["bert", "mobilebert", "distilbert", "electra"])
def test_the_head_sees_the_chosen_tokens_alone(model_type: str, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / model_type, model_type, "fill-mask")
    model = transformers.AutoModelForMaskedLM.from_pretrained(checkpoint, attn_implementation="eager").eval()
    ids = torch.arange(5, 21).view(2, 8)
    chosen = torch.zeros(2, 8, dtype=torch.bool)
    chosen[0, 3] = chosen[1, 5] = chosen[1, 6] = True
    with torch.no_grad():
        whole = model(input_ids=ids).logits
        with answers_only_for(model, chosen):
            some = model(input_ids=ids).logits
    torch.testing.assert_close(some[0], whole[chosen])
    with torch.no_grad():
        torch.testing.assert_close(model(input_ids=ids).logits, whole)


@pytest.mark.parametrize("next_sentence", [False, True])
def test_a_killed_pre_training_ends_with_the_same_weights(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, next_sentence: bool
) -> None:
    checkpoint = write_checkpoint(tmp_path / "mobilebert", "mobilebert", "fill-mask")
    masking = MaskingConfig(next_sentence=next_sentence)
    whole, killed = (config(checkpoint, tmp_path / name, corpus, masking=masking, save_steps=2) for name in "ab")
    report = train(whole)
    train_until_killed(killed, 2, monkeypatch)
    again = train(config(checkpoint, tmp_path / "b", corpus, masking=masking, save_steps=2, resume=True))
    assert_same_weights(tmp_path / "a", tmp_path / "b")
    assert again.figures == report.figures
    assert ("next_sentence_accuracy" in report.figures) is next_sentence


def test_a_pre_trained_model_is_exported_and_tuned(corpus: Path, rows_file: Path, tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "bert", "bert", "fill-mask")
    report = train(config(checkpoint, tmp_path / "pre", corpus, masking=MaskingConfig(next_sentence=True)))
    file = tmp_path / "pre.pte"
    export(ExportConfig(model=str(tmp_path / "pre"), output=file, proof=tmp_path / "pre/training/proof.jsonl",
                        max_length=32))  # fmt: skip
    eager = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "pre").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "pre")
    text = "the [MASK] open"
    with torch.no_grad():
        inputs = tokenizer(text, return_tensors="pt")
        expected = torch.softmax(eager(**inputs).logits[0, 2], dim=-1)
    with linnet.load(file) as model:
        best = model(text)[0]
    assert best["score"] == pytest.approx(float(expected[best["token"]]), abs=0.02)
    held_out = [json.loads(line) for line in (tmp_path / "pre/training/held_out.jsonl").read_text().splitlines()]
    assert held_out
    assert all("[MASK]" in row["text"] and row["label"].isalnum() for row in held_out)
    assert report.rows
    tuned = train(TrainConfig(model=str(tmp_path / "pre"), output=tmp_path / "tuned", data=DataConfig(train=rows_file),
                              optimizer=OptimizerConfig(epochs=1)))  # fmt: skip
    assert tuned.labels == 4


def test_bad_corpora_are_refused(tmp_path: Path, corpus: Path) -> None:
    def refused(name: str, content: bytes, **settings: Any) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadDataError) as caught:
            read_examples(DataConfig(train=path, **settings), 0, "fill-mask")
        return str(caught.value)

    assert "one document, expected another to hold out" in refused("one.txt", b"only this\n")
    assert "no text" in refused("empty.txt", b"\n\n")
    assert "line 2: not UTF-8: byte 0xe9" in refused("latin.txt", b"a\ncaf\xe9\n")
    assert "line 2: text is empty, expected a text" in refused("rows.jsonl", b'{"text": "a"}\n{"text": " "}\n')
    assert "no text among other; name it with --text-column" in refused("rows2.jsonl", b'{"other": "a"}\n')


def test_impossible_settings_are_refused(encoder: Path, corpus: Path, rows_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="fill-mask keeps its vocabulary"):
        train(config(encoder, tmp_path / "a", corpus, shrink=ShrinkConfig(vocabulary="corpus")))
    with pytest.raises(InvalidArgumentError, match="text-classification has no masking"):
        train(config(encoder, tmp_path / "b", rows_file, task="text-classification", masking=MaskingConfig()))
    with pytest.raises(InvalidArgumentError, match="mlm_probability is 1.5"):
        config(encoder, tmp_path / "c", corpus, masking=MaskingConfig(mlm_probability=1.5))
    electra = write_checkpoint(tmp_path / "electra", "electra", "fill-mask")
    with pytest.raises(CheckpointError, match="electra has no head for next sentences"):
        train(config(electra, tmp_path / "d", corpus, masking=MaskingConfig(next_sentence=True)))
    lines = tmp_path / "lines.txt"
    lines.write_text("play music\nturn volume up\nopen account\n")
    with pytest.raises(BadDataError, match="0 documents have two sentences"):
        train(config(encoder, tmp_path / "e", lines, masking=MaskingConfig(next_sentence=True)))
