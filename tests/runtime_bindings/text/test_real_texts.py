"""Every text of the shared data: the same tokens and offsets as `tokenizers`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtime_bindings.text.oracle import CASED, UNCASED, Normalization, real_twins, shared_texts

both = pytest.mark.parametrize("normalization", [UNCASED, CASED], ids=["uncased", "cased"])


def _files() -> Iterator[str]:
    files = sorted(path for path in shared_texts().rglob("*") if path.is_file())
    assert files
    for path in files:
        yield path.read_text(encoding="utf-8")


@pytest.mark.slow
@both
def test_whole_files(normalization: Normalization) -> None:
    twins = real_twins(normalization)
    assert [text[:60] for text in _files() if not twins.agree(text)] == []


@both
def test_some_lines(normalization: Normalization) -> None:
    lines = [line for text in _files() for line in text.splitlines()]
    assert real_twins(normalization).disagreements(lines[::15]) == []


@pytest.mark.slow
@both
def test_every_line(normalization: Normalization) -> None:
    lines = (line for text in _files() for line in text.splitlines())
    assert real_twins(normalization).disagreements(lines) == []
