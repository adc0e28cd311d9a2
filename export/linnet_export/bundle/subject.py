"""The file that is bundled: manifest, identifier and sample texts."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import Manifest
from linnet.loading import load
from linnet_export.bundle.constants import identifier, type_name
from linnet_export.tasks import Task, get_task

__all__ = ["QUESTION", "Subject", "read_subject", "read_subjects"]

QUESTION = "When does it open?"


@dataclasses.dataclass(frozen=True)
class Subject:
    """A linnet file.

    Attributes:
        path: where it is.
        name: its name as an identifier, for example ``intents``.
        manifest: its manifest.
        mask: the mask token, for fill-mask.
    """

    path: Path
    name: str
    manifest: Manifest
    mask: str

    @property
    def type_name(self) -> str:
        """Name of the type that holds its labels: ``Intents``."""
        return type_name(self.name)

    @property
    def asset(self) -> str:
        """Name of the file in the project."""
        return f"{self.name}.pte"

    @property
    def task(self) -> Task:
        """The task of the model, which has the sample code."""
        return get_task(self.manifest.task)

    @property
    def embedding_size(self) -> int:
        """Numbers in the embedding of a text; 0 where the program gives none."""
        return self.manifest.embedding_size if "embedding" in self.manifest.outputs else 0

    @property
    def text(self) -> str:
        """A text that suits the task, for samples."""
        return self.task.sample_text(self.mask)


def read_subjects(paths: Sequence[Path]) -> tuple[Subject, ...]:
    """Open files that go into one bundle.

    Raises:
        InvalidArgumentError: two of them give one name in code.
        FileError: one is missing, damaged or no linnet file.
        BuildError: this build cannot open one.
    """
    subjects = tuple(read_subject(path) for path in paths)
    # a_b and ab give files that some file systems cannot keep apart, and Swift's module of ab is named as ab_model
    names = [subject.type_name.lower() for subject in subjects]
    counts = collections.Counter([*names, *(f"{name}model" for name in names)])
    twice = [subject for subject, name in zip(subjects, names, strict=True) if counts[name] > 1]
    if twice:
        raise InvalidArgumentError(
            f"expected files whose names differ in code, got {', '.join(str(subject.path) for subject in subjects)}; "
            f"rename {twice[0].path}"
        )
    return subjects


def read_subject(path: Path) -> Subject:
    """Open a file, which checks its hashes and its manifest.

    Raises:
        FileError: it is missing, damaged or no linnet file.
        BuildError: this build cannot open it.
    """
    with load(path, self_test=False) as model:
        mask = ""
        if get_task(model.manifest.task).fills_masks:
            mask = model.tokenizer.vocabulary.token(model.manifest.mask_id)
        return Subject(path, identifier(path.stem), model.manifest, mask)
