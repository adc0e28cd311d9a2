"""Online distillation from a teacher that runs beside the student: outputs, feature maps and attention.

Sun et al., "MobileBERT", <https://arxiv.org/abs/2004.02984>, section 3.4, equations 1 and 2, all layers at the same
time (the paper's auxiliary knowledge transfer). A student of another width learns a projection to the teacher's, as in
TinyBERT (<https://arxiv.org/abs/1909.10351>, equation 8).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linnet_export.errors import CheckpointError
from linnet_train.config import DistillationConfig, TrainConfig
from linnet_train.data.rows import Examples
from linnet_train.tasks.base import Answers, Step, TrainingTask

__all__ = ["Teacher", "attention_distance", "feature_map_distance", "load_teacher", "remove_projection", "with_teacher"]

_PROJECTION = "feature_map_projection"
_COMPARED_TEXTS = 1000
_LEAST = 1e-9  # of a probability, in its logarithm


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A trained model that runs on every batch.

    Attributes:
        model: in eval mode.
        layers: (layer of the student, layer of the teacher) that are compared, counted from 0;
            none where only answers are learned.
        ids: int64 [student's tokens]: the teacher's number of each; None where they are the same.
        task: that both have.
        config: what is learned.
    """

    model: Any
    layers: tuple[tuple[int, int], ...]
    ids: Tensor | None
    task: TrainingTask
    config: DistillationConfig


def load_teacher(config: TrainConfig, task: TrainingTask, examples: Examples, student: Any, tokenizer: Any) -> Teacher:
    """Load the teacher; add a projection to ``student`` if its hidden size differs.

    Args:
        config: with a distillation.
        task: of both.
        examples: labels, and texts that both tokenizers have to cut alike.
        student: the model that will learn.
        tokenizer: its tokenizer.

    Raises:
        CheckpointError: the teacher was not trained for these labels, has other heads or layers, or tokenizes texts
            differently.
    """
    settings = config.distillation
    assert settings is not None
    loaded = task.load(settings.teacher, examples, config)
    if loaded.new_head:
        raise CheckpointError(f"teacher {settings.teacher} was not trained for {task.name} with these labels")
    ours, theirs = student.config, loaded.model.config
    if settings.attention_weight and ours.num_attention_heads != theirs.num_attention_heads:
        raise CheckpointError(
            f"teacher {settings.teacher} has {theirs.num_attention_heads} heads of attention, the student "
            f"{ours.num_attention_heads}; attention_weight requires the same number"
        )
    layers: tuple[tuple[int, int], ...] = ()
    if settings.transfers:
        kept = settings.teacher_layers or config.shrink.layers
        layers = _layer_pairs(int(ours.num_hidden_layers), int(theirs.num_hidden_layers), kept, settings.teacher)
    if settings.feature_map_weight and ours.hidden_size != theirs.hidden_size:
        student.add_module(_PROJECTION, nn.Linear(ours.hidden_size, theirs.hidden_size, bias=False))
    texts = [example.text for example in examples.train[:_COMPARED_TEXTS]]
    ids = _same_tokens(tokenizer, loaded.tokenizer, texts, settings.teacher)
    return Teacher(loaded.model.requires_grad_(False), layers, ids, task, settings)


def remove_projection(student: Any) -> None:
    """Remove the projection that only training needs, in place."""
    if hasattr(student, _PROJECTION):
        delattr(student, _PROJECTION)


