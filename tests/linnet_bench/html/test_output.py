"""A page replaces one of its own kind, and no other file."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.html.document import Page
from linnet_bench.html.output import check_page_path, write_page


def page(maker: str, text: str = "t") -> str:
    return Page(text, maker=maker).render()


def test_a_page_replaces_its_own_kind(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for text in ("first", "second"):
        check_page_path(path, "linnet explain", force=False)
        write_page(page("linnet explain", text), path, "linnet explain", force=False)
    assert "second" in path.read_text()


@pytest.mark.parametrize(
    "content",
    [
        page("linnet report"),
        "my notes",
        "",
        page("linnet report", '<meta name="generator" content="linnet explain">'),
        "x" * 4096 + page("linnet explain"),
    ],
)
def test_every_other_file_stays_without_force(tmp_path: Path, content: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(content)
    with pytest.raises(InvalidArgumentError, match="--force"):
        check_page_path(path, "linnet explain", force=False)
    with pytest.raises(InvalidArgumentError, match="--force"):
        write_page(page("linnet explain"), path, "linnet explain", force=False)
    assert path.read_text() == content
    write_page(page("linnet explain"), path, "linnet explain", force=True)
    assert path.read_text() == page("linnet explain")
