"""Reference outputs of the float32 checkpoint under PyTorch, with its own tokenizer.

Nothing here is shared with the graph that was exported: tokenization is the `tokenizers` package, the
forward pass is transformers' own, pooling is written out in numpy.
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
    """The original's answer to one text.

    Attributes:
        ids: int64 [tokens], special tokens included.
        answerable: bool [tokens], tokens of the text (of the second text for pairs; for fill-mask the
            mask tokens).
        outputs: by the name that the program gives them, float32, without the batch axis; for
            fill-mask the rows of the mask tokens only.
    """

    ids: npt.NDArray[np.int64]
    answerable: npt.NDArray[np.bool_]
    outputs: dict[str, FloatArray]


def reference_outputs(
    checkpoint: Checkpoint, texts: Sequence[ProofText], progress: Callable[[int], None]
) -> list[Reference]:
    """Run the original on each text, one at a time; ``progress`` is called with the number of texts done."""
    tokenizer = _bounded(checkpoint)
    found: list[Reference] = []
    with torch.inference_mode():
        for number, text in enumerate(texts, 1):
            found.append(_answer(checkpoint, tokenizer, text))
            progress(number)
    return found


def device_inputs(
    checkpoint: Checkpoint, texts: Sequence[ProofText], names: Sequence[str]
) -> list[tuple[torch.Tensor, ...]]:
    """Return for each text the inputs of the device graph in the order of ``names``, int64 [1, tokens] each."""
    tokenizer = _bounded(checkpoint)
    found: list[tuple[torch.Tensor, ...]] = []
    for text in texts:
        encoding = tokenizer.encode(_prompted(checkpoint, text.text), text.pair)
        inputs = {"input_ids": torch.tensor([encoding.ids]), "token_type_ids": torch.tensor([encoding.type_ids])}
        found.append(tuple(inputs[name] for name in names))
    return found


def _bounded(checkpoint: Checkpoint) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer.from_str(checkpoint.tokenizer.to_str())
    tokenizer.enable_truncation(checkpoint.max_length, strategy=checkpoint.task.truncation)
    tokenizer.no_padding()
    return tokenizer


def _answer(checkpoint: Checkpoint, tokenizer: tokenizers.Tokenizer, text: ProofText) -> Reference:
    encoding = tokenizer.encode(_prompted(checkpoint, text.text), text.pair)
    ids = np.asarray(encoding.ids, dtype=np.int64)
    last = 1 if text.pair is not None else 0
    answerable = np.asarray([each == last for each in encoding.sequence_ids], dtype=np.bool_)
    inputs = {
        "input_ids": torch.from_numpy(ids)[None],
        "attention_mask": torch.ones(1, len(ids), dtype=torch.int64),
    }
    if hasattr(checkpoint.model.config, "type_vocab_size"):
        inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
    outputs = _named(checkpoint, checkpoint.model(**inputs))
    if checkpoint.task.fills_masks:
        answerable = ids == checkpoint.special_id("mask")
        outputs = {name: rows[answerable] for name, rows in outputs.items()}
    return Reference(ids, answerable, outputs)


def _prompted(checkpoint: Checkpoint, text: str) -> str:
    # sentence-transformers puts the default prompt before every text
    sentence = checkpoint.sentence
    return sentence.prompts[sentence.default_prompt] + text if sentence and sentence.default_prompt else text


def _named(checkpoint: Checkpoint, result: object) -> dict[str, FloatArray]:
    outputs = {name: _numpy(output) for name, output in checkpoint.task.original_outputs(result).items()}
    if not checkpoint.task.embeds or checkpoint.pooling == "none":
        return outputs
    (hidden,) = outputs.values()
    return {"embedding": _pooled(hidden, checkpoint.pooling, checkpoint.normalize)}


def _numpy(tensor: torch.Tensor) -> FloatArray:
    return tensor[0].float().numpy()


def _pooled(hidden: FloatArray, pooling: str, normalize: bool) -> FloatArray:
    rules: dict[str, Callable[[FloatArray], FloatArray]] = {
        "mean": lambda rows: rows.mean(axis=0),
        "cls": lambda rows: rows[0],
        "max": lambda rows: rows.max(axis=0),
    }
    vector = rules[pooling](hidden)
    return vector / max(float(np.linalg.norm(vector)), 1e-12) if normalize else vector
