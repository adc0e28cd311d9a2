"""The committed Unicode tables are those that `tokenizers` gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tokenizers

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools" / "generate_unicode_tables.py"
TABLES = ROOT / "runtime_bindings" / "runtime" / "text" / "tokenizer" / "unicode_tables.inc"


def test_tables_are_of_this_version() -> None:
    assert f"tokenizers {tokenizers.__version__}." in TABLES.read_text(encoding="utf-8")[:300]


@pytest.mark.slow
def test_tables_are_as_generated() -> None:
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_classes_of_grapheme_clusters_are_as_generated() -> None:
    """A newer version of the package `regex` may know more characters than the table: make it again then."""
    tool = TOOL.with_name("generate_grapheme_tables.py")
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
