"""Entities that a tagger got wrong, and counts by type, worked out by hand."""

from __future__ import annotations

import io

import pytest

from linnet.cli.console import Console
from linnet_bench.accuracy.entity_errors import choose_errors, find_errors, print_errors
from linnet_bench.accuracy.metrics import entity_counts, sum_counts
from linnet_bench.tasks.token_classification import Tagged

TAGGED = Tagged(
    [["Anna", "Meyer", "of", "ACME", "in", "Rome"], ["call", "Bo", "now"]],
    [["B-PER", "I-PER", "O", "B-ORG", "O", "B-LOC"], ["O", "B-PER", "O"]],
    [["B-PER", "O", "O", "B-LOC", "O", "B-LOC"], ["O", "O", "B-ORG"]],
)


def test_counts_by_type() -> None:
    """seqeval's report of the same tags: LOC 1 of 1 with precision 0.5; ORG 0 of 1; PER 0 of 2."""
    counts = entity_counts(TAGGED.expected, TAGGED.found)
    assert {name: (each.expected, each.found, each.right) for name, each in counts.items()} == {
        "LOC": (1, 2, 1), "ORG": (1, 1, 0), "PER": (2, 1, 0),
    }  # fmt: skip
    assert {name: (each.words, each.covered) for name, each in counts.items()} == {
        "LOC": (1, 1), "ORG": (1, 1), "PER": (3, 1),
    }  # fmt: skip
    assert counts["LOC"].precision == 0.5
    assert counts["LOC"].recall == 1
    whole = sum_counts(counts.values())
    assert whole.recall == pytest.approx(1 / 4)
    assert whole.precision == pytest.approx(1 / 4)
    assert whole.coverage == pytest.approx(3 / 5)


def test_every_error_has_its_kind_and_its_words() -> None:
    errors = [(each.row, each.kind, each.name, each.context) for each in find_errors(TAGGED)]
    assert errors == [
        (1, "other", "PER", "[Anna Meyer] of ACME in Rome"),
        (1, "other", "ORG", "Anna Meyer of [ACME] in Rome"),
        (2, "missed", "PER", "call [Bo] now"),
        (2, "invented", "ORG", "call Bo [now]"),
    ]


def test_the_list_is_bounded_and_escaped() -> None:
    many = Tagged([["a\x1b]0;x\x07\n"]] * 50, [["B-PER"]] * 50, [["O"]] * 50)
    errors = choose_errors(many, 3)
    assert len(errors) == 3
    stream = io.StringIO()
    print_errors(Console(stream), errors)
    assert "\x1b" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 5
