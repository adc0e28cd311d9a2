"""Published models with real weights: exported, proven, run, and compared with transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import linnet
import linnet_export
from linnet.errors import TaskMismatchError
from tests.support.bundles import check_c_project
from tests.support.checkpoints import write_sentence_modules
from tests.support.real_weights import real_weights

pytestmark = pytest.mark.slow

LANGUAGES = (
    "query: how much protein should a female eat",
    "passage: As a general guideline, the average requirement of protein for women is 46 grams per day.",
    "query: 南瓜的家常做法",
    "query: Wie wird das Wetter morgen in München?",
    "passage: Завтра в Москве ожидается дождь и сильный ветер.",
    "query: ¿Dónde está  la biblioteca más cercana? ",
    "passage: 今日は天気がいいので散歩に行きましょう。",
    "query: كيف حالك اليوم؟",
    "passage: 오늘은 회의가 세 번 있습니다. 👍",
    "query: मुझे पानी चाहिए",
    "passage: " + "a long text of many words, " * 150,
)


def checkpoint_of(name: str, folder: Path) -> Path:
    """Return a folder that links to the files of real weights, so that others can be written beside them."""
    folder.mkdir()
    for file in real_weights(name).iterdir():
        (folder / file.name).symlink_to(file.resolve())
    return folder


@pytest.mark.timeout(3600)
def test_multilingual_e5_embeds_every_language_as_transformers_does(tmp_path: Path) -> None:
    """Mean pooling and unit length, as the card of intfloat/multilingual-e5-small computes embeddings."""
    checkpoint = checkpoint_of("e5-small-multilingual", tmp_path / "e5")
    write_sentence_modules(checkpoint, pooling="mean", max_seq_length=512)
    report = linnet_export.export(linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "e5.pte"))
    assert report.status == "proven"
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with linnet.load(report.path) as exported, torch.inference_mode():
        embeddings = exported.encode(list(LANGUAGES))
        for text, embedding in zip(LANGUAGES, embeddings, strict=True):
            inputs = tokenizer(text, truncation=True, max_length=512, return_tensors="pt")
            assert list(exported.tokenize(text).ids) == inputs["input_ids"][0].tolist()
            hidden = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
            expected = torch.nn.functional.normalize(hidden[0].mean(dim=0), dim=0).numpy()
            assert float(np.dot(embedding, expected)) > 0.99, text
        assert exported.manifest.tokenizer_kind == "tables"
        np.save(tmp_path / "embeddings.npy", embeddings)
    _check_alone(report.path, tmp_path)
    check_c_project([report.path], tmp_path / "c")


ALONE = """
import json, sys
for package in ("tokenizers", "transformers", "torch", "sentencepiece"):
    sys.modules[package] = None
import numpy as np
import linnet
with linnet.load(sys.argv[1]) as model:
    embeddings = model.encode(json.loads(sys.argv[2]))
assert np.array_equal(embeddings, np.load(sys.argv[3]))
"""


def _check_alone(path: Path, folder: Path) -> None:
    """The same embeddings where only linnet and numpy can be imported."""
    command = [sys.executable, "-c", ALONE, str(path), json.dumps(LANGUAGES), str(folder / "embeddings.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(3600)
def test_a_reranker_without_the_files_of_sentence_transformers(tmp_path: Path) -> None:
    """ms-marco-MiniLM-L-12-v2: the classifier's report names the task, and text-ranking ranks."""
    checkpoint = real_weights("reranker")
    query = "How many people live in Berlin?"
    passages = ["New York is famous for its museums.", "Berlin has a population of 3,520,031.", "It rains in Berlin."]
    classifier = linnet_export.export(
        linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "classifier.pte", prove=False)
    )
    assert any("--task text-ranking" in note for note in classifier.notes)
    with linnet.load(classifier.path) as model, pytest.raises(TaskMismatchError, match="--task text-ranking"):
        model.rank(query, passages)
    ranker = linnet_export.export(
        linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "ranker.pte", task="text-ranking")
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    original = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        logits = original(**tokenizer([query] * 3, passages, padding=True, return_tensors="pt")).logits[:, 0]
    with linnet.load(ranker.path) as model:
        ranked = model.rank(query, passages)
    assert [row["corpus_id"] for row in ranked] == logits.argsort(descending=True).tolist()
    expected = torch.sigmoid(logits)[[row["corpus_id"] for row in ranked]].numpy()
    np.testing.assert_allclose([row["score"] for row in ranked], expected, atol=0.05)
