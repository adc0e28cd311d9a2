"""Regular expressions in tokenizer.json that can take exponential time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from linnet_export.tokenizer.errors import unsupported_part

__all__ = ["check_patterns", "is_explosive"]

_MOST_CHARACTERS = 2000
_TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{\d+,\}|[+*?|()]|.", re.DOTALL)


def check_patterns(state: Any) -> None:
    """Refuse a tokenizer.json with a pattern whose time can grow exponentially with the text.

    Raises:
        UnsupportedTokenizerError: there is one; the message has it.
    """
    for pattern in _patterns(state):
        if len(pattern) > _MOST_CHARACTERS or is_explosive(pattern):
            raise unsupported_part(
                f"the regular expression {pattern[:80]!r} in tokenizer.json, which can take exponential time",
                "expressions without a repetition inside of a repetition",
            )


def is_explosive(pattern: str) -> bool:
    """Return whether a repeated group has a repetition or alternatives inside, as in ``(a+)+`` or ``(a|a)*``."""
    groups = [False]  # of each open group: it has a repetition or alternatives
    closed: bool | None = None  # of the group that has just ended
    for token in _TOKEN.findall(pattern):
        repeats = token in "+*" or token.startswith("{")
        if closed is not None and repeats and closed:
            return True
        if token == "(":
            groups.append(False)
        elif token == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] |= closed
            continue
        elif repeats or token == "|":
            groups[-1] = True
        closed = None
    return False


def _patterns(state: Any) -> Iterator[str]:
    if isinstance(state, dict):
        for key, value in state.items():
            if key == "Regex" and isinstance(value, str):
                yield value
            elif key not in ("vocab", "merges", "added_tokens"):
                yield from _patterns(value)
    elif isinstance(state, list):
        for value in state:
            yield from _patterns(value)
