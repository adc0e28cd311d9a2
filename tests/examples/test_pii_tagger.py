"""Generated documents of the tagger: exact labels, parts that share no name and no sentence, rows of real texts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.pii_tagger.documents import LABELS, Document, Span, generate, words_and_tags
from examples.pii_tagger.real_texts import clinc_rows, snips_rows, wnut_rows
from examples.pii_tagger.words import Part, entries, read_sections, templates
from linnet_bench.accuracy.metrics import find_entities
from tests.support.kept_files import ROOT

PARTS = tuple(Part)


@pytest.fixture(scope="module", params=PARTS, ids=lambda part: part.value)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    return list(generate(600, 3, request.param))


def test_names_stand_where_their_labels_say(documents: list[Document]) -> None:
    for document in documents:
        at = 0
        for span in document.spans:
            name = document.text[span.start : span.end]
            assert at <= span.start < span.end <= len(document.text), document
            assert name == name.strip()
            assert "{" not in name
            assert span.label in LABELS
            at = span.end
        assert "{" not in document.text


def test_tags_are_the_spans(documents: list[Document]) -> None:
    """Read back by conlleval's rules, the tags of the words are the spans; joined, the words are the text."""
    for document in documents:
        words, tags = words_and_tags(document)
        assert "".join(words) == re.sub(r"\s", "", document.text)
        places = [match.span() for match in re.finditer(r"\w+|[^\w\s]", document.text)]
        found = {(name, places[first][0], places[last][1]) for name, first, last in find_entities(tags)}
        assert found == {(span.label, span.start, span.end) for span in document.spans}


def test_words_and_tags_of_a_document_by_hand() -> None:
    text = "Dear Anna O'Neill,\nsee St. Gallen"
    document = Document(text, (Span(5, 17, "PER"), Span(23, 33, "LOC")), "mail")
    words, tags = words_and_tags(document)
    assert words == ["Dear", "Anna", "O", "'", "Neill", ",", "see", "St", ".", "Gallen"]
    assert tags == ["O", "B-PER", "I-PER", "I-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC"]
    with pytest.raises(ValueError, match="begins or ends within the word at 5"):
        words_and_tags(Document(text, (Span(5, 7, "PER"),), "mail"))


def test_the_same_arguments_give_the_same_documents() -> None:
    assert list(generate(50, 1, Part.TRAIN)) == list(generate(50, 1, Part.TRAIN))
    assert list(generate(50, 1, Part.TRAIN)) != list(generate(50, 2, Part.TRAIN))


def test_no_name_is_in_two_parts() -> None:
    for file in ("given.txt", "family.txt", "places.txt", "organizations.txt"):
        lists = [{word.casefold() for word in entries(file, (), part)} for part in PARTS]
        assert all(lists)
        assert not lists[0] & lists[1] | lists[0] & lists[2] | lists[1] & lists[2]


def test_no_held_out_name_is_ever_trained_on() -> None:
    """Single names, listed or invented, of persons and towns: those of the held-out documents are not in training."""
    trained, held_out = (set(_single_names(part)) for part in (Part.TRAIN, Part.HELD_OUT))
    assert len(trained) > 500
    assert len(held_out) > 200
    assert not trained & held_out


def _single_names(part: Part) -> Iterator[str]:
    for document in generate(1500, 5, part):
        for span in document.spans:
            name = document.text[span.start : span.end]
            if span.label == "PER" and name.isalpha():
                yield name.casefold()


def test_no_held_out_sentence_is_trained_on() -> None:
    trained = {line for lines in templates(Part.TRAIN).values() for line in lines}
    assert not trained & {line for lines in templates(Part.HELD_OUT).values() for line in lines}
    assert templates(Part.VALIDATION) == templates(Part.TRAIN)


def test_every_slot_of_a_template_is_known() -> None:
    known = set("person given family inverse city country region place street town org address date time number id "
                "money email phone handle colon dash".split()) | set(read_sections("fillers.txt"))  # fmt: skip
    used = {slot for part in PARTS for lines in templates(part).values() for line in lines
            for slot in re.findall(r"\{([\w ]+)\}", line)}  # fmt: skip
    assert used <= known


def test_rows_of_real_texts(tmp_path: Path) -> None:
    wnut = tmp_path / "wnut.conll"
    wnut.write_text("Bo\tB-person\nof\tO\nACME\tB-corporation\n\t\nHalo\tB-product\n3\tI-product\n", encoding="utf-8")
    assert list(wnut_rows(wnut)) == [
        {"tokens": ["Bo", "of", "ACME"], "tags": ["B-PER", "O", "B-ORG"]},
        {"tokens": ["Halo", "3"], "tags": ["O", "O"]},
    ]
    pieces = [{"text": "weather in "}, {"text": "St. Ives", "entity": "city"}, {"text": " now"}]
    unlabelled = [{"text": "play "}, {"text": "Cher", "entity": "artist"}]
    snips = {"GetWeather": [{"data": pieces}, {"data": unlabelled}]}
    (tmp_path / "train_GetWeather.json").write_text(json.dumps(snips), encoding="utf-8")
    assert list(snips_rows(tmp_path)) == [
        {"tokens": ["weather", "in", "St", ".", "Ives", "now"], "tags": ["O", "O", "B-LOC", "I-LOC", "I-LOC", "O"]}
    ]
    (tmp_path / "domains.json").write_text(json.dumps({"travel": ["book_flight"]}), encoding="utf-8")
    data = {"val": [["fly me home", "book_flight"], ["pay anna", "pay_bill"], ["pay my bill", "pay_bill"]]}
    (tmp_path / "data.json").write_text(json.dumps(data), encoding="utf-8")
    assert [row["tokens"] for row in clinc_rows(tmp_path / "data.json", "val")] == [["pay", "my", "bill"]]


def test_the_command_writes_rows_that_training_reads(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.pii_tagger", "-o", str(tmp_path), "--documents", "20"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, timeout=60)
    rows = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 20
    assert all(len(row["tokens"]) == len(row["tags"]) for row in rows)
