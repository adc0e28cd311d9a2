"""From a config to a task."""

from __future__ import annotations

import pytest

from linnet_export.checkpoint.task_detection import detect_task, known_task
from linnet_export.errors import CheckpointError


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("BertForSequenceClassification", "text-classification"),
        ("DistilBertForTokenClassification", "token-classification"),
        ("MobileBertForQuestionAnswering", "question-answering"),
        ("ElectraForMaskedLM", "fill-mask"),
        ("MobileBertForPreTraining", "fill-mask"),
        ("BertModel", "feature-extraction"),
    ],
)
def test_by_architecture(architecture: str, task: str) -> None:
    assert detect_task({"architectures": [architecture]}, is_sentence_transformer=False).name == task


@pytest.mark.parametrize("key", ["sentence_transformers", "sbert_ce_default_activation_function"])
def test_a_cross_encoder_ranks(key: str) -> None:
    config = {"architectures": ["BertForSequenceClassification"], key: "x"}
    assert detect_task(config, is_sentence_transformer=False).name == "text-ranking"


def test_sentence_transformers_embed() -> None:
    assert (
        detect_task({"architectures": ["BertForMaskedLM"]}, is_sentence_transformer=True).name == "feature-extraction"
    )


@pytest.mark.parametrize("config", [{}, {"architectures": []}, {"architectures": ["BertForNextSentencePrediction"]}])
def test_no_task(config: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="--task"):
        detect_task(config, is_sentence_transformer=False)


def test_names() -> None:
    assert known_task("sentence-similarity").name == "feature-extraction"
    with pytest.raises(CheckpointError, match="'summarization'.*text-ranking"):
        known_task("summarization")
