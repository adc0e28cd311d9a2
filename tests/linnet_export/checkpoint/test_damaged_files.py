"""Files of a checkpoint that are Git LFS pointers, empty or cut off: each is named, whatever reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linnet_export.checkpoint import load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import CheckpointError
from linnet_export.tokenizer import read_tokenizer
from linnet_train.loading import load_classifier, load_encoder, load_masked
from tests.support.checkpoints import write_checkpoint
from tests.support.tokenizers import roberta_tokenizer

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 90868376\n"


def load(directory: Path) -> object:
    return load_checkpoint(ExportConfig(model=str(directory)))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path, task="text-classification")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
)
@pytest.mark.parametrize(("content", "message"), [(POINTER, "Git LFS pointer.*git lfs pull"), ("", "is empty")])
def test_pointers_and_empty_files(checkpoint: Path, name: str, content: str, message: str) -> None:
    (checkpoint / name).write_text(content)
    with pytest.raises(CheckpointError, match=f"{name} is .*{message}".replace("is .*is", "is")):
        load(checkpoint)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_files_that_are_cut_off(checkpoint: Path, name: str, share: float) -> None:
    data = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(data[: max(1, int(share * len(data)))])
    with pytest.raises(CheckpointError, match=f"{name} is cut off"):
        load(checkpoint)


def test_a_header_that_is_cut_off(checkpoint: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5])
    with pytest.raises(CheckpointError, match=r"is cut off: 5 of"):
        load(checkpoint)


@pytest.mark.parametrize("content", [b"\x80\x02}q\x00.........", b"\x10" + bytes(7) + b"[1, 2, 3, 4, 5] "])
def test_what_is_no_safetensors_file(checkpoint: Path, content: bytes) -> None:
    (checkpoint / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is no safetensors file"):
        load(checkpoint)


def test_a_vocabulary_that_is_cut_off(checkpoint: Path) -> None:
    (checkpoint / "tokenizer.json").unlink()
    words = (checkpoint / "vocab.txt").read_text().split("\n")
    (checkpoint / "vocab.txt").write_text("\n".join(words[:60]))
    with pytest.raises(CheckpointError, match="60 tokens, the word embedding has 145 rows; the vocabulary file is cut"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("name", "keep", "message"),
    [
        ("merges.txt", 100, "merges.txt makes .* tokens in vocab.json; it is cut off"),
        ("vocab.json", 900, "vocab.json is cut off"),
        ("vocab.json", 0, "vocab.json is empty"),
    ],
)
def test_byte_pair_encoding_of_two_files(tmp_path: Path, name: str, keep: int, message: str) -> None:
    tokenizer = roberta_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    tokenizer.backend_tokenizer.model.save(str(tmp_path))
    (tmp_path / "tokenizer.json").unlink()
    read_tokenizer(tmp_path)
    (tmp_path / name).write_text((tmp_path / name).read_text()[:keep])
    with pytest.raises(CheckpointError, match=message):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("loader", [load_classifier, load_encoder, load_masked])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_training_names_them_too(checkpoint: Path, name: str, loader: Callable[[str], object]) -> None:
    (checkpoint / name).write_text(POINTER)
    with pytest.raises(CheckpointError, match=f"{name} is a Git LFS pointer"):
        loader(str(checkpoint))
