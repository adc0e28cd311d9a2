"""Padding and the order of rows, which depends on seed and epoch alone."""

from __future__ import annotations

import torch

from linnet_train.data.batches import NO_LABEL, Collator, LengthGroupedSampler, Rows


def rows_of(lengths: list[int]) -> Rows:
    """Rows of so many tokens."""
    return Rows([{"input_ids": [1] * length} for length in lengths], [0] * len(lengths))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = [(7 * place) % 23 + 1 for place in range(500)]
    sampler = LengthGroupedSampler(rows_of(lengths), 8, seed=3)
    torch.manual_seed(0)
    first = list(sampler)
    torch.manual_seed(1)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert sorted(sampler) == list(range(500))


def test_neighbours_have_about_the_same_length() -> None:
    lengths = [(7 * place) % 23 + 1 for place in range(400)]
    order = list(LengthGroupedSampler(rows_of(lengths), 8, seed=0))
    spans = [[lengths[place] for place in order[start : start + 8]] for start in range(0, 400, 8)]
    assert max(max(span) - min(span) for span in spans) <= 2


def test_batches_are_padded_to_their_longest() -> None:
    rows = [
        {"input_ids": [5, 6, 7], "token_type_ids": [0, 0, 1], "labels": 1, "teacher_logits": torch.ones(2)},
        {"input_ids": [8], "token_type_ids": [0], "labels": NO_LABEL, "teacher_logits": torch.zeros(2)},
    ]
    batch = Collator(9)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 1], [0, 0, 0]]
    assert batch["labels"].tolist() == [1, NO_LABEL]
    assert batch["teacher_logits"].tolist() == [[1, 1], [0, 0]]
