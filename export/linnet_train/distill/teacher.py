"""Teacher logits and hidden states, computed once for all rows and cached in a safetensors file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from linnet_export.errors import CheckpointError
from linnet_export.output.deliver import atomic_write
from linnet_train.config import DistillationConfig
from linnet_train.data.batches import Collator, encode
from linnet_train.loading import Loaded, load_classifier

__all__ = ["ask_teacher"]


def ask_teacher(
    config: DistillationConfig,
    labels: Sequence[str],
    texts: Sequence[tuple[str, str | None]],
    max_length: int,
    cache: Path,
    progress: Callable[[str], None] = lambda text: None,
    *,
    bfloat16: bool = False,
) -> dict[str, Tensor]:
    """Compute the teacher's outputs, or read them from the cache.

    Args:
        config: the teacher.
        labels: names of the classes, in the order of the student's logits.
        texts: texts and second texts.
        max_length: bound in tokens.
        cache: safetensors file of the outputs; reused if teacher, settings and texts are the same.
        progress: called with the progress, as text.
        bfloat16: compute matrix products in bfloat16.

    Returns:
        `teacher_logits` float32 [texts, classes]; with a hidden weight also `teacher_hidden` float32
        [texts, width], the first token of the last layer.

    Raises:
        CheckpointError: the teacher was trained for other labels.
    """
    teacher = load_classifier(config.teacher)
    names = teacher.labels
    if sorted(names) != sorted(labels):
        only = sorted(set(labels) ^ set(names))
        raise CheckpointError(
            f"teacher {config.teacher} has other labels than the rows ({', '.join(only[:6])}); train it on them first"
        )
    key = _key(f"{teacher.sha256} {max_length} {bfloat16}", texts)
    outputs = _cached(cache, key)
    if outputs is None:
        with torch.autocast(_device(), torch.bfloat16, enabled=bfloat16):
            outputs = _answers(teacher, texts, max_length, config.batch_size, progress)
        _keep(outputs, cache, key)
    order = torch.tensor([names.index(label) for label in labels])
    answers = {"teacher_logits": outputs["logits"][:, order]}
    return answers | ({"teacher_hidden": outputs["hidden"]} if config.hidden_weight else {})


@torch.inference_mode()
def _answers(
    teacher: Loaded,
    texts: Sequence[tuple[str, str | None]],
    max_length: int,
    batch_size: int,
    progress: Callable[[str], None],
) -> dict[str, Tensor]:
    rows = encode(teacher.tokenizer, texts, max_length)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]["input_ids"]))
    collate = Collator(teacher.tokenizer.pad_token_id)
    model: Any = teacher.model
    model.to(_device())
    width = int(model.config.hidden_size)
    logits, hidden = torch.zeros(len(rows), len(teacher.labels)), torch.zeros(len(rows), width)
    for start in range(0, len(order), batch_size):
        places = order[start : start + batch_size]
        batch = collate([{**rows[place], "labels": 0} for place in places])
        batch.pop("labels")
        output = model(**{name: value.to(_device()) for name, value in batch.items()}, output_hidden_states=True)
        logits[places] = output.logits.float().cpu()
        hidden[places] = output.hidden_states[-1][:, 0].float().cpu()
        progress(f"teacher: {min(start + batch_size, len(order))} of {len(order)} texts")
    return {"logits": logits, "hidden": hidden}


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _key(how: str, texts: Sequence[tuple[str, str | None]]) -> str:
    digest = hashlib.sha256(how.encode())
    for text in texts:
        digest.update(repr(text).encode())
    return digest.hexdigest()


def _cached(cache: Path, key: str) -> dict[str, Tensor] | None:
    name = cache.with_name(f"{cache.stem}-{key[:16]}.safetensors")
    return load_file(str(name)) if name.is_file() else None


def _keep(outputs: dict[str, Tensor], cache: Path, key: str) -> None:
    name = cache.with_name(f"{cache.stem}-{key[:16]}.safetensors")
    with atomic_write(name, sum(tensor.nbytes for tensor in outputs.values())) as aside:
        save_file(outputs, str(aside))
