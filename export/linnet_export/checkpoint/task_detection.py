"""Detection of the task of a checkpoint from its configuration."""

from __future__ import annotations

from typing import Any

from linnet.format.manifest import TASKS as NAMES
from linnet.suggestions import did_you_mean
from linnet_export.errors import CheckpointError
from linnet_export.tasks import TASKS, Task, get_task

__all__ = ["detect_task", "known_task"]


def known_task(name: str) -> Task:
    """Return the task of that name or alias.

    Raises:
        CheckpointError: there is no such task; the message lists the known ones.
    """
    for task in TASKS:
        if name == task.name or name in task.aliases:
            return task
    aliases = [alias for task in TASKS for alias in task.aliases]
    hint = did_you_mean(name, [*NAMES, *aliases])
    raise CheckpointError(f"task {name!r} is unknown, known are {', '.join((*NAMES, *aliases))}{hint}")


def detect_task(config: dict[str, Any], is_sentence_transformer: bool) -> Task:
    """Return the task of a checkpoint from the JSON of its config.

    A cross-encoder (saved by sentence-transformers) is told from a plain classifier by the keys that
    sentence-transformers leaves in the config.

    Raises:
        CheckpointError: the architecture names no task.
    """
    if is_sentence_transformer:
        return get_task("feature-extraction")
    names = [str(name) for name in config.get("architectures") or []]
    is_cross_encoder = "sentence_transformers" in config or "sbert_ce_default_activation_function" in config
    for task in TASKS:
        named = any(name.endswith(task.architecture_suffixes) for name in names)
        if named and task.cross_encoder in (None, is_cross_encoder):
            return task
    raise CheckpointError(
        f"the checkpoint's architectures are {names or 'not given'}, which names no task; "
        f"give one with --task: {', '.join(NAMES)}"
    )
