"""token-classification: labelled tokens or entity groups with offsets, as transformers 5's pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from linnet.errors import InvalidArgumentError, ManifestInvalidError
from linnet.inputs import read_texts
from linnet.runtime import Encoding, FloatArray
from linnet.scores import softmax
from linnet.session import Session
from linnet.tasks.base import read_options
from linnet.tokenization import Vocabulary
from linnet.truncation import warn_user

__all__ = ["STRATEGIES", "TASK", "Entity", "TaggingOptions", "TokenClassification"]

Entity: TypeAlias = dict[str, Any]

_WORD_STRATEGIES = ("first", "average", "max")
STRATEGIES = ("none", "simple", *_WORD_STRATEGIES)
"""Values of ``aggregation_strategy``, as in Hugging Face pipelines."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingOptions:
    """Options of a call.

    Attributes:
        aggregation_strategy: "none" gives tokens, "simple" groups neighbours of one entity; "first",
            "average" and "max" do so after the tokens of a word were given one label.
        ignore_labels: labels (or entity groups) to leave out.
    """

    aggregation_strategy: str = "none"
    ignore_labels: Sequence[str] = ("O",)

    def __post_init__(self) -> None:
        if self.aggregation_strategy not in STRATEGIES:
            raise InvalidArgumentError(
                f"aggregation_strategy is {self.aggregation_strategy!r}, this linnet has {', '.join(STRATEGIES)}"
            )
        if isinstance(self.ignore_labels, str):
            raise InvalidArgumentError(f"ignore_labels is the str {self.ignore_labels!r}, needed a list of str")


class TokenClassification:
    """The task."""

    name: ClassVar[str] = "token-classification"
    abilities: ClassVar[str] = 'model(text), aggregation_strategy "none", "simple", "first", "average" or "max"'

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return a list of entities for a str, a list of such lists for a list."""
        options, run = read_options(TaggingOptions, given)
        batch = read_texts(inputs, pairs=False)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
        if options.aggregation_strategy in _WORD_STRATEGIES and not session.vocabulary.marks_words:
            warn_user(UserWarning("this file's tokenizer does not mark words: a word is what stands between spaces"))
        answers = session.map(
            encodings,
            lambda index, outputs: self._decode(
                session, batch.items[index].text, encodings[index], outputs["logits"], options
            ),
            batch_size=run.batch_size,
        )
        return answers[0] if batch.single else answers

    def _decode(
        self, session: Session, text: str, encoding: Encoding, logits: FloatArray, options: TaggingOptions
    ) -> list[Entity]:
        labels = session.manifest.labels
        if logits.shape != (len(encoding), len(labels)):
            raise ManifestInvalidError(
                f"logits have the shape {logits.shape}, needed {len(encoding)} tokens and {len(labels)} labels"
            )
        strategy = options.aggregation_strategy
        tokens = _tokens(session, text, encoding, softmax(logits))
        if strategy in _WORD_STRATEGIES:
            found = [_labelled_word(word, strategy, session) for word in _words(tokens)]
        else:
            found = [_labelled(token, labels) for token in tokens]
        if strategy != "none":
            found = _grouped(found, session.vocabulary)
        key = "entity" if strategy == "none" else "entity_group"
        return [entity for entity in found if entity[key] not in options.ignore_labels]


@dataclasses.dataclass(frozen=True)
class _Token:
    """One token of the text.

    Attributes:
        scores: of each label, float32 [labels].
        index: position in the encoding.
        word: the token, or the text where the vocabulary has none for it.
        start, end: place in the text.
        continues: it goes on with the word of the token before it.
    """

    scores: FloatArray
    index: int
    word: str
    start: int
    end: int
    continues: bool


def _tokens(session: Session, text: str, encoding: Encoding, scores: FloatArray) -> list[_Token]:
    """Return the tokens of the text without the special ones.

    What continues a word is decided as in transformers 5.23 (pipelines/token_classification.py): a token that
    is longer or shorter than its text has a prefix; without prefixes, a word is what stands between spaces.
    """
    vocabulary = session.vocabulary
    marks_words = vocabulary.marks_words
    ids, offsets = encoding.ids.tolist(), encoding.offsets.tolist()
    found: list[_Token] = []
    for index in np.flatnonzero(encoding.sequence_ids >= 0).tolist():
        start, end = offsets[index]
        if ids[index] == session.manifest.unk_id:
            word, continues = text[start:end], False
        else:
            word = vocabulary.token(ids[index])
            spaced = " " in text[max(start - 1, 0) : start + 1]
            continues = len(word) != end - start if marks_words else start > 0 and not spaced
        found.append(_Token(scores[index], index, word, start, end, continues))
    return found


def _labelled(token: _Token, labels: Sequence[str]) -> Entity:
    best = int(token.scores.argmax())
    return {
        "entity": labels[best],
        "score": float(token.scores[best]),
        "index": token.index,
        "word": token.word,
        "start": token.start,
        "end": token.end,
    }


def _words(tokens: Sequence[_Token]) -> list[list[_Token]]:
    words: list[list[_Token]] = []
    for token in tokens:
        if words and token.continues:
            words[-1].append(token)
        else:
            words.append([token])
    return words


def _labelled_word(tokens: Sequence[_Token], strategy: str, session: Session) -> Entity:
    """One label for a word: of its first token, of its surest token, or of the mean scores."""
    if strategy == "first":
        scores = tokens[0].scores
    elif strategy == "max":
        scores = max(tokens, key=lambda token: float(token.scores.max())).scores
    else:
        scores = np.asarray(np.nanmean(np.stack([token.scores for token in tokens]), axis=0), dtype=np.float32)
    best = int(scores.argmax())
    return {
        "entity": session.manifest.labels[best],
        "score": float(scores[best]),
        "word": session.vocabulary.join(token.word for token in tokens),
        "start": tokens[0].start,
        "end": tokens[-1].end,
    }


def _grouped(tokens: Sequence[Entity], vocabulary: Vocabulary) -> list[Entity]:
    """Neighbours of the same entity become one, unless the second begins with B-."""
    groups: list[list[Entity]] = []
    for token in tokens:
        starts, tag = _split_label(token["entity"])
        if groups and not starts and tag == _split_label(groups[-1][-1]["entity"])[1]:
            groups[-1].append(token)
        else:
            groups.append([token])
    return [_joined(group, vocabulary) for group in groups]


def _split_label(label: str) -> tuple[bool, str]:
    """Whether the label opens an entity, and the entity's name."""
    if label.startswith("B-"):
        return True, label[2:]
    return False, label[2:] if label.startswith("I-") else label


def _joined(group: Sequence[Entity], vocabulary: Vocabulary) -> Entity:
    return {
        # split at the first hyphen of any label, as the pipeline does, so "x-ray" gives "ray"
        "entity_group": group[0]["entity"].split("-", 1)[-1],
        "score": float(np.nanmean(np.array([token["score"] for token in group], dtype=np.float32))),
        "word": vocabulary.join(token["word"] for token in group),
        "start": group[0]["start"],
        "end": group[-1]["end"],
    }


TASK = TokenClassification()
