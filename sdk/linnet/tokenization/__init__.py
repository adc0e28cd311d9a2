"""Kinds of tokenizer that a linnet file can carry: a small registry, one file each.

``wordpiece`` is read by the compiled core in every language; ``tokenizers`` (byte-level BPE, Unigram, and
WordPiece that the core cannot express) by the ``tokenizers`` package, in Python only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from linnet.errors import BuildError
from linnet.format.manifest import Manifest
from linnet.runtime import Runtime
from linnet.tokenization.base import OpenedTokenizer, Vocabulary

__all__ = ["KINDS", "OpenedTokenizer", "Vocabulary", "open_tokenizer"]


def _wordpiece(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    from linnet.tokenization.wordpiece import WordPieceTokenizer

    return WordPieceTokenizer(runtime)


def _tokenizers(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    from linnet.tokenization.tokenizer_json import TokenizerJson

    return TokenizerJson(manifest.tokenizer, made_with=manifest.tokenizer_version)


KINDS: Mapping[str, Callable[[Runtime, Manifest], OpenedTokenizer]] = {
    "tokenizers": _tokenizers,
    "wordpiece": _wordpiece,
}
"""Value of the manifest's ``tokenizer_kind`` -> what opens it."""


def open_tokenizer(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    """Open the tokenizer of a file.

    Raises:
        BuildError: this linnet does not know the file's kind of tokenizer.
        ExtraMissingError: the kind needs a package that is not installed.
        TokenizerInvalidError: the tokenizer bytes do not parse.
    """
    kind = KINDS.get(manifest.tokenizer_kind)
    if kind is None:
        raise BuildError(
            f"the tokenizer's kind is {manifest.tokenizer_kind!r}, this linnet reads {', '.join(KINDS)}; "
            "install a newer linnet"
        )
    return kind(runtime, manifest)
