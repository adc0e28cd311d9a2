"""fill-mask: pre-training on plain text, from scratch or continued, perhaps with next sentences."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from linnet.datasets import TEXT_COLUMNS, read_rows
from linnet.errors import InvalidArgumentError
from linnet.problems import Place, Problem
from linnet_export.adapt.batches import NO_LABEL, Rows, encode
from linnet_export.adapt.config import DataConfig, MaskingConfig, TrainConfig
from linnet_export.adapt.errors import BadDataError
from linnet_export.adapt.loading import Loaded, load_masked
from linnet_export.adapt.losses import softened
from linnet_export.adapt.masking import MaskedRows, Masking, answers_only_for
from linnet_export.adapt.passages import Passage, pack, pair_sentences
from linnet_export.adapt.tasks.base import Answers, Step, TrainingTask
from linnet_export.adapt.tasks.rows import (
    Example,
    Examples,
    hold_out,
    in_order,
    is_text,
    of_file,
    overlap_note,
    shown,
    wrong_encoding,
)

__all__ = ["TASK", "read_documents", "sentences"]

_FEWEST_DOCUMENTS = 2
_HELD_OUT_MASKS = 1000
"""Held-out sentences that `linnet eval` gets a masked word of."""


class FillMask(TrainingTask):
    """The task."""

    name = "fill-mask"
    metrics = ("accuracy", "perplexity", "next_sentence_accuracy")
    options = frozenset({"masking"})

    def refuse_impossible(self, config: TrainConfig) -> None:
        """See :class:`TrainingTask`; what guesses tokens has one answer for each of them."""
        super().refuse_impossible(config)
        if config.shrink.vocabulary != "all" or config.shrink.embedding_size is not None:
            raise InvalidArgumentError(
                "fill-mask keeps its vocabulary and the width of its embeddings: leave out vocabulary and "
                "embedding_size, or use them in a later training for another task"
            )

    def read(self, config: DataConfig, seed: int) -> Examples:
        """See :class:`TrainingTask`.

        A `.txt` file has a sentence a line and an empty line between documents; without empty lines each line is a
        document by itself. In other files each row is a document, with a sentence a line.
        """
        problems: list[Problem] = []
        rows = read_documents(config.train, config.text_column, problems)
        held_out = read_documents(config.validation, config.text_column, problems) if config.validation else []
        if not problems and not config.validation and len(rows) < _FEWEST_DOCUMENTS:
            what = "one document, needed another to hold out (an empty line divides them), or --validation"
            problems.append(Problem(Place(str(config.train)), what))
        if problems:
            raise BadDataError(problems)
        notes = tuple(overlap_note(rows, held_out))
        if not held_out:
            rows, held_out = hold_out(rows, lambda each: each.text, config.validation_split, seed)
        return Examples(tuple(rows), tuple(held_out), (), None, notes)

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_masked(name, config.optimizer.dropout, next_sentence=_masking(config).next_sentence)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; sentences of a document are packed up to the bound."""
        masking = _masking(config)
        special = tokenizer.num_special_tokens_to_add(pair=masking.next_sentence)
        passages = pack([sentences(each) for each in rows], tokenizer, config.max_length - special)
        following: list[int] | None = None
        texts: list[tuple[str, str | None]] = [(each.text, None) for each in passages]
        if masking.next_sentence:
            _require_sentences(passages, rows)
            pairs = pair_sentences(passages, config.seed)
            texts = [(first, second) for first, second, _ in pairs]
            following = [label for _, _, label in pairs]
        how = Masking(
            probability=masking.mlm_probability,
            mask_id=tokenizer.mask_token_id,
            special_ids=frozenset(tokenizer.all_special_ids),
            vocabulary=len(tokenizer),
        )
        return MaskedRows(encode(tokenizer, texts, config.max_length), how, config.seed, following)

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: cross entropy of the hidden tokens, and of whether the second text goes on."""
        return _step

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; of the hidden tokens."""
        name = "prediction_logits" if "next_right" in student.measured else "logits"
        ours, theirs = (each.runs[0].outputs[name][0] for each in (student, teacher))
        return softened(ours, theirs, temperature)

    def watched(self, config: TrainConfig) -> str:
        """See :class:`TrainingTask`; the loss says more than how often the likeliest token is right."""
        return config.metric or "loss"

    def measured(self, config: TrainConfig, examples: Examples) -> tuple[str, ...]:
        """See :class:`TrainingTask`; next sentences are measured where they are guessed."""
        return self.metrics if _masking(config).next_sentence else self.metrics[:-1]

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return the share of hidden tokens that are guessed, and the exponential of their mean loss."""
        losses, right, *following = predictions
        hidden = losses != NO_LABEL  # what the trainer fills up with
        mean = float(losses[hidden].astype(np.float64).mean())
        found = {"accuracy": float(right[hidden].mean()), "perplexity": math.exp(min(mean, 700.0))}
        return found | ({"next_sentence_accuracy": float(following[0].mean())} if following else {})

    def held_out_rows(self, examples: Sequence[Example], tokenizer: Any) -> list[dict[str, Any]]:
        """See :class:`TrainingTask`; one word of each sentence is masked, of those that are one token."""
        generator = random.Random(0)
        found: list[dict[str, Any]] = []
        for sentence in (each for example in examples for each in sentences(example)):
            if len(found) == _HELD_OUT_MASKS:
                break
            words = sentence.split()
            places = [place for place, word in enumerate(words) if word.isalnum() and _is_one_token(tokenizer, word)]
            if places and len(words) > 1:
                chosen = generator.choice(places)
                masked = [*words[:chosen], tokenizer.mask_token, *words[chosen + 1 :]]
                found.append({"text": " ".join(masked), "label": words[chosen]})
        return found

    def texts(self, example: Example) -> list[dict[str, str]]:
        """See :class:`TrainingTask`."""
        return [{"text": sentence} for sentence in sentences(example)]


def _masking(config: TrainConfig) -> MaskingConfig:
    return config.masking or MaskingConfig()


def _step(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    labels = inputs.pop("labels")
    following = inputs.pop("next_sentence_label", None)
    hidden = labels != NO_LABEL
    with answers_only_for(getattr(model, "module", model), hidden):  # several processes wrap the model
        outputs = model(**inputs)
    logits = (outputs.logits if following is None else outputs.prediction_logits)[0].float()
    losses = nn.functional.cross_entropy(logits, labels[hidden], reduction="none")
    measured = {
        "token_loss": _placed(losses, hidden),
        "right": _placed((logits.argmax(dim=-1) == labels[hidden]).float(), hidden),
    }
    if following is None:
        return losses.mean(), measured
    relation = outputs.seq_relationship_logits.float()
    measured["next_right"] = (relation.argmax(dim=-1) == following).float()
    return losses.mean() + nn.functional.cross_entropy(relation, following), measured


def _placed(values: Tensor, places: Tensor) -> Tensor:
    """Return float32 [rows, tokens] with the values at their places."""
    found = torch.full(places.shape, float(NO_LABEL), device=values.device)
    found[places] = values.detach()
    return found


def read_documents(path: Path, column: str | None, problems: list[Problem]) -> list[Example]:
    """Return the documents of a file, as :meth:`FillMask.read` says; what is wrong is added to ``problems``."""
    wrong = wrong_encoding(path)
    if wrong:
        problems += wrong
        return []
    try:
        documents = _of_lines(path) if path.suffix.lower() == ".txt" else _of_rows(path, column, problems)
    except InvalidArgumentError as error:
        problems.append(of_file(path, error))
        return []
    found = list(documents)
    if not found and not problems:
        problems.append(Problem(Place(str(path)), "no text"))
    return found


def _of_lines(path: Path) -> Iterable[Example]:
    documents: list[list[str]] = [[]]
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if line.strip():
            documents[-1].append(line.strip())
        elif documents[-1]:
            documents.append([])
    whole = [each for each in documents if each]
    if len(whole) == 1:
        whole = [[line] for line in whole[0]]
    return [
        Example("\n".join(each), None, None, Place(str(path), number, "document"))
        for number, each in enumerate(whole, 1)
    ]


def _of_rows(path: Path, column: str | None, problems: list[Problem]) -> Iterable[Example]:
    table, wrong = read_rows(path)
    if not table.rows:
        problems += wrong
        return []
    known = {name.lower(): name for name in table.columns}
    name = column or next((known[each] for each in TEXT_COLUMNS if each in known), None)
    if name is None or name not in table.columns:
        raise InvalidArgumentError(f"{path}: no text among {', '.join(table.columns)}; name it with --text-column")
    found = []
    for index, row in enumerate(table.rows):
        where = table.place(index)
        if is_text(row.get(name)):
            lines = [line.strip() for line in row[name].splitlines() if line.strip()]
            found.append(Example("\n".join(lines), None, None, where))
        else:
            wrong.append(Problem(where, f"{name} is {shown(row.get(name))}, needed a text"))
    problems += in_order(wrong)
    return found


def sentences(example: Example) -> list[str]:
    """Return the sentences of a document."""
    return example.text.split("\n")


def _require_sentences(passages: Sequence[Passage], rows: Sequence[Example]) -> None:
    documents = {each.document for each in passages if len(each.sentences) > 1}
    if len(documents) < _FEWEST_DOCUMENTS:
        what = (
            f"{len(documents)} documents have two sentences that fit together, next_sentence needs two such documents "
            "among the training rows and among those held out: a sentence a line, an empty line between documents"
        )
        raise BadDataError([Problem(Place(rows[0].where.path), what)])


def _is_one_token(tokenizer: Any, word: str) -> bool:
    pieces = tokenizer.tokenize(word)
    return len(pieces) == 1 and pieces != [tokenizer.unk_token]


TASK = FillMask()
