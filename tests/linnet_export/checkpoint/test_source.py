"""Where a checkpoint comes from: directories, hub snapshots in the cache, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import transformers
from huggingface_hub.utils._paths import filter_repo_objects
from safetensors.numpy import save_file

from linnet_export.checkpoint.source import licence_of, resolve_source, weight_files, weights_sha256
from linnet_export.errors import CheckpointError
from linnet_export.tokenizer import read_tokenizer
from tests.support.tokenizers import roberta_tokenizer

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


def serve(monkeypatch: pytest.MonkeyPatch, repository: Path, to: Path) -> None:
    """Let the hub's client copy from a local folder what its own filter chooses of the files."""

    def download(
        model: str, *, revision: str | None, allow_patterns: Sequence[str], ignore_patterns: Sequence[str]
    ) -> str:
        names = [path.relative_to(repository).as_posix() for path in repository.rglob("*") if path.is_file()]
        for name in filter_repo_objects(
            names, allow_patterns=list(allow_patterns), ignore_patterns=list(ignore_patterns)
        ):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, to / name)
        return str(to)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)


_COMMON = ["README.md", "config.json", "model.safetensors", "tokenizer_config.json"]


@pytest.mark.parametrize(
    ("repository", "needed"),
    [
        ("roberta-base", ["vocab.json", "merges.txt"]),
        ("albert-base-v2", ["spiece.model"]),
        ("deberta-v3-base", ["spm.model"]),
        ("xlm-roberta-base", ["sentencepiece.bpe.model"]),
        ("an adapter", ["adapter_config.json", "adapter_model.safetensors"]),
        (
            "an early sentence-transformers",
            ["modules.json", "0_Transformer/vocab.txt", "0_Transformer/model.safetensors", "1_Pooling/config.json"],
        ),
        ("LaBSE", ["2_Dense/config.json", "2_Dense/model.safetensors", "vocab.txt", "model-00001-of-2.safetensors"]),
        ("SetFit", ["config_setfit.json", "config_sentence_transformers.json", "sentence_bert_config.json"]),
    ],
)
def test_what_a_local_folder_is_read_from_is_fetched(
    repository: str, needed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused = ["pytorch_model.bin", "onnx/config.json", "openvino/openvino_tokenizer.xml", "onnx/model.onnx", "a.py"]
    for name in [*_COMMON, *needed, *unused]:
        (tmp_path / "hub" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hub" / name).touch()
    serve(monkeypatch, tmp_path / "hub", tmp_path / "cache")
    found = resolve_source(f"acme/{repository.replace(' ', '-')}", None).directory
    fetched = sorted(path.relative_to(found).as_posix() for path in found.rglob("*") if path.is_file())
    assert fetched == sorted([*_COMMON, *needed])


def test_a_tokenizer_of_two_files_is_that_of_the_local_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = roberta_tokenizer()
    original.save_pretrained(tmp_path / "hub")
    original.backend_tokenizer.model.save(str(tmp_path / "hub"))  # vocab.json and merges.txt
    (tmp_path / "hub" / "tokenizer.json").unlink()
    serve(monkeypatch, tmp_path / "hub", tmp_path / "cache")
    fetched = read_tokenizer(resolve_source("acme/roberta", None).directory)
    text = "Turn the volume <mask> please"
    assert (
        fetched.backend.encode(text).ids == transformers.AutoTokenizer.from_pretrained(tmp_path / "hub")(text).input_ids
    )


def test_files_that_the_cache_lacks_are_named_offline(hub_cache: Path) -> None:
    trees = hub_cache.parents[1] / "trees"
    trees.mkdir()
    files = {name: {"size": 2, "blob_id": "0" * 40} for name in ("config.json", "modules.json", "pytorch_model.bin")}
    (trees / f"{COMMIT}.json").write_text(json.dumps({"format_version": 1, "files": files}))
    with pytest.raises(CheckpointError, match=r"incomplete: 1 file.*modules\.json"):
        resolve_source("acme/intents", None)


def test_a_revision_that_is_not_cached_is_refused_offline(hub_cache: Path) -> None:
    with pytest.raises(CheckpointError, match="v2.*HF_HUB_OFFLINE"):
        resolve_source("acme/intents", "v2")


def test_a_revision_of_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="local directory"):
        resolve_source(str(tmp_path), "main")


def test_neither_directory_nor_hub_id() -> None:
    with pytest.raises(CheckpointError, match="no such directory, and not of the form of a hub id"):
        resolve_source("two words", None)


@pytest.mark.parametrize(
    "model", ["./nothere", "../nothere", "~/nothere", "/nothere", "a/b/c", "nothere/", "a.safetensors"]
)
def test_a_path_that_is_not_there_is_called_that(model: str) -> None:
    with pytest.raises(CheckpointError, match=f"^{model}: no such file or folder(?!.*hub)"):
        resolve_source(model, None)


def test_a_folder_with_a_similar_name_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intents").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="did you mean 'intents'"):
        resolve_source("./intent", None)
    with pytest.raises(CheckpointError, match="nowhere/at is no folder either"):
        resolve_source("nowhere/at/all", None)


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
    save_file({"a": np.zeros(1)}, tmp_path / "model-1.safetensors")
    with pytest.raises(CheckpointError, match=r"model-2\.safetensors"):
        weight_files(tmp_path)
    save_file({"b": np.zeros(1)}, tmp_path / "model-2.safetensors")
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
