"""Creation of a randomly initialized model as an ordinary checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import transformers

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.problems import Problem
from linnet_train.atomic import atomic_directory
from linnet_train.checkpoints import model_bytes
from linnet_train.errors import BadDataError
from linnet_train.new_model.config import NewModelConfig
from linnet_train.new_model.overrides import read_overrides
from linnet_train.new_model.wordpiece import train_wordpiece
from linnet_train.tasks.rows.fill_mask import read_documents, sentences

__all__ = ["NewModel", "make_model"]


@dataclasses.dataclass(frozen=True)
class NewModel:
    """What was made.

    Attributes:
        output: directory of the checkpoint.
        model_type: architecture.
        parameters: weights of the encoder with the head of fill-mask; tied ones count once.
        vocabulary: number of tokens.
        tokens_per_word: how many tokens a word of the corpus has on average.
    """

    output: Path
    model_type: str
    parameters: int
    vocabulary: int
    tokens_per_word: float

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return dataclasses.asdict(self) | {"output": str(self.output)}


def make_model(config: NewModelConfig) -> NewModel:
    """Train a vocabulary, draw weights and write the checkpoint.

    Raises:
        BadDataError: the corpus cannot be read.
        InvalidArgumentError: a field of the configuration is unknown or impossible.
    """
    plain = transformers.AutoConfig.for_model(config.model_type)
    overrides = read_overrides(config.model_type, plain, config.overrides)
    problems: list[Problem] = []
    texts = [
        line for document in read_documents(config.texts, config.text_column, problems) for line in sentences(document)
    ]
    if problems:
        raise BadDataError(problems)
    tokenizer = train_wordpiece(texts, config.vocab_size, lowercase=config.lowercase)
    transformers.set_seed(config.seed)
    try:
        settings = transformers.AutoConfig.for_model(
            config.model_type, **{**overrides, "vocab_size": len(tokenizer), "pad_token_id": 0}
        )
        model = transformers.AutoModelForMaskedLM.from_config(settings)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"transformers cannot make {config.model_type} of these settings: {error}"
        ) from error
    with atomic_directory(config.output, model_bytes(model)) as aside:
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
    words = sum(len(text.split()) for text in texts)
    tokens = sum(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))
    return NewModel(
        output=config.output,
        model_type=config.model_type,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        vocabulary=len(tokenizer),
        tokens_per_word=round(tokens / max(1, words), 3),
    )
