"""Checks of what the targets outside of Python support, and the sources for apps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.errors import BuildError, InvalidArgumentError
from linnet_export.bundle.notices import RUNTIME
from linnet_export.bundle.subject import Subject

if TYPE_CHECKING:
    from linnet_export.checkpoint.loading import Checkpoint

__all__ = ["app_notes", "app_sources", "require_core"]


def app_sources(target: str, folder: Path = RUNTIME / "sources") -> Path:
    """Return the folder of the sources that go into apps.

    Raises:
        BuildError: this build has none.
    """
    if not folder.is_dir():
        raise BuildError(
            f"target {target} needs the sources for apps, which this build of linnet was made without, as wheels for "
            "64-bit ARM Linux are; write the bundle on the machine that you develop on"
        )
    return folder


def app_notes(checkpoint: Checkpoint, outputs: Sequence[str]) -> Iterator[str]:
    """Return what keeps a program out of apps, or makes it awkward there, for the report of its export.

    Args:
        checkpoint: what is exported; its tokenizer has notes of its own.
        outputs: names of the program's outputs.
    """
    if checkpoint.task.embeds and "embedding" not in outputs:
        yield (
            f"the program gives {', '.join(outputs)}, and linnet bundle makes only programs with one embedding a text "
            "parts of Android, iOS and C projects: export it with --pooling mean, or another, for those"
        )
    placeholders = [label for label in checkpoint.labels if re.fullmatch(r"LABEL_\d+", label)]
    if placeholders:
        yield (
            f"the labels {placeholders[0]} ... {placeholders[-1]} are transformers' placeholders, which answers and "
            "the code of linnet bundle show: name the classes with --labels, or as id2label in config.json"
        )


def require_core(subject: Subject, target: str) -> None:
    """Refuse a file that linnet's core alone cannot answer with.

    Raises:
        InvalidArgumentError: it has another kind of tokenizer, or gives one vector a token.
    """
    manifest = subject.manifest
    if not manifest.has_core_tokenizer:
        raise InvalidArgumentError(
            f"the tokenizer of {subject.path} has kind {manifest.tokenizer_kind}, target {target} "
            "reads wordpiece and tables; use --target python, or export a model with a tokenizer that the core has"
        )
    if subject.task.embeds and not subject.embedding_size:
        raise InvalidArgumentError(
            f"{subject.path} gives {', '.join(manifest.outputs)}, target {target} needs one embedding a text; "
            "export it again with --pooling mean or another"
        )
