"""Task fill-mask: the most likely tokens for each mask token, as the pipeline of transformers 5 returns them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import Manifest
from linnet.inputs import TextInput, read_texts
from linnet.runtime import DecodableArray, Encoding
from linnet.session import Session
from linnet.tasks.base import Task, check_count, read_options
from linnet.tokenization.truncation import warn_user

if TYPE_CHECKING:
    from linnet.runtime import CoreProposal

__all__ = ["TASK", "FillMask", "MaskOptions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskOptions:
    """Options of a call.

    Attributes:
        top_k: number of proposals for each mask token.
        targets: propose only these words; a word that is not one token is replaced by its first token.
    """

    top_k: int = 5
    targets: str | Sequence[str] | None = None

    def __post_init__(self) -> None:
        check_count("top_k", self.top_k)


class FillMask(Task):
    """The task fill-mask."""

    name: ClassVar[str] = "fill-mask"
    abilities: ClassVar[str] = "model(text with a mask token)"
    options: ClassVar[frozenset[str]] = frozenset({"top_k"})

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return a list of proposals; for a text with several masks, one such list for each mask.

        A list of texts gives a list of these answers; a list of one text gives its answer alone, as in the pipeline.
        """
        options, run = read_options(MaskOptions, given)
        batch = read_texts(inputs, pairs=False)
        targets = None if options.targets is None else _target_ids(session, options.targets)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
        for index, encoding in enumerate(encodings):
            _require_mask(session, encoding, "the text" if batch.single else f"inputs[{index}]")
        answers = session.decode(
            encodings,
            lambda index, outputs: _proposals(session, encodings[index], outputs, options.top_k, targets),
            batch_size=run.batch_size,
        )
        return answers[0] if len(answers) == 1 else answers

    def counted_positions(self, manifest: Manifest, ids: Sequence[int]) -> list[int] | None:
        """Return the positions of the mask tokens."""
        return [position for position, token in enumerate(ids) if token == manifest.mask_id]


def _require_mask(session: Session, encoding: Encoding, where: str) -> None:
    if session.manifest.mask_id not in encoding.ids:
        token = session.vocabulary.token(session.manifest.mask_id)
        why = f" before the bound of {session.manifest.max_length} tokens" if encoding.truncated else ""
        raise InvalidArgumentError(f"{where} has no mask token{why}; write {token} where a word is missing")


def _proposals(
    session: Session, encoding: Encoding, outputs: Sequence[DecodableArray], top_k: int, targets: list[int] | None
) -> Any:
    window = session.decodable(encoding, None)
    proposals = session.task.masks(window, outputs, top_k=top_k, targets=targets)
    groups = [list(group) for _, group in itertools.groupby(proposals, key=lambda proposal: proposal.index)]
    foreign = not session.manifest.has_core_tokenizer  # only its own decoder can join its tokens
    results = [
        [
            _decoded_proposal(session, encoding, proposal, single=len(groups) == 1)
            if foreign
            else _as_dict(proposal.token, proposal.score, proposal.token_str, proposal.sequence)
            for proposal in group
        ]
        for group in groups
    ]
    return results[0] if len(results) == 1 else results


def _as_dict(token: int, score: float, token_str: str, sequence: str) -> dict[str, Any]:
    return {"score": score, "token": token, "token_str": token_str, "sequence": sequence}


def _decoded_proposal(session: Session, encoding: Encoding, proposal: CoreProposal, *, single: bool) -> dict[str, Any]:
    filled = encoding.ids.copy()
    filled[proposal.index] = proposal.token
    kept = filled[filled != session.manifest.pad_id].tolist()
    # with several masks the other mask tokens stay in the sequence, so special tokens are kept
    sequence = session.vocabulary.decode(kept, skip_special=single)
    return _as_dict(proposal.token, proposal.score, session.vocabulary.decode([proposal.token]), sequence)


def _target_ids(session: Session, targets: str | Sequence[str]) -> list[int]:
    words = [targets] if isinstance(targets, str) else list(targets)
    ids: set[int] = set()
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise InvalidArgumentError(f"targets[{index}] is a {type(word).__name__}, expected a str")
        token = session.vocabulary.ids.get(word)
        ids.update(_first_token(session, word) if token is None else [token])
    if not ids:
        raise InvalidArgumentError("targets names no token of the vocabulary, expected at least one")
    return sorted(ids)


def _first_token(session: Session, word: str) -> list[int]:
    encoding = session.pieces(TextInput(word))
    if not len(encoding):
        warn_user(UserWarning(f"target {word!r} is no token of the vocabulary and is left out"))
        return []
    token = int(encoding.ids[0])
    piece = session.vocabulary.token(token)
    warn_user(UserWarning(f"target {word!r} is no token of the vocabulary, {piece!r} stands for it"))
    return [token]


TASK = FillMask()
