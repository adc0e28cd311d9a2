"""Generated reference pages, the chart of README, and links between Markdown files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tools import check_markdown_links, plot_latency, site_hooks
from tools.reference.__main__ import outdated, pages
from tools.reference.header import read_declarations

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "runtime_bindings" / "include" / "linnet.h").read_text(encoding="utf-8")


def test_the_generated_pages_are_up_to_date() -> None:
    assert outdated(pages()) == []


def test_the_reference_is_made_without_torch() -> None:
    program = "import sys; from tools.reference.__main__ import pages; pages(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_every_function_of_the_header_is_on_the_page() -> None:
    names = {declaration.name for declaration in read_declarations(HEADER.partition("*/")[2])}
    functions = set(check_functions())
    assert len(functions) > 50
    assert functions <= names


def check_functions() -> list[str]:
    """Return the functions of the header as the C preprocessor's users see them: what LINNET_API exports."""
    words = HEADER.replace("(", " ( ").split()
    starts = [index for index, word in enumerate(words) if word == "LINNET_API" and words[index - 1] != "#define"]
    return [words[words.index("(", start) - 1].lstrip("*") for start in starts]


def test_the_chart_shows_the_figures_of_the_table() -> None:
    assert plot_latency.main(["--check"]) == 0
    table = plot_latency.read_table(
        "| milliseconds, 1 thread | 8 |\n|---|---:|\n| A, linnet | 0.2 |\n| B / linnet | 2× |"
    )
    assert table == {"tokens": ["8"], "A linnet": ["0.2"], "A B": ["2×"]}


def test_links_between_markdown_files_hold() -> None:
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    assert check_markdown_links.main([]) == 0


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](gone.md) [d](https://example.org)\n```sh\n[e](gone.md)\n```\n")
    assert [line.split(": ")[1] for line in check_markdown_links.broken_links(page)] == ["#two", "gone.md"]


def test_roles_of_docstrings_are_removed() -> None:
    assert site_hooks.on_page_content("see :func:<code>load</code>", None, None, None) == "see <code>load</code>"
