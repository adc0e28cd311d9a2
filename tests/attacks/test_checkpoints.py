"""Checkpoints as somebody else may have made them: refused by name, early, within bounded time and memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_export.tokenizer import read_tokenizer
from linnet_export.tokenizer.errors import UnsupportedTokenizerError
from linnet_export.tokenizer.regular_expressions import is_explosive
from tests.support.checkpoints import write_checkpoint, write_sentence_modules

Change = Callable[..., Path]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("classifier"), "bert", "text-classification", num_labels=3)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_checkpoint(tmp_path_factory.mktemp("embedder"), "bert", "feature-extraction")
    write_sentence_modules(folder)
    return folder


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def load(folder: Path) -> None:
    load_checkpoint(ExportConfig(model=str(folder), output=folder / "out.pte"))


def with_config(folder: Path, **changes: Any) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


SIZES = ("hidden_size", "vocab_size", "max_position_embeddings", "intermediate_size", "num_attention_heads",
         "num_hidden_layers", "type_vocab_size")  # fmt: skip


@pytest.mark.parametrize("value", [10**7, 2**31, 2**62, 10**40, -1, 0, "many", 1.5, [3], True, {}])
@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_no_weight_has_are_refused(name: str, value: object, classifier: Path, tmp_path: Path) -> None:
    folder = with_config(copied(classifier, tmp_path), **{name: value})
    # DeBERTa has no token types, so zero is left to transformers
    with pytest.raises(
        CheckpointError, match="transformers" if (name, value) == ("type_vocab_size", 0) else "config.json"
    ):
        load(folder)


def test_all_wrong_sizes_are_named_at_once(classifier: Path, tmp_path: Path) -> None:
    folder = with_config(copied(classifier, tmp_path), hidden_size=-1, num_hidden_layers=10**7)
    with pytest.raises(CheckpointError, match=r"hidden_size is -1, expected 1 to 65536; num_hidden_layers is 10000000"):
        load(folder)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}",
        '{"a": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
        '{"a": ' + "9" * 5000 + "}",
        "[" * 100_000,
        "[]",
        '"text"',
    ],
    ids=["deep lists", "deep objects", "5000 digits", "not closed", "list", "text"],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "modules.json"])
def test_json_that_cannot_be_used_is_refused(name: str, text: str, embedder: Path, tmp_path: Path) -> None:
    folder = copied(embedder, tmp_path)
    (folder / name).write_text(text)
    with pytest.raises(CheckpointError):
        load(folder)


OUTSIDE: tuple[object, ...] = (
    "../secret.safetensors",
    "/etc/passwd",
    "a/../../secret.safetensors",
    "..",
    "a\\..\\b",
    "x\0y",
    3,
    None,
    [],
)


@pytest.mark.parametrize("name", OUTSIDE, ids=repr)
def test_weights_outside_of_the_checkpoint_are_refused(name: object, classifier: Path, tmp_path: Path) -> None:
    folder = copied(classifier, tmp_path / "checkpoint")
    (folder / "model.safetensors").rename(tmp_path / "secret.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(CheckpointError, match="outside of the checkpoint|expected the name of a file"):
        load(folder)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("name", OUTSIDE, ids=repr)
def test_modules_outside_of_the_checkpoint_are_refused(
    name: object, place: int, embedder: Path, tmp_path: Path
) -> None:
    folder = copied(embedder, tmp_path / "checkpoint")
    modules = json.loads((folder / "modules.json").read_text())
    modules[place]["path"] = name
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match="outside of the checkpoint|expected the name of a file"):
        load(folder)


def test_weights_in_folders_and_behind_links_are_read(classifier: Path, tmp_path: Path) -> None:
    """The hub's cache is made of links that lead out of the folder."""
    folder = copied(classifier, tmp_path / "checkpoint")
    (folder / "model.safetensors").rename(tmp_path / "blob")
    (folder / "model.safetensors").symlink_to(tmp_path / "blob")
    load(folder)


def with_pattern(folder: Path, pattern: str) -> Path:
    file = folder / "tokenizer.json"
    state = json.loads(file.read_text())
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    state["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, state["pre_tokenizer"]]}
    file.write_text(json.dumps(state))
    return folder


EXPLOSIVE = (
    "(a+)+$",
    "(a|a)*b",
    "(?:a*)*c",
    "((a+)b?)+",
    "(?:[^x]+|y)*z",
    "(a{2,})+",
    r"(\w+\s?)*$",
    "((a|b)c)*",
    "a" * 3000,
)


@pytest.mark.parametrize("pattern", EXPLOSIVE, ids=lambda pattern: pattern[:12])
def test_patterns_that_explode_are_refused(pattern: str, classifier: Path, tmp_path: Path) -> None:
    folder = with_pattern(copied(classifier, tmp_path), pattern)
    with pytest.raises(UnsupportedTokenizerError, match="exponential time"):
        read_tokenizer(folder)


@pytest.mark.parametrize(
    "pattern",
    [
        " {2,}",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",  # GPT-2
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+",
        r"\(a+\)+",
        "[(a+)]+",
    ],
    ids=["spaces", "gpt2", "llama3", "escaped", "class"],
)
def test_patterns_of_real_tokenizers_are_read(pattern: str) -> None:
    assert not is_explosive(pattern)
