"""Where a checkpoint comes from: directories, hub snapshots in the cache, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from linnet_export.checkpoint.source import licence_of, resolve_source, weight_files, weights_sha256
from linnet_export.errors import CheckpointError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache laid out as huggingface_hub does, with one repository, and no network."""
    repository = tmp_path / "hub" / "models--acme--intents"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return snapshot


def test_a_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    source = resolve_source(str(tmp_path), None)
    assert (source.directory, source.name, source.commit) == (tmp_path, tmp_path.name, "")


def test_a_hub_id_is_resolved_to_its_commit_offline(hub_cache: Path) -> None:
    source = resolve_source("acme/intents", None)
    assert source.commit == COMMIT
    assert source.name == "acme/intents"
    assert source.directory.resolve() == hub_cache.resolve()


def test_a_revision_that_is_not_cached_is_refused_offline(hub_cache: Path) -> None:
    with pytest.raises(CheckpointError, match="v2.*HF_HUB_OFFLINE"):
        resolve_source("acme/intents", "v2")


def test_a_revision_of_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="local directory"):
        resolve_source(str(tmp_path), "main")


@pytest.mark.parametrize("model", ["./nowhere/at/all", "two words", "a/b/c"])
def test_neither_directory_nor_hub_id(model: str) -> None:
    with pytest.raises(CheckpointError, match="no such directory"):
        resolve_source(model, None)


def test_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.touch()
    with pytest.raises(CheckpointError, match="got the file"):
        resolve_source(str(file), None)


def test_pickled_weights_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin, which linnet never loads.*save_pretrained"):
        weight_files(tmp_path)


def test_shards_are_found_and_missing_ones_named(tmp_path: Path) -> None:
    index = '{"weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(index)
    (tmp_path / "model-1.safetensors").touch()
    with pytest.raises(CheckpointError, match=r"model-2\.safetensors"):
        weight_files(tmp_path)
    (tmp_path / "model-2.safetensors").touch()
    assert [path.name for path in weight_files(tmp_path)] == ["model-1.safetensors", "model-2.safetensors"]


def test_hash_is_that_of_the_bytes_in_order(tmp_path: Path) -> None:
    parts = [tmp_path / "a", tmp_path / "b"]
    parts[0].write_bytes(b"one")
    parts[1].write_bytes(b"two")
    assert weights_sha256(parts) == hashlib.sha256(b"onetwo").hexdigest()


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n", "apache-2.0"),
        ("# Model\nlicense: mit\n", ""),
        ("---\ntags: [a]\n---\nlicense: mit\n", ""),
    ],
)
def test_licence_comes_from_the_front_matter_only(tmp_path: Path, card: str, expected: str) -> None:
    (tmp_path / "README.md").write_text(card)
    assert licence_of(tmp_path) == expected
