"""Which task a checkpoint is for, read from its configuration."""

from __future__ import annotations

from typing import Any

from linnet.format.manifest import TASKS
from linnet_export.errors import CheckpointError

__all__ = ["detect_task", "known_task"]

_BY_ARCHITECTURE_SUFFIX = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForPreTraining": "fill-mask",
    "Model": "feature-extraction",
}

_ALIASES = {"sentence-similarity": "feature-extraction"}


def known_task(name: str) -> str:
    """Return the task of that name or alias.

    Raises:
        CheckpointError: there is no such task; the message lists the known ones.
    """
    task = _ALIASES.get(name, name)
    if task not in TASKS:
        raise CheckpointError(f"task {name!r} is unknown, known are {', '.join((*TASKS, *_ALIASES))}")
    return task


def detect_task(config: dict[str, Any], is_sentence_transformer: bool) -> str:
    """Return the task of a checkpoint from the JSON of its config.

    A cross-encoder (saved by sentence-transformers) is told from a plain classifier by the keys that
    sentence-transformers leaves in the config.

    Raises:
        CheckpointError: the architecture names no task.
    """
    if is_sentence_transformer:
        return "feature-extraction"
    names = config.get("architectures") or []
    is_cross_encoder = "sentence_transformers" in config or "sbert_ce_default_activation_function" in config
    for suffix, task in _BY_ARCHITECTURE_SUFFIX.items():
        if any(str(name).endswith(suffix) for name in names):
            return "text-ranking" if is_cross_encoder and task == "text-classification" else task
    raise CheckpointError(
        f"the checkpoint's architectures are {names or 'not given'}, which names no task; "
        f"give one with --task: {', '.join(TASKS)}"
    )
