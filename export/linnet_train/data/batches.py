"""Batches: tokenized rows, padding, and samplers whose order a resumed training reproduces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from linnet_train.data.rows import Example

__all__ = ["NO_LABEL", "Collator", "EpochSampler", "LengthGroupedSampler", "Rows", "encode"]

NO_LABEL = -100
"""Label that the cross entropy ignores (PyTorch's `ignore_index`): rows with a teacher's output alone."""

_GROUP = 50  # batches that are sorted by length together, as in transformers' own sampler


class Rows(Dataset[dict[str, Any]]):
    """Tokenized rows: token ids, label, and the teacher's outputs.

    A label is an int or a float, a tuple of them for the whole row, or a list with one for each token. `extra` has
    what the metrics need of each row beside the inputs of the model.
    """

    def __init__(
        self,
        inputs: Sequence[Mapping[str, list[int]]],
        labels: Sequence[Any],
        teacher: Mapping[str, Tensor] | None = None,
        extra: Sequence[Any] = (),
    ) -> None:
        self.inputs = inputs
        self.labels = labels
        self.teacher = teacher or {}
        self.extra = extra

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row: dict[str, Any] = {**self.inputs[index], "labels": self.labels[index]}
        return row | {name: values[index] for name, values in self.teacher.items()}

    def set_epoch(self, epoch: int) -> None:
        """Select the epoch for rows with random content; most rows have none."""

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row."""
        return [len(row["input_ids"]) for row in self.inputs]


def encode(tokenizer: Any, texts: Sequence[tuple[str, str | None]], max_length: int) -> list[dict[str, list[int]]]:
    """Tokenize texts or pairs, truncated to ``max_length`` tokens."""
    pairs = [pair for _, pair in texts]
    second = [pair or "" for pair in pairs] if any(pair is not None for pair in pairs) else None
    encoded = tokenizer([text for text, _ in texts], second, truncation=True, max_length=max_length)
    names = [name for name in encoded if name != "attention_mask"]
    return [{name: encoded[name][index] for name in names} for index in range(len(texts))]


def text_pairs(rows: Sequence[Example]) -> list[tuple[str, str | None]]:
    """Return text and second text of each row."""
    return [(row.text, row.pair) for row in rows]


class Collator:
    """Pads rows to the longest row of the batch."""

    def __init__(self, pad_id: int) -> None:
        self._pad = pad_id

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return a batch: input_ids and attention_mask int64 [rows, tokens], labels, and the teacher's outputs.

        Labels are [rows]; [rows, values] where a row has a tuple; [rows, tokens], filled up with
        :data:`NO_LABEL`, where each token has one.
        """
        longest = max(len(row["input_ids"]) for row in rows)
        batch = {
            name: torch.tensor([_padded(row[name], longest, self._pad if name == "input_ids" else 0) for row in rows])
            for name in rows[0]
            if isinstance(rows[0][name], list) and name != "labels"
        }
        batch["attention_mask"] = torch.tensor([_padded([1] * len(row["input_ids"]), longest, 0) for row in rows])
        labels = [row["labels"] for row in rows]
        each_token = isinstance(labels[0], list)
        batch["labels"] = torch.tensor(
            [_padded(label, longest, NO_LABEL) for label in labels] if each_token else labels
        )
        tensors = [name for name in rows[0] if isinstance(rows[0][name], Tensor)]
        return batch | {name: torch.stack([row[name] for row in rows]) for name in tensors}


def _padded(values: list[int], length: int, filler: int) -> list[int]:
    return values + [filler] * (length - len(values))


class EpochSampler(Sampler[int]):
    """Random order that depends only on seed and epoch, never on the global generator.

    A training that is resumed in the middle of an epoch therefore continues with the same rows.
    """

    def __init__(self, rows: Rows, seed: int) -> None:
        self._rows = rows
        self._seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the order and of the rows; called by the trainer."""
        self.epoch = epoch
        self._rows.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._rows)

    def generator(self) -> torch.Generator:
        """Return the random generator of this epoch."""
        return torch.Generator().manual_seed(self._seed * 100_003 + self.epoch)


class LengthGroupedSampler(EpochSampler):
    """Order in which neighbouring rows have similar lengths, so that batches need little padding."""

    def __init__(self, rows: Rows, batch_size: int, seed: int) -> None:
        super().__init__(rows, seed)
        self._lengths = torch.tensor(rows.lengths)
        self._batch_size = batch_size

    def __iter__(self) -> Iterator[int]:
        generator = self.generator()
        order = torch.randperm(len(self), generator=generator)
        groups = order.split(self._batch_size * _GROUP)
        in_groups = [group[self._lengths[group].argsort(descending=True, stable=True)] for group in groups]
        batches = [batch for group in in_groups for batch in group.split(self._batch_size)]
        whole = [batch for batch in batches if len(batch) == self._batch_size]
        short = [batch for batch in batches if len(batch) < self._batch_size]
        for place in torch.randperm(len(whole), generator=generator).tolist():
            yield from whole[place].tolist()
        for batch in short:  # last, so that they shift no other batch
            yield from batch.tolist()
