"""Prompts and options for which every binding gives the same text: 50 prompts, greedy and seeded, and conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from linnet.model import Model
from tests.conformance.make_records import escape

__all__ = ["CASES", "Case", "completion_line", "write_cases"]

Case = tuple[str, int, int | None, str | None, str | None]
"""Prompt, or the roles and contents of messages with U+001F between; most tokens, seed or None, stop string or None,
and another option as name=value or None: a constraint with U+001F between choices, keep (which slides), lookup."""

_WORDS = (
    "The small bird",
    "sings",
    "naïve",
    "漢字",
    "👩‍👩‍👧",
    "e\u0301",
    "12345",
    "\n\n",
    "  two",
    "I'll",
    "<|im_end|>",
    "Ångström",
)
_PROMPTS = [" ".join(_WORDS[(at * step) % len(_WORDS)] for step in range(1, 2 + at % 4)) for at in range(50)]
_CHATS = (
    "user\x1fWhy do birds sing?",
    "system\x1fBe short.\x1fuser\x1fHi",
    "user\x1fa\x1fassistant\x1fb\x1fuser\x1fc ",
)

_LONG_CHAT = "\x1f".join(("system", "Sing.", *("user", "a b c d e", "assistant", "f g h i j") * 6, "user", "last"))
_OTHERS = (
    "regex=[a-c]{3}(é|漢)+",
    "choices=yes\x1fno\x1fyes, and no",
    'json_schema={"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","é"]}},"required":["a","b"]}',
    "keep=3",
    "lookup=7",
)

CASES: tuple[Case, ...] = (
    *((prompt, 12, None, None, None) for prompt in _PROMPTS),
    *((prompt, 12, (1 << 64) - 1 - at, None, None) for at, prompt in enumerate(_PROMPTS)),
    *((chat, 8, seed, None, None) for chat in _CHATS for seed in (None, 7)),
    *((_PROMPTS[at], 24, at, stop, None) for at, stop in enumerate(("e", "th", " a", "in"))),
    *(
        (_PROMPTS[at], 40, seed, None, other)
        for other in _OTHERS
        for at, seed in ((1, None), (2, (1 << 64) - 2), (3, 5))
    ),
    *((prompt, 150, seed, None, "keep=0") for prompt in (_PROMPTS[3] * 9, _LONG_CHAT) for seed in (None, 11)),
    (_PROMPTS[0], 1000, 3, None, None),
    (_PROMPTS[0], 0, None, None, None),
)


def write_cases(path: Path) -> Path:
    """Write the cases, one a line with tabs between its cells, and return the path."""
    lines = ["\t".join(map(escape, case)) + "\n" for case in CASES]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


def _options(other: str | None) -> dict[str, Any]:
    name, _, value = (other or "").partition("=")
    if name == "choices":
        return {name: value.split("\x1f")}
    if name == "keep":
        return {"overflow": "slide", name: int(value)}
    if name == "lookup":
        return {"prompt_lookup_num_tokens": int(value)}
    return {name: value} if name else {}


def completion_line(model: Model, case: Case) -> list[str]:
    """Return what the SDK generates: ids, log probabilities, reason of the end, prompt tokens, text in hexadecimal."""
    prompt, tokens, seed, stop, other = case
    parts = prompt.split("\x1f")
    messages = [{"role": role, "content": text} for role, text in zip(parts[::2], parts[1::2], strict=False)]
    sampling: dict[str, Any] = (
        {} if seed is None else {"temperature": 1.5, "top_k": 50, "top_p": 0.9, "repetition_penalty": 1.1}
    )
    found = model.generate(
        messages or prompt, max_new_tokens=tokens, seed=seed, stop_strings=[stop] if stop else [], **sampling,
        **_options(other),
    )  # fmt: skip
    ids, logarithms = (" ".join(map(str, each)) for each in (found.ids, found.log_probabilities))
    return [ids, logarithms, found.finish_reason.upper(), str(found.prompt_tokens), found.text.encode().hex()]
