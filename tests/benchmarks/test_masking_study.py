"""The generated documents of the study of masking: planted where they say, and masked in their usual forms."""

from __future__ import annotations

import pytest

pytest.importorskip("phonenumbers")

from benchmarks.studies.masking_documents import HARD, NAMED, documents
from linnet.masking import Masker, pattern_types


def test_the_documents_are_the_same_each_time() -> None:
    assert documents(20, 3) == documents(20, 3)
    assert documents(20, 3) != documents(20, 4)


def test_every_usual_value_is_masked() -> None:
    made = documents(150, 7)
    values = [(document, value) for document in made for value in document.planted if value.type not in NAMED]
    assert {value.type for _, value in values if not value.hard} == {row.type for row in pattern_types()}
    assert {value.type for _, value in values if value.hard} == set(HARD)
    masker = Masker()
    missed = []
    for document, value in values:
        covered = {at for span in masker.find(document.text) for at in range(span.start, span.end)}
        places = range(value.start, value.end)
        if not value.hard and not all(at in covered for at in places if document.text[at].isalnum()):
            missed.append((value.type, document.text[max(value.start - 20, 0) : value.end + 5]))
    assert missed == []
