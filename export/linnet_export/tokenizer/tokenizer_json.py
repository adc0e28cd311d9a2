"""Serialization of any tokenizer of the ``tokenizers`` package as its JSON (kind ``tokenizers``).

``linnet.tokenization.json_bytes`` has the layout.
"""

from __future__ import annotations

import json

import tokenizers

from linnet.tokenization.json_bytes import pack, unpack
from linnet_export.tokenizer.errors import unsupported_part

__all__ = ["tokenizer_json_blob"]


def tokenizer_json_blob(tokenizer: tokenizers.Tokenizer, *, clean_up: bool = False) -> bytes:
    """Return the bytes that carry a tokenizer whole, without its settings for truncation and padding.

    The same tokenizer gives the same bytes in every process.

    Args:
        tokenizer: any tokenizer that can be written as JSON.
        clean_up: decoded text loses the space before punctuation.

    Raises:
        UnsupportedTokenizerError: the tokenizer does not come back from its JSON as it was.
    """
    if tokenizer.encode_special_tokens:
        raise unsupported_part("encode_special_tokens is on", "special tokens found in the text")
    try:
        state = json.loads(tokenizer.to_str())
    except Exception as error:  # `tokenizers` raises nothing more special
        raise unsupported_part(f"a part that cannot be saved ({error})", "what tokenizer.json can say") from error
    text = json.dumps({**state, "truncation": None, "padding": None}, ensure_ascii=False, separators=(",", ":"))
    data = pack(text, clean_up=clean_up)
    _check_kept(tokenizer, tokenizers.Tokenizer.from_str(unpack(data)[0].decode("utf-8")))
    return data


def _check_kept(tokenizer: tokenizers.Tokenizer, read: tokenizers.Tokenizer) -> None:
    for added in (False, True):
        before, after = (side.get_vocab(with_added_tokens=added) for side in (tokenizer, read))
        differing = sorted({token for token, _ in before.items() ^ after.items()})
        if differing:
            shown = ", ".join(repr(token) for token in differing[:5])
            raise unsupported_part(
                f"{len(differing)} tokens that tokenizer.json loses or renumbers ({shown})", "one token for an id"
            )
