"""Inputs of the original for a text or a pair: what its own tokenizer gives, as far as its model takes it."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import torch
import transformers

from linnet_export.errors import CheckpointError
from linnet_export.tasks import Task
from linnet_export.tokenizer import LoadedTokenizer

__all__ = ["OriginalInputs", "OriginalTokenizer", "TokenTypes", "read_token_types"]

_SHORTEST = 3  # two special tokens and one of the text
_UNBOUNDED = 1 << 31  # transformers has 1e30 for a tokenizer without a bound


@dataclasses.dataclass(frozen=True)
class OriginalInputs:
    """One text or pair as the original reads it.

    Attributes:
        tensors: int64 [1, tokens] by the name of the argument of the model's `forward`.
        ids: token ids, special tokens included.
        sequences: for each token the text that it belongs to (0 or 1); None for special tokens.
    """

    tensors: dict[str, torch.Tensor]
    ids: list[int]
    sequences: list[int | None]


class OriginalTokenizer:
    """The checkpoint's tokenizer of transformers with the model that reads what it gives.

    What it gives is decided by the tokenizer's class and `model_input_names` in tokenizer_config.json: without
    `token_type_ids` among them, the model takes every token as type 0, in both texts of a pair, too.
    """

    def __init__(self, loaded: LoadedTokenizer, model: transformers.PreTrainedModel) -> None:
        self._tokenizer: Any = loaded.original or transformers.PreTrainedTokenizerFast(tokenizer_object=loaded.backend)
        self._taken = frozenset(inspect.signature(model.forward).parameters)

    @property
    def tokenizer(self) -> Any:
        """The tokenizer of transformers."""
        return self._tokenizer

    @property
    def max_length(self) -> int | None:
        """Bound in tokens that the tokenizer names, special tokens included; None if it names none that can be met."""
        bound = self._tokenizer.model_max_length
        return int(bound) if bound is not None and _SHORTEST <= bound < _UNBOUNDED else None

    def encode(
        self, text: str, pair: str | None = None, *, max_length: int | None = None, truncation: str | bool = False
    ) -> OriginalInputs:
        """Return the inputs of a text or a pair of at most ``max_length`` tokens."""
        encoded = self._tokenizer(text, pair, max_length=max_length, truncation=truncation)
        tensors = {name: torch.tensor([values]) for name, values in encoded.items() if name in self._taken}
        return OriginalInputs(tensors, list(encoded["input_ids"]), encoded.sequence_ids(0))

    def prompt_length(self, prompt: str, max_length: int) -> int:
        """Return how many tokens of a text with this prompt before it sentence-transformers takes for the prompt's.

        It counts those of the prompt alone, cut as a text is, and leaves out a special token at the end
        (Transformer._get_prompt_length of version 6.2).
        """
        ids = self.encode(prompt, max_length=max_length, truncation=True).ids if prompt else []
        return len(ids) - (bool(ids) and ids[-1] in self._tokenizer.all_special_ids)


@dataclasses.dataclass(frozen=True)
class TokenTypes:
    """What the original does with token types.

    Attributes:
        needed: they are not 0 everywhere, so the program needs the input `token_type_ids`.
        pairs: the model can read a pair.
    """

    needed: bool
    pairs: bool


def read_token_types(tokenizer: OriginalTokenizer, model: transformers.PreTrainedModel, task: Task) -> TokenTypes:
    """Return what the original does with token types, from a text and, if the task takes them, a pair.

    Raises:
        CheckpointError: the tokenizer gives types that the model does not have, for every input of the task.
    """
    single = _largest_type(tokenizer.encode("a"))
    pair = _largest_type(tokenizer.encode("a", "a")) if task.takes_pairs else single
    # DeBERTa's 0 switches them off
    rows = int(getattr(model.config, "type_vocab_size", 0) or 0)
    if not rows:
        return TokenTypes(needed=False, pairs=True)
    if single >= rows or (task.needs_pairs and pair >= rows):
        kind = "pairs" if task.needs_pairs else "texts"
        raise CheckpointError(
            f"the tokenizer gives token types up to {max(single, pair)}, the model has {rows} (type_vocab_size), so "
            f'transformers fails on all {kind}, too; set "model_input_names": ["input_ids", "attention_mask"] in '
            "tokenizer_config.json if the model was trained without them"
        )
    pairs = pair < rows
    return TokenTypes(needed=max(single, pair if pairs else 0) > 0, pairs=pairs)


def _largest_type(inputs: OriginalInputs) -> int:
    types = inputs.tensors.get("token_type_ids")
    return 0 if types is None else int(types.max())
