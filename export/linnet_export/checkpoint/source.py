"""Source of a checkpoint: a local directory, or a hub repository at one commit."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from linnet.suggestions import MODEL_SUFFIXES, did_you_mean
from linnet_export.checkpoint.limits import path_inside
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import read_json, safetensors_header

__all__ = [
    "Source",
    "find_local",
    "has_weights",
    "licence_of",
    "resolve_source",
    "weight_files",
    "weights_sha256",
]

_PATH_STARTS = ("/", "./", "../", "~", "\\")
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
# a `*` of the hub's patterns matches folders too; modules and tokenizers of sentence-transformers are in folders
_HUB_FILES = ["*.json", "*.safetensors", "*vocab.txt", "*merges.txt", "*.model", "README.md"]
_HUB_FOLDERS_LEFT_OUT = [
    "onnx/*",
    "openvino/*",
    "coreml/*",
    "tf_model/*",
    "flax_model/*",
    "original/*",
    "checkpoint-*/*",
]
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack")


@dataclasses.dataclass(frozen=True)
class Source:
    """A checkpoint's directory on disk.

    Attributes:
        directory: where the files are.
        name: hub id, or the local directory's own name.
        commit: commit of the hub repository; empty for a local directory.
    """

    directory: Path
    name: str
    commit: str = ""


def resolve_source(model: str, revision: str | None) -> Source:
    """Return the directory of ``model``; a hub id is downloaded (or found in the cache) first.

    Raises:
        CheckpointError: there is no such directory and it is no hub id, or the hub has no such
            repository, revision or network.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        if revision is not None:
            raise CheckpointError(f"revision {revision!r} was given, but {model} is a local directory")
        return Source(path, path.resolve().name)
    if path.exists():
        raise CheckpointError(f"expected the checkpoint's directory or a hub id, got the file {model}")
    if model.startswith(_PATH_STARTS) or model.count("/") > 1 or model.endswith(("/", *MODEL_SUFFIXES)):
        raise CheckpointError(f"{model}: no such file or folder{_similar_folder(path)}")
    if not _HUB_ID.fullmatch(model):
        raise CheckpointError(
            f"{model}: no such directory{_similar_folder(path)}, and not of the form of a hub id (owner/name)"
        )
    return _from_hub(model, revision)


def _similar_folder(path: Path) -> str:
    """Return "; did you mean" for the folders beside a missing one."""
    try:
        folders = {entry.name: str(entry) for entry in path.parent.iterdir() if entry.is_dir()}
    except OSError:
        return "" if path.parent == path else f"; {path.parent} is no folder either"
    return did_you_mean(path.name, folders)


def _from_hub(model: str, revision: str | None) -> Source:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted: dict[str, Any] = {"allow_patterns": _HUB_FILES, "ignore_patterns": _HUB_FOLDERS_LEFT_OUT}
    try:
        directory = Path(snapshot_download(model, revision=revision, **wanted))
    except LocalEntryNotFoundError as error:
        if getattr(error, "snapshot_path", None):  # another library fetched only what it needs itself
            raise CheckpointError(f"{model}: {_first_line(error)}") from error
        raise CheckpointError(
            f"{model}: no such directory{_similar_folder(Path(model))}, and the hub cannot be reached while revision "
            f"{revision or 'main'} is not in the local cache; check the name, the network and HF_HUB_OFFLINE"
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise CheckpointError(
            f"{model}: no such directory{_similar_folder(Path(model))}, and the hub says: {_first_line(error)}"
        ) from error
    return Source(directory, model, _commit_of(directory))


def find_local(model: str, beside: Path, revision: str = "main") -> Path | None:
    """Return the directory of a checkpoint that is on this machine; None if it is not. Nothing is downloaded.

    Args:
        model: directory, as it is or seen from the folder ``beside``, or a hub id.
        beside: a folder.
        revision: branch, tag or commit of the hub id.
    """
    if not model:
        return None
    for path in (Path(model).expanduser(), beside / model):
        if path.is_dir():
            return path
    if not _HUB_ID.fullmatch(model):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    found: str | None
    try:
        found = snapshot_download(model, revision=revision, local_files_only=True)
    except (OSError, HFValidationError) as error:
        found = getattr(error, "snapshot_path", None)  # of a cache that lacks other files
    return Path(found) if found and has_weights(Path(found)) else None


def has_weights(directory: Path) -> bool:
    """True if there are safetensors weights of a whole model in the directory."""
    return any((directory / name).is_file() for name in ("model.safetensors", "model.safetensors.index.json"))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _commit_of(directory: Path) -> str:
    # the hub's cache names a snapshot's directory after its commit
    return directory.name if re.fullmatch(r"[0-9a-f]{40}", directory.name) else ""


def weight_files(directory: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint, in order, every byte of which is there.

    Raises:
        CheckpointError: there are none, or one is damaged; the message names pickled weights if those are what is
            there.
    """
    files = _weight_files(directory)
    for file in files:
        safetensors_header(file)
    return files


def _weight_files(directory: Path) -> list[Path]:
    index = directory / "model.safetensors.index.json"
    if index.exists():
        named = read_json(index).get("weight_map", {})
        if not isinstance(named, dict):
            raise CheckpointError(f"{index}: expected weight_map to be an object, got {type(named).__name__}")
        files = sorted({path_inside(directory, name, index) for name in named.values()})
        missing = [file.name for file in files if not file.is_file()]
        if missing or not files:
            raise CheckpointError(f"{index} names files that are not there: {', '.join(missing) or 'none'}")
        return files
    single = directory / "model.safetensors"
    if single.is_file():
        return [single]
    pickled = [name for name in _PICKLED if (directory / name).exists()]
    instead = f"found {', '.join(pickled)}, which linnet never loads" if pickled else "found no weights"
    raise CheckpointError(
        f"{directory}: expected model.safetensors, {instead}; "
        "write it with model.save_pretrained(directory) of transformers"
    )


def weights_sha256(files: Iterable[Path]) -> str:
    """Return SHA-256 over the files' bytes in their order, hexadecimal."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def licence_of(directory: Path) -> str:
    """Return `license:` of the model card's front matter, or the empty string."""
    card = directory / "README.md"
    if not card.is_file():
        return ""
    parts = card.read_text(encoding="utf-8", errors="replace").split("---", 2)
    if len(parts) < 3 or parts[0].strip():
        return ""
    match = re.search(r"^license:\s*([\w.+-]+)\s*$", parts[1], re.MULTILINE)
    return match.group(1) if match else ""
