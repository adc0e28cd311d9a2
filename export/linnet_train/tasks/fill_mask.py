"""Masked language modelling, from scratch or continued, with optional next-sentence prediction."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from linnet_bench.accuracy.problems import Place, Problem
from linnet_train.config import MaskingConfig, TrainConfig
from linnet_train.data.batches import NO_LABEL, Rows, encode
from linnet_train.data.masking import MaskedRows, Masking, answers_only_for
from linnet_train.data.passages import Passage, pack, pair_sentences
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import softened
from linnet_train.errors import BadDataError
from linnet_train.loading import Loaded, load_masked
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.by_token import figures_by_token, placed
from linnet_train.tasks.rows.fill_mask import DESCRIPTION, FEWEST_DOCUMENTS, sentences

__all__ = ["TASK"]

_HELD_OUT_MASKS = 1000
"""Held-out sentences that `linnet eval` gets a masked word of."""


class FillMask(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_masked(name, config.optimizer.dropout, next_sentence=_masking(config).next_sentence)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; sentences of a document are packed up to the bound."""
        masking = _masking(config)
        special = tokenizer.num_special_tokens_to_add(pair=masking.next_sentence)
        passages = pack([sentences(row) for row in rows], tokenizer, config.max_length - special)
        following: list[int] | None = None
        texts: list[tuple[str, str | None]] = [(passage.text, None) for passage in passages]
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
        ours, theirs = (answers.runs[0].outputs[name][0] for answers in (student, teacher))
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
        figures = figures_by_token(losses, right)
        return figures | ({"next_sentence_accuracy": float(following[0].mean())} if following else {})

    def held_out_rows(self, examples: Sequence[Example], tokenizer: Any) -> list[dict[str, Any]]:
        """See :class:`TrainingTask`; one word of each sentence is masked, of those that are one token."""
        generator = random.Random(0)
        rows: list[dict[str, Any]] = []
        for sentence in (sentence for example in examples for sentence in sentences(example)):
            if len(rows) == _HELD_OUT_MASKS:
                break
            words = sentence.split()
            places = [place for place, word in enumerate(words) if word.isalnum() and _is_one_token(tokenizer, word)]
            if places and len(words) > 1:
                chosen = generator.choice(places)
                masked = [*words[:chosen], tokenizer.mask_token, *words[chosen + 1 :]]
                rows.append({"text": " ".join(masked), "label": words[chosen]})
        return rows

    def texts(self, example: Example, tokenizer: Any) -> list[dict[str, str]]:
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
        "token_loss": placed(losses, hidden),
        "right": placed((logits.argmax(dim=-1) == labels[hidden]).float(), hidden),
    }
    if following is None:
        return losses.mean(), measured
    relation = outputs.seq_relationship_logits.float()
    measured["next_right"] = (relation.argmax(dim=-1) == following).float()
    return losses.mean() + nn.functional.cross_entropy(relation, following), measured


def _require_sentences(passages: Sequence[Passage], rows: Sequence[Example]) -> None:
    documents = {passage.document for passage in passages if len(passage.sentences) > 1}
    if len(documents) < FEWEST_DOCUMENTS:
        what = (
            f"{len(documents)} documents have two sentences that fit together, next_sentence needs two such documents "
            "among the training rows and among those held out: a sentence a line, an empty line between documents"
        )
        raise BadDataError([Problem(Place(rows[0].where.path), what)])


def _is_one_token(tokenizer: Any, word: str) -> bool:
    pieces = tokenizer.tokenize(word)
    return len(pieces) == 1 and pieces != [tokenizer.unk_token]


TASK = FillMask()
