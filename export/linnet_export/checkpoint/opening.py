"""First look at a checkpoint, before anything large is read: where its parts are, and whether linnet can take it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from linnet_export.checkpoint.limits import check_sizes
from linnet_export.checkpoint.sentence_modules import SentenceModules, read_sentence_modules
from linnet_export.checkpoint.settings import check_settings, read_config
from linnet_export.checkpoint.source import Source, resolve_source
from linnet_export.checkpoint.weights import Folders, find_folders
from linnet_export.file_damage import read_json
from linnet_export.graph.architectures import get_architecture
from linnet_export.graph.decoders import get_decoder, supported_decoders
from linnet_export.tokenizer import check_tokenizer_files

__all__ = ["OpenedCheckpoint", "open_checkpoint"]


@dataclasses.dataclass(frozen=True)
class OpenedCheckpoint:
    """A checkpoint whose files are whole and whose configuration linnet supports.

    Attributes:
        source: where it came from.
        folders: where its parts are.
        files: its safetensors files, those of an adapter among them.
        sentence: sentence-transformers modules; None if it has no modules.json.
        settings: what config.json says.
        config: the same as transformers reads it.
    """

    source: Source
    folders: Folders
    files: tuple[Path, ...]
    sentence: SentenceModules | None
    settings: dict[str, Any]
    config: Any


def open_checkpoint(model: str, revision: str | None = None, *, decoders: bool = False) -> OpenedCheckpoint:
    """Find the parts of a checkpoint and check what can be checked without its weights.

    Args:
        model: local directory or hub id.
        revision: branch, tag or commit of a hub id.
        decoders: architectures of decoders are taken too.

    Raises:
        CheckpointError: there is none, its files are damaged or incomplete, or no program can be made of its
            architecture with these settings.
    """
    source = resolve_source(model, revision)
    sentence = read_sentence_modules(source.directory)
    folders = find_folders(source.directory / sentence.transformer if sentence else source.directory)
    path = folders.config / "config.json"
    settings = read_json(path)
    check_settings(folders.config, settings)
    model_type = str(settings.get("model_type"))
    generates = decoders and model_type in supported_decoders()
    architecture = get_decoder(model_type) if generates else get_architecture(model_type)
    config = read_config(folders.config)
    architecture.check(config)
    files = tuple(folders.files)
    check_sizes(path, settings, files)
    check_tokenizer_files(folders.tokenizer)
    return OpenedCheckpoint(source, folders, files, sentence, settings, config)
