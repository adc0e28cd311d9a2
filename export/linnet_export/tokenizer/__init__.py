"""Tokenizer of a checkpoint, and the bytes of it that the file carries."""

from __future__ import annotations

import dataclasses

import tokenizers

from linnet_export.tokenizer.errors import UnsupportedTokenizerError
from linnet_export.tokenizer.loading import (
    ROLES,
    LoadedTokenizer,
    check_tokenizer_files,
    has_tokenizer,
    load_tokenizer,
    read_tokenizer,
)
from linnet_export.tokenizer.tables import check_tables, tables_blob
from linnet_export.tokenizer.tokenizer_json import tokenizer_json_blob
from linnet_export.tokenizer.wordpiece import wordpiece_blob

__all__ = [
    "ROLES",
    "LoadedTokenizer",
    "TokenizerBytes",
    "UnsupportedTokenizerError",
    "check_tokenizer_files",
    "has_tokenizer",
    "load_tokenizer",
    "read_tokenizer",
    "tables_blob",
    "tokenizer_bytes",
    "tokenizer_json_blob",
    "wordpiece_blob",
]


@dataclasses.dataclass(frozen=True)
class TokenizerBytes:
    """A tokenizer as the file carries it.

    Attributes:
        kind: wordpiece, tables or tokenizers, as in the manifest.
        data: the bytes of that kind.
        version: version of ``tokenizers`` that wrote them; empty for the kinds that the core reads.
        note: what the user should know about the kind, or empty.
    """

    kind: str
    data: bytes
    version: str = ""
    note: str = ""


def tokenizer_bytes(tokenizer: tokenizers.Tokenizer, *, clean_up: bool = False) -> TokenizerBytes:
    """Return the bytes for the core if they can say exactly what the tokenizer does, else its JSON.

    Args:
        tokenizer: the original's tokenizer.
        clean_up: decoded text loses the space before punctuation (not for wordpiece, whose decoder has its own rule).

    Raises:
        UnsupportedTokenizerError: no kind can carry it.
    """
    try:
        return TokenizerBytes("wordpiece", wordpiece_blob(tokenizer))
    except UnsupportedTokenizerError:
        pass  # another model, or another variant of WordPiece
    try:
        data = tables_blob(tokenizer, clean_up=clean_up)
        check_tables(tokenizer, data)
        return TokenizerBytes("tables", data)
    except UnsupportedTokenizerError as error:
        data = tokenizer_json_blob(tokenizer, clean_up=clean_up)
        return TokenizerBytes("tokenizers", data, tokenizers.__version__, _note(error, len(data)))


def _note(error: UnsupportedTokenizerError, size: int) -> str:
    return (
        f"the tokenizer has {error.found}, where the core has {error.needed}: the file carries it as "
        f"tokenizer.json ({size / 1e6:.2f} MB), which Python reads with linnet's extra tokenizers; "
        "a C program has to pass token ids, and linnet bundle makes the file a part of a Python project alone, not of "
        "an Android, iOS or C one"
    )
