"""Interface of a task: all that the exporter does differently from task to task, with the commonest answer."""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from linnet_bench.measure.sample import SHORT_TEXT
from linnet_export.graph.heads.base import HeadSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["CSample", "Outputs", "SampleValues", "Task"]

Outputs = dict[str, npt.NDArray[np.float32]]
"""Outputs of one text by name, without the batch axis."""


@dataclasses.dataclass(frozen=True)
class SampleValues:
    """Values in the sample code of a bundle, in the notation of its language.

    Attributes:
        text: string literal of a text that suits the task.
        question: string literal of a question.
        labels: name of the type that holds the labels; it exists where the model has labels.
        embedding_size: numbers in an embedding; 0 where the program gives none.
    """

    text: str
    question: str
    labels: str
    embedding_size: int


@dataclasses.dataclass(frozen=True)
class CSample:
    """The call of the C sample.

    Attributes:
        call: expression of type linnet_status; it may use task, engine, text and what is named below.
        numbers: it fills `float numbers[...]` of this size and `size_t count`; 0: it fills `linnet_answers* answers`.
        with_question: it uses `question`.
        setup: statements before it, one a line.
        functions: functions of `model`, `task` and texts that it calls; it prints the answer itself then.
    """

    call: str
    numbers: int = 0
    with_question: bool = False
    setup: tuple[str, ...] = ()
    functions: str = ""


class Task(abc.ABC):
    """One task by its Hugging Face name.

    Attributes:
        name: Hugging Face task name.
        aliases: other names that Hugging Face has for it.
        auto_class: name of the `transformers` auto class that loads a checkpoint for it.
        architecture_suffixes: how the names of its classes end in `architectures` of config.json.
        cross_encoder: of the checkpoints that end so, it takes those that sentence-transformers saved as
            cross-encoders (True), all others (False), or both (None).
        takes_pairs: texts can come in pairs, so `token_type_ids` matter.
        needs_pairs: texts always come in pairs.
        truncation: strategy of `tokenizers` for what is too long.
        has_labels: the checkpoint names classes.
        embeds: the answer is an embedding, made as sentence-transformers modules say and compared by its cosine.
        fills_masks: the answer is at the mask tokens alone.
        generates: the model is a decoder, which continues texts with a cache of keys and values.
        unused_weights: prefixes of weights that a checkpoint may lack because the program never runs them.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    auto_class: ClassVar[str]
    architecture_suffixes: ClassVar[tuple[str, ...]]
    cross_encoder: ClassVar[bool | None] = None
    takes_pairs: ClassVar[bool] = False
    needs_pairs: ClassVar[bool] = False
    truncation: ClassVar[str] = "longest_first"
    has_labels: ClassVar[bool] = False
    embeds: ClassVar[bool] = False
    fills_masks: ClassVar[bool] = False
    generates: ClassVar[bool] = False
    unused_weights: ClassVar[tuple[str, ...]] = ()

    # the program

    @abc.abstractmethod
    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Return the module from (hidden state float32 [tokens, hidden], layout) to a tuple of float32 outputs.

        Heads are imported here and not above: `linnet bundle` reads the tasks where torch is not installed.

        Raises:
            UnsupportedHeadError: the checkpoint's head does not fit.
        """

    def outputs(self, settings: HeadSettings) -> tuple[str, ...]:
        """Return the names of the program's outputs."""
        return ("logits",)

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return softmax, sigmoid or none.

        Args:
            config: transformers' configuration.
            settings: the same as it stands in config.json.

        Raises:
            CheckpointError: the checkpoint asks for another one.
        """
        return "softmax"

    # the proof

    def original_outputs(self, result: Any) -> dict[str, Tensor]:
        """Return the outputs of the original by the names that the program gives them; embeddings unpooled."""
        return {"logits": result.logits}

    def answers(self, outputs: Outputs, answerable: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the answers to one text; the program is right where they equal the original's.

        Args:
            outputs: by name, without the batch axis.
            answerable: [tokens], those of the text (of the second text for pairs).
        """
        return np.atleast_1d(outputs["logits"].argmax(axis=-1))

    # the samples of `linnet bundle`

    def sample_text(self, mask: str) -> str:
        """Return a text that suits the task; ``mask`` is the tokenizer's mask token, or empty."""
        return SHORT_TEXT

    @abc.abstractmethod
    def kotlin_sample(self, values: SampleValues) -> str:
        """Return an expression of type String over `model`."""

    @abc.abstractmethod
    def swift_sample(self, values: SampleValues) -> str:
        """Return an expression over `model`."""

    @abc.abstractmethod
    def python_sample(self, values: SampleValues) -> str:
        """Return statements over `model` that print the answer, those after the first indented by four."""

    @abc.abstractmethod
    def c_sample(self, values: SampleValues) -> CSample:
        """Return the call of the C sample."""
