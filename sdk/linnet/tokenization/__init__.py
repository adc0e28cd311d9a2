"""Registry of the kinds of tokenizer that a linnet file can have, with one module for each.

The compiled core reads ``wordpiece`` and ``tables`` (BPE and others), in every language. The ``tokenizers`` package
reads ``tokenizers`` (what the core does not support), in Python only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from linnet.errors import BuildError
from linnet.format.manifest import Manifest
from linnet.runtime import Runtime
from linnet.tokenization.base import OpenedTokenizer, TextStream, Vocabulary

__all__ = ["KINDS", "OpenedTokenizer", "TextStream", "Vocabulary", "open_tokenizer"]


def _core(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    from linnet.tokenization.core import CoreTokenizer

    return CoreTokenizer(runtime)


def _tokenizers(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    from linnet.tokenization.tokenizer_json import TokenizerJson

    return TokenizerJson(manifest.tokenizer, made_with=manifest.tokenizer_version)


KINDS: Mapping[str, Callable[[Runtime, Manifest], OpenedTokenizer]] = {
    "tables": _core,
    "tokenizers": _tokenizers,
    "wordpiece": _core,
}
"""Function that opens a tokenizer, by the value of ``tokenizer_kind`` in the manifest."""


def open_tokenizer(runtime: Runtime, manifest: Manifest) -> OpenedTokenizer:
    """Open the tokenizer of a file.

    Raises:
        BuildError: this linnet does not support the file's kind of tokenizer.
        ExtraMissingError: this kind of tokenizer needs a package that is not installed.
        TokenizerInvalidError: the tokenizer bytes cannot be parsed.
    """
    kind = KINDS.get(manifest.tokenizer_kind)
    if kind is None:
        raise BuildError(
            f"the tokenizer's kind is {manifest.tokenizer_kind!r}, this linnet reads {', '.join(KINDS)}; "
            "install a newer linnet"
        )
    return kind(runtime, manifest)
