"""What the repository may not contain."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "sdk" / "linnet" / "assets" / "intents.pte"
"""The model that comes with linnet, of at most 3 MB."""

OLD_FILES = ROOT / "tests" / "linnet" / "format" / "old_files"
OLD_NAMES = "answering-8da4w classification-int8 embedding-fp32-signed masks-unproven tagging-mixed-precision"
OLD = tuple(OLD_FILES / f"{name}.pte" for name in OLD_NAMES.split())
"""Files of earlier versions that must still be read, of at most 150 KB each."""


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    result = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in result.stdout.split("\0") if name]


def test_no_weights_and_no_build_products(tracked: list[Path]) -> None:
    suffixes = {".pte", ".safetensors", ".bin", ".onnx", ".so", ".whl", ".o", ".pyc"}
    assert [str(path) for path in tracked if path.suffix in suffixes and path not in (SHIPPED, *OLD)] == []


def test_no_large_files(tracked: list[Path]) -> None:
    # the conformance cases are generated text: every reader against every bound of the manifest
    cases = ROOT / "tests" / "conformance" / "cases.tsv"
    limits = {SHIPPED: 3_000_000, cases: 950_000, **dict.fromkeys(OLD, 150_000)}
    sizes = {path: path.stat().st_size for path in tracked if path.exists()}
    large = [f"{path.name}: {size}" for path, size in sizes.items() if size > limits.get(path, 400_000)]
    assert large == []


def test_every_folder_at_the_top_is_in_the_annotated_tree(tracked: list[Path]) -> None:
    tree = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[0] for path in tracked if len(path.relative_to(ROOT).parts) > 1}
    assert [folder for folder in sorted(folders) if f"{folder}/" not in tree] == []


def test_no_test_imports_a_test_or_a_conftest() -> None:
    """What several tests use is in tests/support, or beside them in a module of its own."""
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and re.search(r"\.(test_\w+|conftest)$", node.module or ""):
                found.append(f"{path.relative_to(ROOT)} imports {node.module}")
    assert found == []


def test_no_noun_is_left_between_singular_and_plural(tracked: list[Path]) -> None:
    """`linnet.cli.console.counted` writes "1 thread" and "2 threads"."""
    sources = [path for path in tracked if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]
    undecided = re.compile(r"\b(?:thread|layer|record|repeat|file|text|row|session|partition|setting|epoch)\(s\)")
    assert [str(path) for path in sources if undecided.search(path.read_text(encoding="utf-8"))] == []
