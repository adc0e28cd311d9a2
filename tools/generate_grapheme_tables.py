"""Generator of runtime_bindings/runtime/text/tokenizer/grapheme_tables.inc: classes of grapheme cluster boundaries.

    python tools/generate_grapheme_tables.py           # write the table
    python tools/generate_grapheme_tables.py --check   # fail if it differs

The classes are those of Unicode Standard Annex #29 as the package ``regex`` knows them, without the marks that
`tokenizers`, which follows an older version of Unicode, does not join to a letter. One number for each run of code
points with the same class: the first one times 32, plus the class
(``runtime_bindings/runtime/text/tokenizer/graphemes.cpp`` names them). Hangul syllables are found by arithmetic.
"""

from __future__ import annotations

import argparse
import struct
import sys
from pathlib import Path

import regex  # type: ignore[import-untyped]
from tokenizers import normalizers

_RUNTIME = Path(__file__).resolve().parents[1] / "runtime_bindings" / "runtime"
OUTPUT = _RUNTIME / "text" / "tokenizer" / "grapheme_tables.inc"

# in the order of Class in graphemes.cpp; a code point gets the first that matches, 0 if none does
CLASSES = (
    r"\p{GCB=CR}", r"\p{GCB=LF}", r"\p{GCB=Control}", r"\p{GCB=ZWJ}", r"[\p{GCB=Extend}&&\p{InCB=Linker}]",
    r"[\p{GCB=Extend}&&\p{InCB=Extend}]", r"\p{GCB=Extend}", r"\p{GCB=SpacingMark}", r"\p{GCB=Prepend}",
    r"\p{GCB=Regional_Indicator}", r"\p{GCB=L}", r"\p{GCB=V}", r"\p{GCB=T}", r"\p{ExtPict}", r"\p{InCB=Consonant}",
)  # fmt: skip
_JOINED = range(4, 9)
"""Classes that never begin a cluster behind a letter."""

_SYLLABLES = range(0xAC00, 0xAC00 + 11172)
_CLASS_BITS = 5
_PER_LINE = 12


def classes() -> list[int]:
    """Return the class of every code point."""
    # a lone surrogate never reaches the core
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    text = "".join(map(chr, points))
    found = [0] * 0x110000
    for number, expression in reversed(list(enumerate(CLASSES, 1))):
        for match in regex.finditer(expression, text, flags=regex.VERSION1):
            found[ord(match.group())] = number
    replaced = normalizers.Precompiled(_character_map())
    for c in points:
        joined = replaced.normalize_str("a" + chr(c)) == "X"
        if joined and found[c] not in _JOINED:
            sys.exit(f"tokenizers joins U+{c:04X} to a letter, regex does not: update regex")
        if found[c] in _JOINED and not joined:
            found[c] = 0
    for c in _SYLLABLES:
        found[c] = 0
    return found


def _character_map() -> bytes:
    """Return a map of SentencePiece that replaces a short cluster that begins with "a" by "X".

    A unit of its trie is: bits 0-7 the byte that leads there, bit 8 a value follows, bits 10-30 the offset by which its
    children lie apart from it, combined by exclusive or; the unit of a value has bit 31 and the place of the new text.
    """
    letter = ord("a")
    units = [0] * 512
    units[0] = 256 << 10
    units[256 ^ letter] = letter | 1 << 8 | letter << 10
    units[256] = 1 << 31
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + b"X\0"


def table() -> str:
    """Return the content of the file."""
    found = classes()
    runs = [c << _CLASS_BITS | found[c] for c in range(0x110000) if c == 0 or found[c] != found[c - 1]]
    lines = [", ".join(f"{run}U" for run in runs[at : at + _PER_LINE]) for at in range(0, len(runs), _PER_LINE)]
    head = "// Made by tools/generate_grapheme_tables.py; do not edit.\n"
    return head + "constexpr std::uint32_t kRuns[] = {\n" + "".join(f"    {line},\n" for line in lines) + "};\n"


def main() -> None:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="fail if the table differs")
    arguments = parser.parse_args()
    content = table()
    if not arguments.check:
        OUTPUT.write_text(content, encoding="utf-8")
    elif OUTPUT.read_text(encoding="utf-8") != content:
        sys.exit(f"{OUTPUT.name} differs: run python tools/generate_grapheme_tables.py")


if __name__ == "__main__":
    main()
