"""Reference outputs of the float32 checkpoint under PyTorch, with its own tokenizer.

This is independent of the exported graph: the tokenizer of transformers gives the inputs, transformers does the
forward pass, and numpy the pooling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import tokenizers
import torch

from linnet_export.checkpoint import Checkpoint
from linnet_export.proof.texts import ProofText

__all__ = ["Reference", "device_inputs", "reference_outputs"]

FloatArray = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Reference:
    """Tokens and outputs of the original for one text.

    Attributes:
        ids: int64 [tokens], including special tokens.
        answerable: bool [tokens], True for tokens of the text (of the second text for pairs; for fill-mask the
            mask tokens).
        outputs: outputs by their name in the program, float32, without the batch axis; for fill-mask only
            the rows of the mask tokens.
    """

    ids: npt.NDArray[np.int64]
    answerable: npt.NDArray[np.bool_]
    outputs: dict[str, FloatArray]


def reference_outputs(
    checkpoint: Checkpoint, texts: Sequence[ProofText], progress: Callable[[int], None]
) -> list[Reference]:
    """Run the original on each text, one at a time, and call ``progress`` with the number of finished texts."""
    references: list[Reference] = []
    with torch.inference_mode():
        for number, text in enumerate(texts, 1):
            references.append(_answer(checkpoint, text))
            progress(number)
    return references


def device_inputs(
    checkpoint: Checkpoint, texts: Sequence[ProofText], names: Sequence[str]
) -> list[tuple[torch.Tensor, ...]]:
    """Return the inputs of the device graph for each text, in the order of ``names``, int64 [1, tokens] each."""
    tokenizer = _bounded(checkpoint)
    left_out = _left_out(checkpoint)
    prepared: list[tuple[torch.Tensor, ...]] = []
    for text in texts:
        encoding = tokenizer.encode(_prompted(checkpoint, text.text), text.pair)
        inputs = {
            "input_ids": encoding.ids,
            "token_type_ids": encoding.type_ids,
            "pooling_mask": [int(place >= left_out) for place in range(len(encoding.ids))],
        }
        start = {"cache_position": torch.zeros(1, dtype=torch.int64)}
        prepared.append(tuple(start[name] if name in start else torch.tensor([inputs[name]]) for name in names))
    return prepared


def _bounded(checkpoint: Checkpoint) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_str(checkpoint.tokenizer.to_str())
    tokenizer.enable_truncation(checkpoint.max_length, strategy=checkpoint.task.truncation)
    tokenizer.no_padding()
    return tokenizer


def _answer(checkpoint: Checkpoint, text: ProofText) -> Reference:
    inputs = checkpoint.original.encode(
        _prompted(checkpoint, text.text),
        text.pair,
        max_length=checkpoint.max_length,
        truncation=checkpoint.task.truncation,
    )
    ids = np.asarray(inputs.ids, dtype=np.int64)
    last = 1 if text.pair is not None else 0
    answerable = np.asarray([sequence == last for sequence in inputs.sequences], dtype=np.bool_)
    outputs = _named(checkpoint, checkpoint.model(**inputs.tensors))
    if checkpoint.task.fills_masks:
        answerable = ids == checkpoint.special_id("mask")
        outputs = {name: rows[answerable] for name, rows in outputs.items()}
    return Reference(ids, answerable, outputs)


def _prompted(checkpoint: Checkpoint, text: str) -> str:
    # sentence-transformers puts the default prompt before every text
    return _prompt(checkpoint) + text


def _prompt(checkpoint: Checkpoint) -> str:
    sentence = checkpoint.sentence
    return sentence.prompts[sentence.default_prompt] if sentence and sentence.default_prompt else ""


def _left_out(checkpoint: Checkpoint) -> int:
    """Return how many tokens of each text are not pooled, as they are those of the default prompt."""
    if checkpoint.sentence is None or checkpoint.sentence.include_prompt:
        return 0
    return checkpoint.original.prompt_length(_prompt(checkpoint), checkpoint.max_length)


def _named(checkpoint: Checkpoint, result: object) -> dict[str, FloatArray]:
    outputs = {name: _numpy(output) for name, output in checkpoint.task.original_outputs(result).items()}
    if not checkpoint.task.embeds or checkpoint.pooling == "none":
        return outputs
    (hidden,) = outputs.values()
    return {"embedding": _embedding(checkpoint, hidden)}


def _numpy(tensor: torch.Tensor) -> FloatArray:
    return tensor[0].float().numpy()


def _embedding(checkpoint: Checkpoint, hidden: FloatArray) -> FloatArray:
    first = _left_out(checkpoint)
    vector = np.concatenate([_RULES[name](hidden, first) for name in checkpoint.pooling.split("+")])
    sentence = checkpoint.sentence
    for layer in sentence.layers if sentence else ():
        vector = layer(torch.from_numpy(vector)[None])[0].numpy()
    if checkpoint.normalize:
        vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return vector[: checkpoint.embedding_size]


def _weighted_mean(rows: FloatArray, first: int) -> FloatArray:
    weights = np.arange(1, len(rows) + 1, dtype=np.float32)[first:, None]
    return np.asarray((rows[first:] * weights).sum(axis=0) / max(weights.sum(), 1e-9))


_RULES: dict[str, Callable[[FloatArray, int], FloatArray]] = {
    "cls": lambda rows, first: rows[first if first < len(rows) else 0],
    "lasttoken": lambda rows, first: rows[-1] * np.float32(first < len(rows)),
    "max": lambda rows, first: rows[first:].max(axis=0, initial=-np.inf),
    "mean": lambda rows, first: rows[first:].sum(axis=0) / max(len(rows) - first, 1e-9),
    "mean_sqrt_len_tokens": lambda rows, first: (
        rows[first:].sum(axis=0) / np.float32(np.sqrt(max(len(rows) - first, 1e-9)))
    ),
    "weightedmean": _weighted_mean,
}
"""Poolings of one text's rows [tokens, width] from token ``first`` on, as Pooling.forward of sentence-transformers 6.2
(sentence_transformer/modules/pooling.py) has them."""
