"""Task token-classification: labelled tokens or entity groups with offsets, as in transformers 5."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet.inputs import TextInput, read_texts
from linnet.runtime import DecodableArray, Encoding
from linnet.session import Session
from linnet.tasks.base import AnsweringModel, Task, read_options
from linnet.tokenization.truncation import warn_user

if TYPE_CHECKING:
    from linnet.runtime import CoreEntity

__all__ = ["STRATEGIES", "TASK", "Entity", "TaggingOptions", "TokenClassification"]

Entity: TypeAlias = dict[str, Any]

_WORD_STRATEGIES = ("first", "average", "max")
STRATEGIES = ("none", "simple", *_WORD_STRATEGIES)
"""Values of ``aggregation_strategy``, as in Hugging Face pipelines."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingOptions:
    """Options of a call.

    Attributes:
        aggregation_strategy: "none" returns tokens; "simple" groups neighbouring tokens of one entity; "first",
            "average" and "max" give all tokens of a word one label before they group.
        ignore_labels: labels (or entity groups) to leave out.
        stride: cut a text over the maximum length into windows that share this number of tokens; None: truncate it.
    """

    aggregation_strategy: str = "none"
    ignore_labels: Sequence[str] = ("O",)
    stride: int | None = None

    def __post_init__(self) -> None:
        if self.aggregation_strategy not in STRATEGIES:
            raise InvalidArgumentError(
                f"aggregation_strategy is {self.aggregation_strategy!r}, this linnet has {', '.join(STRATEGIES)}"
            )
        if isinstance(self.ignore_labels, str):
            raise InvalidArgumentError(f"ignore_labels is the str {self.ignore_labels!r}, expected a list of str")
        stride = self.stride
        if stride is not None and (isinstance(stride, bool) or not isinstance(stride, int) or stride < 0):
            raise InvalidArgumentError(f"stride is {stride!r}, expected an int of at least 0, or None")


class TokenClassification(Task):
    """The task token-classification."""

    name: ClassVar[str] = "token-classification"
    abilities: ClassVar[str] = 'model(text), aggregation_strategy "none", "simple", "first", "average" or "max"'
    options: ClassVar[frozenset[str]] = frozenset({"aggregation_strategy", "stride"})

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return a list of entities for a str, or a list of such lists for a list of str."""
        options, run = read_options(TaggingOptions, given)
        batch = read_texts(inputs, pairs=False)
        if options.stride is not None and given.get("aggregation_strategy") == "none":  # as the pipeline
            raise InvalidArgumentError('stride needs an aggregation_strategy other than "none"')
        if options.stride is None:
            encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
            windows: list[Sequence[Encoding]] = [[encoding] for encoding in encodings]
        else:
            windows = _windows(session, batch.items, options.stride)
        if options.aggregation_strategy in _WORD_STRATEGIES and not session.vocabulary.marks_words:
            warn_user(UserWarning("this file's tokenizer does not mark words: a word is what stands between spaces"))
        places = [(item.text, window) for item, group in zip(batch.items, windows, strict=True) for window in group]
        entities = iter(
            session.decode(
                [window for _, window in places],
                lambda index, outputs: self._decode(session, *places[index], outputs, options),
                batch_size=run.batch_size,
            )
        )
        answers = [_merged([next(entities) for _ in group]) for group in windows]
        return answers[0] if batch.single else answers

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Return the entities of a row of ``linnet run``, with the aggregation strategy "simple" by default."""
        return super().answer_row(model, row, {"aggregation_strategy": "simple", **options})

    def _decode(
        self,
        session: Session,
        text: str,
        encoding: Encoding,
        outputs: Sequence[DecodableArray],
        options: TaggingOptions,
    ) -> list[Entity]:
        strategy = options.aggregation_strategy
        entities = session.task.entities(
            text,
            session.decodable(encoding, text),
            outputs,
            aggregation_strategy=strategy,
            ignore_labels=[str(label) for label in options.ignore_labels],
        )
        return [_entity(session, entity, strategy, text, encoding) for entity in entities]


def _windows(session: Session, items: Sequence[TextInput], stride: int) -> list[Sequence[Encoding]]:
    bound = session.manifest.max_length
    if stride >= bound:
        raise InvalidArgumentError(f"stride is {stride}, expected less than the {bound} tokens that this file takes")
    return session.for_each(
        items, lambda item: session.windows(item, truncation="longest_first", max_length=bound, stride=stride)
    )


def _merged(windows: Sequence[list[Entity]]) -> list[Entity]:
    """Return the entities of all windows; of those that overlap the longest, of these the most certain."""
    if len(windows) == 1:
        return windows[0]
    kept: list[Entity] = []
    for entity in sorted(itertools.chain(*windows), key=lambda entity: entity["start"]):
        if not kept or entity["start"] >= kept[-1]["end"]:
            kept.append(entity)
        else:
            kept[-1] = max(kept[-1], entity, key=lambda each: (each["end"] - each["start"], each["score"]))
    return kept


def _entity(session: Session, entity: CoreEntity, strategy: str, text: str, encoding: Encoding) -> Entity:
    """Convert an entity of the core to a dict as in the pipeline."""
    start, end, word = entity.start, entity.end, entity.word
    if strategy == "none":
        position = {"index": entity.index, "word": word, "start": start, "end": end}
        return {"entity": entity.label, "score": entity.score, **position}
    if not session.manifest.has_core_tokenizer:  # only its own decoder can join its tokens
        word = _joined(session, text, encoding, [*entity.words, entity.last_token + 1], strategy)
    return {"entity_group": entity.label, "score": entity.score, "word": word, "start": start, "end": end}


def _joined(session: Session, text: str, encoding: Encoding, bounds: Sequence[int], strategy: str) -> str:
    """Return the tokens of an entity as text; bounds: first token of each of its words, then the token after them."""
    vocabulary = session.vocabulary
    ids, offsets = encoding.ids.tolist(), encoding.offsets.tolist()

    def piece(at: int) -> str:
        return text[slice(*offsets[at])] if ids[at] == session.manifest.unk_id else vocabulary.token(ids[at])

    words = [[piece(at) for at in range(*both)] for both in itertools.pairwise(bounds)]
    return vocabulary.join(word[0] if strategy == "simple" else vocabulary.join(word) for word in words)


TASK = TokenClassification()
