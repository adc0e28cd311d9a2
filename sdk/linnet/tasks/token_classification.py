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

__all__ = ["TASK", "Entity", "TaggingOptions", "TokenClassification"]

Entity: TypeAlias = dict[str, Any]

_STRATEGIES = ("none", "simple")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingOptions:
    """Options of a call.

    Attributes:
        aggregation_strategy: "none" gives tokens, "simple" groups neighbours of one entity.
        ignore_labels: labels (or entity groups) to leave out.
    """

    aggregation_strategy: str = "none"
    ignore_labels: Sequence[str] = ("O",)

    def __post_init__(self) -> None:
        if self.aggregation_strategy not in _STRATEGIES:
            raise InvalidArgumentError(
                f"aggregation_strategy is {self.aggregation_strategy!r}, this linnet has {' and '.join(_STRATEGIES)}"
            )
        if isinstance(self.ignore_labels, str):
            raise InvalidArgumentError(f"ignore_labels is the str {self.ignore_labels!r}, needed a list of str")


class TokenClassification:
    """The task."""

    name: ClassVar[str] = "token-classification"
    abilities: ClassVar[str] = 'model(text), aggregation_strategy "none" or "simple"'

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return a list of entities for a str, a list of such lists for a list."""
        options, run = read_options(TaggingOptions, given)
        batch = read_texts(inputs, pairs=False)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
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
        tokens = _labelled_tokens(session, text, encoding, logits)
        simple = options.aggregation_strategy == "simple"
        found = _grouped(tokens, session.vocabulary) if simple else tokens
        key = "entity_group" if simple else "entity"
        return [entity for entity in found if entity[key] not in options.ignore_labels]


def _labelled_tokens(session: Session, text: str, encoding: Encoding, logits: FloatArray) -> list[Entity]:
    labels = session.manifest.labels
    if logits.shape != (len(encoding), len(labels)):
        raise ManifestInvalidError(
            f"logits have the shape {logits.shape}, needed {len(encoding)} tokens and {len(labels)} labels"
        )
    scores = softmax(logits)
    best = scores.argmax(axis=-1)
    ids, offsets = encoding.ids.tolist(), encoding.offsets.tolist()
    tokens: list[Entity] = []
    for index in np.flatnonzero(encoding.sequence_ids >= 0).tolist():
        start, end = offsets[index]
        # the pipeline shows the text itself where the vocabulary has no token for it
        unknown = ids[index] == session.manifest.unk_id
        tokens.append(
            {
                "entity": labels[int(best[index])],
                "score": float(scores[index, best[index]]),
                "index": index,
                "word": text[start:end] if unknown else session.vocabulary.token(ids[index]),
                "start": start,
                "end": end,
            }
        )
    return tokens


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
