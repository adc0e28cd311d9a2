"""Number of tokens of a prompt, which some programs leave out of the pooling."""

from __future__ import annotations

from collections.abc import Collection, Sequence

__all__ = ["count_prompt_tokens"]


def count_prompt_tokens(ids: Sequence[int], texts: Sequence[int | None], special: Collection[int]) -> int:
    """Return how many tokens of a text behind a prompt are the prompt's, from the tokens of the prompt alone.

    As in sentence-transformers, a special token at the end does not count. The core counts in the same way
    (`prompt_tokens` of runtime_bindings/runtime/c_api/flow_api.cpp).

    Args:
        ids: token ids of the prompt alone, special tokens included.
        texts: for each token the text that it belongs to; negative or None for special tokens.
        special: ids of the special tokens that the file names.
    """
    if not ids:
        return 0
    text = texts[-1]
    return len(ids) - (text is None or text < 0 or ids[-1] in special)