def with_teacher(step: Step, teacher: Teacher) -> Step:
    """Add the distance to the teacher's outputs on the same batch to the loss of ``step``."""
    settings = teacher.config

    def run(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        if not model.training:
            return step(model, inputs)
        student = getattr(model, "module", model)
        shown = _as_teacher_reads(inputs, teacher)
        with _recorded(student, layers=settings.transfers) as ours:
            loss, measured = step(model, inputs)
        if teacher.model.device != loss.device:
            teacher.model.to(loss.device)
        with torch.no_grad(), _recorded(teacher.model, layers=settings.transfers) as theirs:
            _, expected = step(teacher.model, shown)
        distance = teacher.task.teacher_distance(
            Answers(ours, measured), Answers(theirs, expected), settings.temperature
        )
        if distance is not None:
            loss = (1 - settings.weight) * loss + settings.weight * distance
        for mine, other in zip(ours, theirs, strict=True) if settings.transfers else ():
            loss = loss + _layer_distances(mine, other, teacher, getattr(student, _PROJECTION, None))
        return loss, measured

    return run


def _layer_distances(student: Any, teacher: Any, whole: Teacher, projection: nn.Module | None) -> Tensor | float:
    settings, mask = whole.config, student.mask
    loss: Tensor | float = 0.0
    for mine, other in whole.layers:
        if settings.feature_map_weight:
            maps = student.outputs.hidden_states[mine + 1]
            maps = maps if projection is None else projection(maps)
            loss = loss + settings.feature_map_weight * feature_map_distance(
                maps, teacher.outputs.hidden_states[other + 1], mask
            )
        if settings.attention_weight:
            loss = loss + settings.attention_weight * attention_distance(
                student.outputs.attentions[mine], teacher.outputs.attentions[other], mask
            )
    return loss / len(whole.layers)


def feature_map_distance(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared difference over tokens and channels (MobileBERT, equation 1).

    Args:
        student: float [rows, tokens, width].
        teacher: likewise.
        mask: int64 [rows, tokens]; 0 where a text has ended.
    """
    return (student.float() - teacher.float()).square().mean(dim=-1)[mask > 0].mean()


def attention_distance(student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
    """Return the mean Kullback-Leibler divergence over tokens and heads (MobileBERT, equation 2).

    Args:
        student: probabilities, float [rows, heads, tokens, tokens].
        teacher: likewise.
        mask: int64 [rows, tokens]; 0 where a text has ended.
    """
    expected = teacher.float()
    logs = expected.clamp(min=_LEAST).log() - student.float().clamp(min=_LEAST).log()
    divergence = (expected * logs).sum(dim=-1)  # [rows, heads, tokens]
    return divergence.transpose(1, 2)[mask > 0].mean()


@dataclasses.dataclass(frozen=True)
class Recorded:
    """Outputs of one forward pass.

    Attributes:
        outputs: what transformers returned.
        mask: int64 [rows, tokens] of the texts.
    """

    outputs: Any
    mask: Tensor


@contextlib.contextmanager
def _recorded(model: Any, *, layers: bool) -> Iterator[list[Recorded]]:
    """Record the outputs of every call of ``model``; with hidden states and attentions if ``layers``."""
    runs: list[Recorded] = []
    names = ("output_hidden_states", "output_attentions")
    before = {name: getattr(model.config, name) for name in names}

    def keep(_module: Any, _args: Any, given: dict[str, Any], outputs: Any) -> None:
        runs.append(Recorded(outputs, given["attention_mask"]))

    handle = model.register_forward_hook(keep, with_kwargs=True)
    try:
        for name in names:
            setattr(model.config, name, layers)
        yield runs
    finally:
        handle.remove()
        for name, value in before.items():
            setattr(model.config, name, value)


def _as_teacher_reads(inputs: dict[str, Tensor], teacher: Teacher) -> dict[str, Tensor]:
    shown = dict(inputs)
    if teacher.ids is not None:
        shown["input_ids"] = teacher.ids.to(shown["input_ids"].device)[shown["input_ids"]]
    return shown


def _layer_pairs(student: int, teacher: int, kept: Sequence[int] | None, name: str) -> tuple[tuple[int, int], ...]:
    if kept is not None and len(kept) == student and max(kept) < teacher:
        return tuple(enumerate(kept))
    if kept is not None:
        raise CheckpointError(
            f"teacher {name} has {teacher} layers and the student {student}; the student cannot learn from the layers "
            f"{', '.join(map(str, kept))}: teacher_layers names one for each of the student's, counted from 0"
        )
    return tuple((place, round((place + 1) * teacher / student) - 1) for place in range(student))


def _same_tokens(student: Any, teacher: Any, texts: Sequence[str], name: str) -> Tensor | None:
    """Map the student's token ids to the teacher's; return None where they are equal."""
    ours, theirs = student.get_vocab(), teacher.get_vocab()
    foreign = sorted(token for token in ours if token not in theirs)
    if foreign:
        raise CheckpointError(
            f"teacher {name} does not know {len(foreign)} of the student's tokens ({', '.join(foreign[:5])}); "
            "a teacher that runs beside its student needs the same vocabulary, or a larger one that it was trimmed from"
        )
    numbers = [0] * (max(ours.values()) + 1)
    for token, place in ours.items():
        numbers[place] = theirs[token]
    mine, other = student(list(texts))["input_ids"], teacher(list(texts))["input_ids"]
    for text, left, right in zip(texts, mine, other, strict=True):
        if [numbers[token] for token in left] != list(right):
            raise CheckpointError(f"teacher {name} tokenizes {text!r:.60} differently from the student")
    return None if numbers == list(range(len(numbers))) else torch.tensor(numbers)
