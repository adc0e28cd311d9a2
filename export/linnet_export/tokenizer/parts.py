"""Tokens, added tokens and templates of tokenizer.json, as every kind of tokenizer of the core has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import tokenizers

from linnet_export.tokenizer.errors import unsupported_part

__all__ = [
    "ADDED_FLAGS",
    "FIRST",
    "SECOND",
    "SPECIAL",
    "Json",
    "Piece",
    "bert_pieces",
    "searched_texts",
    "template_pieces",
    "tokens_by_id",
]

Json: TypeAlias = dict[str, Any]

ADDED_FLAGS = ("special", "normalized", "lstrip", "rstrip", "single_word")
"""Settings of an added token, in the order of the bits that the core reads."""

FIRST, SECOND, SPECIAL = range(3)
"""Kinds of a template's pieces: a text, or a special token."""

_TEXTS = {"A": FIRST, "B": SECOND}

Piece: TypeAlias = tuple[int, int, int]
"""Kind, type id, token id."""


def tokens_by_id(vocab: Mapping[str, int], added: Sequence[Json], most: int) -> list[str]:
    """Return the token of each id; empty where an id is unused.

    Raises:
        UnsupportedTokenizerError: two tokens have one id, or there are more than ``most`` ids.
    """
    token_of = dict(zip(vocab.values(), vocab, strict=True))
    more = [(item["content"], item["id"]) for item in added]
    # one by one only if there is a clash to name: a large vocabulary takes long
    for token, position in more if len(token_of) == len(vocab) else [*vocab.items(), *more]:
        other = token_of.setdefault(position, token)
        if other != token:
            raise unsupported_part(f"two tokens with id {position} ({other!r} and {token!r})", "one token for an id")
    size = max(token_of, default=-1) + 1
    if size > most:
        raise unsupported_part(f"token ids up to {size - 1}", f"ids below {most}")
    return [token_of.get(position, "") for position in range(size)]


def searched_texts(added: Sequence[Json], normalizer: tokenizers.normalizers.Normalizer | None) -> list[str]:
    """Return the text that each added token is found by.

    Raises:
        UnsupportedTokenizerError: matches could be empty, overlap, or belong to either of two tokens.
    """
    found: list[str] = []
    seen: dict[tuple[bool, str], str] = {}
    for token in added:
        content, normalized = token["content"], token["normalized"]
        text = normalizer.normalize_str(content) if normalized and normalizer is not None else content
        if not text:
            raise unsupported_part(f"added token {content!r}, empty when normalized", "tokens with text")
        strips = any(other["rstrip"] and other["normalized"] is normalized for other in added)
        if strips and text[0].isspace():
            raise unsupported_part(
                f"added token {content!r}, which begins with white space, beside one with rstrip",
                "added tokens whose matches cannot overlap",
            )
        # `tokenizers` finds either of them, by the order of a hash table
        other = seen.setdefault((normalized, text), content)
        if other != content:
            raise unsupported_part(f"added tokens {other!r} and {content!r}, equal when normalized", "different ones")
        found.append(text)
    return found


def template_pieces(template: Iterable[Json], special_tokens: Mapping[str, Json]) -> Iterator[Piece]:
    """Yield the pieces of a template of TemplateProcessing."""
    for piece in template:
        if "Sequence" in piece:
            text = piece["Sequence"]
            yield _TEXTS[text["id"]], text["type_id"], 0
            continue
        special = piece["SpecialToken"]
        for token_id in special_tokens[special["id"]]["ids"]:
            yield SPECIAL, special["type_id"], token_id


def bert_pieces(processor: Json) -> tuple[list[Piece], list[Piece]]:
    """Return the templates of BertProcessing: of one text, and of two."""
    cls, sep = processor["cls"][1], processor["sep"][1]
    single = [(SPECIAL, 0, cls), (FIRST, 0, 0), (SPECIAL, 0, sep)]
    return single, [*single, (SECOND, 1, 0), (SPECIAL, 1, sep)]
