"""Files to compare with each other, and the check that they are comparable."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence
from linnet.format.manifest import Manifest
from linnet.loading import load

__all__ = ["OpenedFile", "check_comparable", "labels_for", "open_all"]


@dataclasses.dataclass(frozen=True)
class OpenedFile:
    """A file to compare, with its manifest and evidence.

    Attributes:
        path: path of the file.
        manifest: its manifest.
        evidence: the evidence in its trailer.
    """

    path: Path
    manifest: Manifest
    evidence: Evidence


_SAME: Mapping[str, Callable[[Manifest], object]] = {
    "task": lambda manifest: manifest.task,
    "tokenizer": lambda manifest: (manifest.tokenizer_kind, manifest.tokenizer),
    "labels": lambda manifest: manifest.labels,
    "outputs": lambda manifest: manifest.outputs,
}
"""Properties that must be equal, so that the answers to a text can be compared."""


def open_all(paths: Sequence[Path], threads: int) -> list[OpenedFile]:
    """Open each file and check that they can be compared.

    Raises:
        InvalidArgumentError: fewer than two files, a file named twice, or files that are not comparable.
        LinnetError: a file cannot be opened.
    """
    if len(paths) < 2:
        raise InvalidArgumentError(f"found {len(paths)} file, expected at least two to compare")
    twice = [str(path) for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise InvalidArgumentError(f"{', '.join(twice)} is named more than once; name each file once")
    opened = []
    for path in paths:
        with load(path, threads=threads, self_test=False) as model:
            opened.append(OpenedFile(path, model.manifest, model.evidence))
    check_comparable(opened)
    return opened


def check_comparable(opened: Sequence[OpenedFile]) -> None:
    """Check that all files have the same task, tokenizer, labels and outputs.

    Raises:
        InvalidArgumentError: lists every difference from the first file.
    """
    first = opened[0]
    problems = []
    for other in opened[1:]:
        names = [name for name, read in _SAME.items() if read(first.manifest) != read(other.manifest)]
        if "task" in names:
            problems.append(f"{other.path} has the task {other.manifest.task}")
        elif names:
            problems.append(f"{other.path} has other {' and '.join(names)}")
    if problems:
        raise InvalidArgumentError(
            f"{'; '.join(problems)}; expected the same as {first.path} ({first.manifest.task}): "
            "compare files of one task, made from checkpoints with one tokenizer"
        )


def labels_for(paths: Sequence[Path]) -> list[str]:
    """Return a short name for each file: its stem, or its path if stems are not enough."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
