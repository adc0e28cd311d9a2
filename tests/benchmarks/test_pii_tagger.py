"""Scores of the study of the tagger, worked out by hand."""

from __future__ import annotations

from benchmarks.studies.pii_tagger import Answer, documents_of_rows, score
from examples.pii_tagger.documents import Span


def test_entity_and_character_scores() -> None:
    """`Anna Meyer` has 9 characters beside its space: 5 of them are covered by a span of another type."""
    text = "Anna Meyer saw Rome"
    labelled = [Span(0, 10, "PER"), Span(15, 19, "LOC")]
    found = [Span(5, 10, "ORG"), Span(15, 19, "LOC"), Span(11, 14, "PER")]
    scores = score([Answer(text, labelled, found)])
    assert (scores["all"].entities, scores["all"].found, scores["all"].right) == (2, 3, 1)
    assert (scores["all"].characters, scores["all"].covered) == (13, 9)
    assert (scores["PER"].entities, scores["PER"].found, scores["PER"].right) == (1, 1, 0)
    assert (scores["PER"].characters, scores["PER"].covered) == (9, 5)
    assert scores["LOC"].cells() == ("1", "1.000", "1.000", "1.000")
    assert scores["ORG"].cells() == ("0", "-", "0.000", "-")


def test_rows_become_texts_with_offsets() -> None:
    row = {"tokens": ["call", "Bo", "Li", "in", "Rome"], "tags": ["O", "B-PER", "I-PER", "O", "B-LOC"]}
    ((text, spans),) = documents_of_rows([row])
    assert text == "call Bo Li in Rome"
    assert [(text[span.start : span.end], span.label) for span in spans] == [("Bo Li", "PER"), ("Rome", "LOC")]
