"""Python, C, the JVM and Swift give the recorded answers, and each of them notices a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.reader import CASES
from tests.conformance.runners import RUNNERS, MissingReader

# Swift's package takes a minute to compile: make test-swift
READERS = [pytest.param(name, marks=[pytest.mark.slow] if name == "swift" else []) for name in RUNNERS]


def counts(name: str, cases: Path) -> dict[str, tuple[int, int]]:
    try:
        return RUNNERS[name](cases)
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")


@pytest.mark.parametrize("name", READERS)
def test_every_case_passes(name: str) -> None:
    found = counts(name, CASES)
    assert {kind: failed for kind, (_, failed) in found.items() if failed} == {}
    kinds = [
        "answer",
        "chat",
        "classify",
        "embed",
        "entities",
        "fill_mask",
        "generate",
        "mask",
        "score",
        "stream",
        "tokenize",
    ]
    assert sorted(found) == [*kinds, "verdict"]
    assert sum(passed for passed, _ in found.values()) > 250


# in the first case of each kind one value is made wrong, or one expected line is left out
WRONG = {
    "verdict": ("verdict\tLINNET_OK", "verdict\tLINNET_MANIFEST_INVALID"),
    "tokenize": ("window\t0\t2 5", "window\t0\t2 6"),
    "classify": ("class\tLABEL_", "class\tLABEL_9"),
    "entities": ("entity\tPER\t0.", "entity\tPER\t1."),
    "fill_mask": ("proposal\t0\t", "proposal\t0\t9"),
    "answer": ("span\t0.", "span\t1."),
    "score": ("score\twhere is it\tthe cat sat\t0.", "score\twhere is it\tthe cat sat\t2."),
    "embed": ("embed\tcat\t0\t", "embed\tcat\t0\t7"),
    "stream": ("stream\t0\t", "stream\t1\t"),
    "chat": ("chat\t0\t<|im_start|>system", "chat\t0\t<|im_start|>user"),
    "mask": ("finding\tEMAIL", "finding\tPHONE"),
    "generate": ("completion\tstop\t", "completion\tlength\t"),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_notices_a_wrong_answer(name: str, tmp_path: Path) -> None:
    text = CASES.read_text(encoding="utf-8")
    for right, wrong in WRONG.values():
        assert right in text
        text = text.replace(right, wrong, 1)
    changed = tmp_path / "cases.tsv"
    changed.write_text(text, encoding="utf-8")
    assert {kind for kind, (_, failed) in counts(name, changed).items() if failed} == set(WRONG)


@pytest.mark.parametrize("name", READERS)
def test_every_reader_notices_a_wrong_input(name: str, tmp_path: Path) -> None:
    text = CASES.read_text(encoding="utf-8")
    assert "input\t0 0 1" in text
    changed = tmp_path / "cases.tsv"
    changed.write_text(text.replace("input\t0 0 1", "input\t0 1 1", 1), encoding="utf-8")
    assert {kind: failed for kind, (_, failed) in counts(name, changed).items() if failed} == {"embed": 1}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_counts_the_answers(name: str, tmp_path: Path) -> None:
    lines = CASES.read_text(encoding="utf-8").split("\n")
    lines.pop(next(at for at, line in enumerate(lines) if line.startswith("class\t")))
    changed = tmp_path / "cases.tsv"
    changed.write_text("\n".join(lines), encoding="utf-8")
    assert counts(name, changed)["classify"][1] == 1
