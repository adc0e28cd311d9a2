"""Rows that cannot be trained on are refused together, by name; the split is by class."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_train.config import DataConfig, TrainConfig
from linnet_train.errors import BadDataError
from linnet_train.tasks import TASKS, read_examples
from tests.support.training import easy_rows, write_rows

LABEL = "expected a label: a text or a whole number"


def problems(config: DataConfig) -> tuple[str, ...]:
    with pytest.raises(BadDataError) as caught:
        read_examples(config, 0)
    return tuple(map(str, caught.value.problems))


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        *easy_rows(8),
        {"text": "  ", "label": "music"},
        {"text": "play", "label": None},
        {"text": 3, "label": "music"},
        {"label": ""},
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    validation = write_rows(tmp_path / "dev.jsonl", [{"text": "go", "label": "fly"}, {"text": "", "label": "bank"}])
    assert problems(DataConfig(train=file, validation=validation)) == (
        f"{file}, line 9: text is empty, expected a text",
        f"{file}, line 10: label is missing, {LABEL}",
        f"{file}, line 11: text is 3, expected a text",
        f"{file}, line 12: text is missing, expected a text, label is empty, {LABEL}",
        f"{validation}, line 2: text is empty, expected a text",
        f"{validation}, line 1: label 'fly' does not occur in the training rows",
    )


def test_broken_lines_are_named_beside_bad_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = write_rows(tmp_path / "good.jsonl", easy_rows(8)).read_text()
    file.write_text('{"text": "", "label": "music"}\n\n{oops\n{"text": "play"}\n[1]\n' + rows)
    assert problems(DataConfig(train=file)) == (
        f"{file}, line 1: text is empty, expected a text",
        f"{file}, line 3: not JSON: Expecting property name enclosed in double quotes at character 2",
        f"{file}, line 4: label is missing, {LABEL}",
        f"{file}, line 5: a list, expected an object",
    )


@pytest.mark.parametrize("task", TASKS)
def test_bad_rows_are_refused_before_torch_is_imported(task: str) -> None:
    program = f"""
import sys
from pathlib import Path
from linnet_train import DataConfig, TrainConfig, train
from linnet_train.errors import BadDataError
try:
    train(TrainConfig(model="m", output="o", task="{task}", data=DataConfig(train=Path("none.csv"))))
except BadDataError as error:
    print(error, {{"torch", "transformers"}} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "none.csv: cannot be read: No such file or directory set()\n"


def test_one_class_is_refused(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [{"text": "play", "label": "music"}] * 3)
    assert problems(DataConfig(train=file)) == (
        f"{file}: every row has the label 'music', expected at least two classes",
    )


def test_wrong_encoding_names_each_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("text,label\nplay,music\nMünchen,travel\n\nGöteborg,travel\n".encode("latin-1"))
    found = problems(DataConfig(train=file))
    assert [problem.split(": ")[0] for problem in found] == [f"{file}, line 3", f"{file}, line 5"]
    assert "byte 0xfc" in found[0]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in problems(DataConfig(train=tmp_path / "none.csv"))[0]


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "rows.jsonl", [{"text": "a", "kind": "b"}])
    assert "no label column among text, kind" in problems(DataConfig(train=file))[0]
    file.write_text('{"text": "a", "kind": "b"}\n{oops\n')
    found = problems(DataConfig(train=file))
    assert "no label column among text, kind" in found[0]
    assert "line 2: not JSON" in found[1]


def test_the_split_takes_the_same_share_of_each_class(rows_file: Path) -> None:
    found = read_examples(DataConfig(train=rows_file, validation_split=0.25), 3)
    assert Counter(example.label for example in found.validation) == {"music": 10, "bank": 10, "travel": 10, "oos": 10}
    assert Counter(example.label for example in found.train) == {"music": 30, "bank": 30, "travel": 30, "oos": 30}
    assert not {example.where for example in found.train} & {example.where for example in found.validation}
    assert found.labels == ("bank", "music", "oos", "travel")
    assert found.out_of_scope == "oos"
    again = read_examples(DataConfig(train=rows_file, validation_split=0.25), 3)
    other = read_examples(DataConfig(train=rows_file, validation_split=0.25), 4)
    assert again == found != other


