"""Names, places and organizations: what a token-classification file finds, as a masker takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

import linnet
from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.masking import Masker
from tests.support.task_files import files_of_every_task

FILE = "token-classification.pte"
TEXT = "ada wrote to new york, write to ada@example.org"


@pytest.fixture(scope="module")
def file() -> Path:
    return files_of_every_task() / FILE


def bare(label: str) -> str:
    return label[2:] if label[:2] in ("B-", "I-") else label


def test_entities_are_types_and_patterns_win(file: Path) -> None:
    with linnet.load(file) as model:
        names = {label: f"TYPE_{number}" for number, label in enumerate(sorted(map(bare, model.labels)))}
        masker = Masker(model=model, labels=names)
        entities = model(TEXT, aggregation_strategy="average", stride=model.max_length // 8, ignore_labels=[])
        spans = masker.find(TEXT)
        tagged = [span for span in spans if span.source == "tagger"]
        assert [span.type for span in spans if span.source == "pattern"] == ["EMAIL"]
        covered = {place for span in spans for place in range(span.start, span.end)}
        for entity in entities:
            if entity["entity_group"] != "O":
                places = range(entity["start"], entity["end"])
                assert all(place in covered for place in places if TEXT[place].isalnum())
        assert {span.type for span in tagged} <= set(names.values())
        assert Masker(model=model, labels=names, min_score=1.1).find(TEXT) == Masker().find(TEXT)
        assert Masker(["EMAIL"], model=model, labels=names).find(TEXT) == Masker(["EMAIL"]).find(TEXT)
        session = masker.session()
        assert session.unmask(session.mask(TEXT).text) == TEXT
        assert masker.types >= {"EMAIL", *names.values()} - {names.get("O", "EMAIL")}


def test_a_long_text_is_tagged_to_its_end(file: Path) -> None:
    with linnet.load(file) as model:
        text = " ".join(["ada wrote a book in london"] * 40)
        # whatever the random model finds, words repeat: it finds something behind its bound if it finds anything
        masker = Masker(model=model, labels={bare(label): "NAME" for label in model.labels})
        ends = [span.end for span in masker.find(text)]
        assert not ends or max(ends) > len(text) // 2
        assert masker.find("  ") == []


def test_other_tasks_and_types_are_refused(file: Path) -> None:
    with pytest.raises(TaskMismatchError, match="token-classification"):
        Masker(model=file.with_name("text-classification.pte"))
    with pytest.raises(InvalidArgumentError, match="'NOBODY'"):
        Masker(["NOBODY"], model=file)
    with linnet.load(file) as model:
        assert set(Masker(model=model).types) > set(Masker().types)


def test_the_usual_labels_have_names() -> None:
    from linnet.masking.tagger import Tagger

    names = [Tagger._type(label, {}) for label in ("PER", "LOC", "ORG", "GPE", "MISC", "O", "ray-y", "drug name")]
    assert names == ["PERSON", "LOCATION", "ORGANIZATION", "LOCATION", "", "", "RAY_Y", "DRUG_NAME"]
    assert Tagger._type("PER", {"PER": "NAME"}) == "NAME"
    with pytest.raises(InvalidArgumentError, match="names no type"):
        Tagger._type("1", {})
