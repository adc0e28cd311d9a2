"""The texts of a proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnet_export.errors import ProofTextsError
from linnet_export.proof.texts import ProofText, read_texts, select_texts
from linnet_export.tasks import get_task


def test_the_built_in_set_serves_every_task() -> None:
    texts = read_texts(None)
    assert len(select_texts(texts, get_task("feature-extraction"))) >= 50
    assert len(select_texts(texts, get_task("question-answering"))) >= 20
    assert any(not text.text for text in texts)  # the empty text is part of every proof


def test_plain_lines_with_a_tab_for_pairs(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("one\nwhat\tthat\n\n")
    assert read_texts(path) == [ProofText("one"), ProofText("what", "that")]


@pytest.mark.parametrize("line", ["nope", "[]", '{"pair": "x"}', '{"text": 1}', '{"text": "x", "pair": 2}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(ProofTextsError, match="line 2"):
        read_texts(path)


def test_every_bad_line_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a\u2028b"}\n\nnope\n[]\n', encoding="utf-8")
    with pytest.raises(ProofTextsError) as caught:
        read_texts(path)
    assert str(caught.value) == (
        f"{path}: 2 problems\n"
        "  line 3: not JSON: Expecting value at character 1\n"
        '  line 4: expected an object with "text" and optionally "pair", both strings'
    )


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProofTextsError, match="cannot be read"):
        read_texts(tmp_path / "none.txt")


def test_one_word_is_masked() -> None:
    chosen = select_texts([ProofText("turn the volume down")] * 4, get_task("fill-mask"), "[MASK]")
    assert chosen[0].text == "turn the [MASK] down"
    given = select_texts([ProofText("a [MASK] b c d")] * 4, get_task("fill-mask"), "[MASK]")
    assert given[0].text == "a [MASK] b c d"


def test_too_few_texts() -> None:
    with pytest.raises(ProofTextsError, match="expected at least 4 pairs that fit text-ranking, got 1"):
        select_texts([ProofText("a"), ProofText("b", "c")], get_task("text-ranking"))