def test_a_class_of_one_row_is_trained_on(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [*easy_rows(40), {"text": "once", "label": "single"}]
    found = read_examples(DataConfig(train=write_rows(tmp_path / "rows.jsonl", rows)), 0)
    assert "single" in {example.label for example in found.train}
    assert any("fewer than 8 rows of 1 class: single" in note for note in found.notes)


def test_doubtful_rows_are_noted(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        *easy_rows(40),
        {"text": "same", "label": "music"},
        {"text": "same", "label": "bank"},
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    validation = write_rows(tmp_path / "dev.jsonl", [{"text": "same", "label": "bank"}])
    notes = read_examples(DataConfig(train=file, validation=validation), 0).notes
    assert notes[0] == "1 text occurs with more than one label"
    assert notes[1].startswith("1 of 1 held-out texts are training texts too")


def test_whole_numbers_are_labels(tmp_path: Path) -> None:
    """JSON written by pandas has 0.0 and 1.0; csv has texts, which stay names."""
    rows: list[dict[str, object]] = [
        {"text": f"a {place}", "label": label} for place, label in enumerate([0.0, 1.0, 2, "2", True, "3.0"] * 2)
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    assert read_examples(DataConfig(train=file), 0).labels == ("0", "1", "2", "3.0", "True")
    file = write_rows(tmp_path / "rows.jsonl", [{"text": "a", "label": 0.5}, {"text": "b", "label": 1e300}])
    assert problems(DataConfig(train=file)) == (
        f"{file}, line 1: label is 0.5, {LABEL}",
        f"{file}, line 2: label is 1e+300, {LABEL}",
    )


def test_whole_numbers_are_tags(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"tokens": ["a", "b"], "ner_tags": [0, 1.0]},
        {"tokens": ["c", "d"], "ner_tags": ["B", "I"]},
    ]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    found = read_examples(DataConfig(train=file, label_column="ner_tags"), 0, "token-classification")
    assert {tag for row in (*found.train, *found.validation) for tag in row.label} == {"0", "1", "B", "I"}


def test_one_row_a_class_is_refused(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"text": f"text {place}", "label": f"class {place}"} for place in range(50)]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    assert problems(DataConfig(train=file)) == (
        f"{file}: every class has a single row, so none can be held out; add rows, or give --validation",
    )
    validation = write_rows(tmp_path / "dev.jsonl", rows[:2])
    assert len(read_examples(DataConfig(train=file, validation=validation), 0).train) == 50


def test_hostile_rows_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    deep = "[" * 800 + "]" * 800  # Python reads it, and cannot show it
    good = write_rows(tmp_path / "good.jsonl", easy_rows(8)).read_text()
    file.write_text(
        f'{{"text": {deep}, "label": "music"}}\n{{"text": "play", "label": {"9" * 5000}}}\n'
        f'{{"text": "a \\ud800", "label": "music"}}\n{{"text": "b", "label": {"[" * 100_000}\n{good}'
    )
    found = problems(DataConfig(train=file))
    assert found[0].startswith(f"{file}, line 1: text is [[[[")
    assert found[0].endswith("expected a text")
    assert found[1:] == (
        f"{file}, line 2: a number has more than 4300 digits",
        f"{file}, line 3: 'text' has \\ud800 at character 3, which is half of a character; write both halves, or none",
        f"{file}, line 4: its lists and objects are nested too deeply",
    )


def test_csv_of_any_dialect(tmp_path: Path) -> None:
    rows = [(f"Hello, number {place}", "even" if place % 2 == 0 else "odd") for place in range(8)]
    expected = {(text, label) for text, label in rows}

    def read(name: str, content: str, **settings: object) -> set[tuple[str, str]]:
        file = tmp_path / name
        file.write_text(content)
        found = read_examples(DataConfig(train=file, **settings), 0)  # type: ignore[arg-type]
        return {(row.text, row.label) for row in (*found.train, *found.validation)}

    for delimiter in ";\t":
        lines = "".join(f"{text}{delimiter}{label}\n" for text, label in rows)
        assert read("rows.csv", f"review{delimiter}sentiment\n{lines}") == expected
    lines = "".join(f"{text};{label}\n" for text, label in rows)
    assert read("a.csv", "what;mood\n" + lines, text_column="what", label_column="mood") == expected
    assert read("b.csv", "text;label\n" + lines, no_header=True) == {*expected, ("text", "label")}
    assert read("c.txt", lines.replace(";", "%"), delimiter="%") == expected


def test_settings_of_a_csv_are_for_a_csv() -> None:
    with pytest.raises(InvalidArgumentError, match="no_header and delimiter is for .csv and .tsv, and rows.jsonl is"):
        TrainConfig(
            model="m", output=Path("o"), data=DataConfig(train=Path("rows.jsonl"), no_header=True, delimiter=";")
        )
    with pytest.raises(InvalidArgumentError, match="delimiter is '::', expected one character, or tab"):
        TrainConfig(model="m", output=Path("o"), data=DataConfig(train=Path("rows.csv"), delimiter="::"))


def test_rows_without_any_out_of_scope_are_noted(tmp_path: Path) -> None:
    def notes(labels: list[str], **settings: str) -> tuple[str, ...]:
        rows: list[dict[str, object]] = [
            {"text": f"text {place}", "label": label} for place, label in enumerate(labels)
        ]
        return read_examples(DataConfig(train=write_rows(tmp_path / "rows.jsonl", rows), **settings), 0).notes  # type: ignore[arg-type]

    labels = list("abcd") * 8
    assert notes(labels) == (
        "no row has the label oos, so a text about anything else gets one of the 4 classes too: add rows of such texts "
        "with that label (--out-of-scope LABEL names another)",
    )
    assert notes([*labels, *["oos"] * 8]) == notes(labels, out_of_scope="a") == notes(list("abc") * 8) == ()
