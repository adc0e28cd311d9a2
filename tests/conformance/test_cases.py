"""The committed cases are what `tokenizers` and transformers say today."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.conformance.make_cases import all_records
from tests.conformance.make_records import escape
from tests.conformance.reader import CASES


def test_the_committed_cases_are_the_generated_ones() -> None:
    generated = [[escape(field) for field in record] for record in all_records()]
    committed = [line.split("\t") for line in CASES.read_text(encoding="utf-8").split("\n")[1:-1]]
    assert [record[0] for record in generated] == [record[0] for record in committed]
    for left, right in zip(generated, committed, strict=True):
        for found, expected in zip(left, right, strict=True):
            assert found == expected or _near(found, expected)


def _near(found: str, expected: str) -> bool:
    """Numbers of another processor's eager model."""
    pairs = zip(found.split(), expected.split(), strict=True)
    return all(float(left) == pytest.approx(float(right), rel=1e-4, abs=1e-5) for left, right in pairs)
