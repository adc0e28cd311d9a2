"""Generator of runtime_bindings/runtime/text/tokenizer/unicode_tables.inc, from what the `tokenizers` package does.

    python tools/generate_unicode_tables.py           # write the tables
    python tools/generate_unicode_tables.py --check   # fail if they differ

Every fact is found by asking `tokenizers` about every code point, never taken from Python's
``unicodedata``: the Rust crates behind `tokenizers` follow several Unicode versions at once, and a
device tokenizer has to follow them, not the standard.

Two-stage table: ``kBlockIndex[c >> shift]`` names a block of ``kBlocks``, whose byte for ``c`` names a
record of ``kRecords`` (flags, combining rank, category, more flags). Decompositions, compositions and lower-case
mappings stand in sorted arrays; only code points whose flag says so are searched there.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

_RUNTIME = Path(__file__).resolve().parents[1] / "runtime_bindings" / "runtime"
OUTPUT = _RUNTIME / "text" / "tokenizer" / "unicode_tables.inc"

CODE_POINTS = tuple(c for c in range(0x110000) if not 0xD800 <= c < 0xE000)
"""Every code point that a text can hold."""

# Bits of a record's flags; runtime/text/tokenizer/unicode.h has the same names.
WHITESPACE, DROPPED, PUNCTUATION, CJK, MARK, WORD, DECOMPOSES, LOWERS = (1 << bit for bit in range(8))

# Bits of a record's second byte of flags.
REGEX_SPACE, NUMERIC, NFC_CHANGES, NFKC_CHANGES, NFKD_CHANGES, COMBINING_MARK = (1 << bit for bit in range(6))
# General categories in the regular expressions of Split, in the order of the numbers in unicode.h; 0 is any other.
CATEGORIES = (r"\p{Lu}", r"\p{Ll}", r"\p{Lt}", r"\p{Lm}", r"\p{Lo}", r"\p{M}", r"\p{N}", r"\p{P}", r"\p{S}")

HANGUL_FIRST, HANGUL_COUNT = 0xAC00, 11172
BLOCK_SHIFT = 7


@dataclass(frozen=True)
class Facts:
    """What `tokenizers` does with each code point. Sets of code points unless said."""

    whitespace: frozenset[int]
    dropped: frozenset[int]
    punctuation: frozenset[int]
    cjk: frozenset[int]
    marks: frozenset[int]
    word: frozenset[int]
    decompositions: dict[int, str]
    lowercase: dict[int, str]
    ranks: dict[int, int]
    categories: dict[int, int]
    more: tuple[tuple[int, frozenset[int]], ...]
    compatibility: dict[int, str]
    compositions: dict[tuple[int, int], int]


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise SystemExit(f"tokenizers {tokenizers.__version__} no longer behaves as the core expects: {what}")


def _bert(*, clean: bool = False, cjk: bool = False, strip: bool = False) -> Callable[[str], str]:
    normalizer = normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=cjk, strip_accents=strip, lowercase=False
    )
    return normalizer.normalize_str


def _where(holds: Callable[[str], bool], points: Iterable[int] = CODE_POINTS) -> frozenset[int]:
    return frozenset(c for c in points if holds(chr(c)))


def _changed(normalize: Callable[[str], str]) -> dict[int, str]:
    results = ((c, normalize(chr(c))) for c in CODE_POINTS)
    return {c: result for c, result in results if result != chr(c)}


def _split_classes() -> tuple[frozenset[int], frozenset[int]]:
    """White space and punctuation, as BertPreTokenizer splits them."""
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    pieces = {c: len(split(f"a{chr(c)}b")) for c in CODE_POINTS}
    return (
        frozenset(c for c, count in pieces.items() if count == 2),
        frozenset(c for c, count in pieces.items() if count == 3),
    )


def _dropped(whitespace: frozenset[int]) -> frozenset[int]:
    """Code points that clean_text removes; the white space that stays becomes a plain space."""
    clean = _bert(clean=True)
    dropped = _where(lambda c: clean(f"a{c}b") == "ab")
    kept_space = _where(lambda c: clean(f"a{c}b") == "a b")
    _require(kept_space == whitespace - dropped, "clean_text and the white space class")
    return dropped


def _added_token_follows(content: str, **options: bool) -> Callable[[str], tuple[bool, int]]:
    """Probe: is the added token found before a character, and how far does it reach?"""
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken(content, normalized=False, **options)])

    def probe(character: str) -> tuple[bool, int]:
        encoding = tokenizer.encode(content + character)
        return encoding.ids[0] == 1, encoding.offsets[0][1]

    return probe


def _word_characters() -> frozenset[int]:
    probe = _added_token_follows("+", single_word=True)
    return _where(lambda c: not probe(c)[0])


def _check_stripping(whitespace: frozenset[int]) -> None:
    reach = _added_token_follows("+", rstrip=True)
    _require(_where(lambda c: reach(c)[1] == 2) == whitespace, "the white space that rstrip takes")


def _marks(decompositions: dict[int, str]) -> frozenset[int]:
    """Characters that strip_accents removes after decomposition."""
    strip = _bert(strip=True)
    simple = [c for c in CODE_POINTS if c not in decompositions]
    marks = _where(lambda c: strip(c) == "", simple)
    for c, parts in decompositions.items():
        kept = "".join(part for part in parts if ord(part) not in marks)
        _require(strip(chr(c)) == kept, f"strip_accents of U+{c:04X}")
    return marks


def _combining_ranks(decompositions: dict[int, str]) -> dict[int, int]:
    """Order numbers of the canonical combining classes; starters are left out.

    Two characters are exchanged when the second has a lower class than the first. U+0301 (class 230)
    and U+0323 (220) exchange with every other class, so together they find all non-starters.
    """
    nfd: Callable[[str], str] = normalizers.NFD().normalize_str

    def exchanged(first: str, second: str) -> bool:
        return nfd(first + second) == second + first != first + second

    def compare(left: str, right: str) -> int:
        return int(exchanged(left, right)) - int(exchanged(right, left))

    simple = (c for c in CODE_POINTS if c not in decompositions)
    non_starters = [chr(c) for c in simple if exchanged("\u0301", chr(c)) or exchanged(chr(c), "\u0323")]
    ordered = sorted(non_starters, key=functools.cmp_to_key(compare))
    ranks: dict[int, int] = {}
    rank = 0
    for previous, current in zip([None, *ordered], ordered, strict=False):
        rank += previous is None or compare(previous, current) != 0
        ranks[ord(current)] = rank
    return ranks


def _check_hangul(decompositions: dict[int, str]) -> None:
    """The core computes Hangul (Unicode 3.12): make sure that `tokenizers` agrees."""
    for index in range(HANGUL_COUNT):
        parts = [0x1100 + index // 588, 0x1161 + index % 588 // 28]
        parts += [0x11A7 + index % 28] if index % 28 else []
        expected = "".join(map(chr, parts))
        _require(decompositions.get(HANGUL_FIRST + index) == expected, "Hangul decomposition")


def _decompositions() -> dict[int, str]:
    decompositions = _changed(normalizers.NFD().normalize_str)
    parts = {ord(part) for value in decompositions.values() for part in value}
    _require(not parts & decompositions.keys(), "a decomposition that can be decomposed again")
    _check_hangul(decompositions)
    hangul = range(HANGUL_FIRST, HANGUL_FIRST + HANGUL_COUNT)
    return {c: value for c, value in decompositions.items() if c not in hangul}


def _matches(expression: str) -> frozenset[int]:
    """Code points that an expression for one character matches, as the pre-tokenizer Split reads it."""
    text = "".join(map(chr, CODE_POINTS))
    split = pre_tokenizers.Split(tokenizers.Regex(expression), "removed").pre_tokenize_str
    others = {ord(c) for piece, _ in split(text) for c in piece}
    return frozenset(CODE_POINTS) - others


def _categories() -> dict[int, int]:
    categories: dict[int, int] = {}
    for number, expression in enumerate(CATEGORIES, start=1):
        for c in _matches(expression):
            _require(categories.setdefault(c, number) == number, f"U+{c:04X} has one category")
    _require(_matches(r"\p{L}") == {c for c, number in categories.items() if number <= 5}, "the letters")
    return categories


def _numeric() -> frozenset[int]:
    """Code points that the pre-tokenizer Digits takes out of a word."""
    split = pre_tokenizers.Digits(individual_digits=True).pre_tokenize_str
    text = "a" + "".join(f"{chr(c)}a" for c in CODE_POINTS)
    return frozenset(ord(piece) for piece, _ in split(text) if len(piece) == 1 and piece != "a")


def _compositions(decompositions: dict[int, str]) -> dict[tuple[int, int], int]:
    """Composed character of each pair (first, second), without Hangul, which is computed."""
    nfc: Callable[[str], str] = normalizers.NFC().normalize_str
    compositions: dict[tuple[int, int], int] = {}
    for c, parts in decompositions.items():
        if len(parts) > 1 and nfc(parts) == chr(c):
            first = nfc(parts[:-1])
            _require(len(first) == 1 and nfc(first + parts[-1]) == chr(c), f"composition of U+{c:04X}")
            compositions[ord(first), ord(parts[-1])] = c
    return compositions


def _normal_forms(
    ranks: dict[int, int], compositions: dict[tuple[int, int], int]
) -> tuple[tuple[int, frozenset[int]], ...]:
    """Code points that NFC, NFKC and NFKD may change, in one of the texts that contain them."""
    second = {second for _, second in compositions} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    moves = frozenset(ranks)
    return (
        (NFC_CHANGES, moves | second | _changed(normalizers.NFC().normalize_str).keys()),
        (NFKC_CHANGES, moves | second | _changed(normalizers.NFKC().normalize_str).keys()),
        (NFKD_CHANGES, moves | _changed(normalizers.NFKD().normalize_str).keys()),
    )


def _compatibility(decompositions: dict[int, str]) -> dict[int, str]:
    """Full compatibility decompositions where they differ from the canonical ones."""
    changed = _changed(normalizers.NFKD().normalize_str)
    hangul = range(HANGUL_FIRST, HANGUL_FIRST + HANGUL_COUNT)
    return {c: value for c, value in changed.items() if c not in hangul and decompositions.get(c) != value}


def probe() -> Facts:
    """Ask `tokenizers` about every code point (about 30 seconds)."""
    whitespace, punctuation = _split_classes()
    _check_stripping(whitespace)
    decompositions = _decompositions()
    hangul = dict.fromkeys(range(HANGUL_FIRST, HANGUL_FIRST + HANGUL_COUNT), "")
    lower: Callable[[str], str] = normalizers.Lowercase().normalize_str
    _require(lower("ΑΣ") == "ασ", "lower case depends on the context")
    cjk = _bert(cjk=True)
    ranks = _combining_ranks(decompositions | hangul)
    compositions = _compositions(decompositions)
    accents: Callable[[str], str] = normalizers.StripAccents().normalize_str
    return Facts(
        whitespace=whitespace,
        dropped=_dropped(whitespace),
        punctuation=punctuation,
        cjk=_where(lambda c: cjk(c) == f" {c} "),
        marks=_marks(decompositions) - hangul.keys(),
        word=_word_characters(),
        decompositions=decompositions,
        lowercase=_changed(lower),
        ranks=ranks,
        categories=_categories(),
        more=(
            (REGEX_SPACE, _matches(r"\s")),
            (NUMERIC, _numeric()),
            *_normal_forms(ranks, compositions),
            (COMBINING_MARK, _where(lambda c: not accents(c))),
        ),
        compatibility=_compatibility(decompositions),
        compositions=compositions,
    )


def _bits(classes: Iterable[tuple[int, Iterable[int]]]) -> list[int]:
    flags = [0] * 0x110000
    for flag, points in classes:
        for c in points:
            flags[c] |= flag
    return flags


def _flags(facts: Facts) -> list[int]:
    classes: list[tuple[int, Iterable[int]]] = [
        (WHITESPACE, facts.whitespace),
        (DROPPED, facts.dropped),
        (PUNCTUATION, facts.punctuation),
        (CJK, facts.cjk),
        (MARK, facts.marks),
        (WORD, facts.word),
        (DECOMPOSES, facts.decompositions),
        (DECOMPOSES, range(HANGUL_FIRST, HANGUL_FIRST + HANGUL_COUNT)),
        (LOWERS, facts.lowercase),
    ]
    return _bits(classes)


def _two_stage(values: Sequence[int]) -> tuple[list[int], list[int]]:
    """Cut ``values`` into blocks and keep each different block once."""
    size = 1 << BLOCK_SHIFT
    numbers: dict[tuple[int, ...], int] = {}
    index = []
    for start in range(0, len(values), size):
        block = tuple(values[start : start + size])
        index.append(numbers.setdefault(block, len(numbers)))
    return index, [value for block in numbers for value in block]


def _mappings(table: dict[int, str]) -> tuple[list[int], list[int], list[int]]:
    """Sorted keys; where the value of each begins (one more at the end); the values' characters."""
    keys = sorted(table)
    starts, characters = [0], list[int]()
    for key in keys:
        characters += map(ord, table[key])
        starts.append(len(characters))
    return keys, starts, characters


def _array(kind: str, name: str, values: Sequence[int]) -> str:
    lines = [f"const {kind} {name}[] = {{"]
    line = "   "
    for value in values:
        item = f" {value},"
        if len(line) + len(item) > 110:
            lines.append(line)
            line = "   "
        line += item
    return "\n".join([*lines, line, "};", ""])


def render(facts: Facts) -> str:
    """Return the text of the .inc file."""
    more = _bits(facts.more)
    pairs = [
        (flags, facts.ranks.get(c, 0), facts.categories.get(c, 0), more[c]) for c, flags in enumerate(_flags(facts))
    ]
    records = sorted(set(pairs))
    number = {record: position for position, record in enumerate(records)}
    _require(len(records) <= 256, "more kinds of characters than a byte can number")
    index, blocks = _two_stage([number[pair] for pair in pairs])
    lines = [
        "// Generated by tools/generate_unicode_tables.py from the behaviour of",
        f"// tokenizers {tokenizers.__version__}. Do not edit.",
        "// clang-format off",
        f"constexpr unsigned kBlockShift = {BLOCK_SHIFT};",
        "const Properties kRecords[] = {",
        *("    {" + ", ".join(map(str, record)) + "}," for record in records),
        "};",
        _array("std::uint16_t", "kBlockIndex", index),
        _array("std::uint8_t", "kBlocks", blocks),
    ]
    mappings = (
        ("Decomposition", facts.decompositions),
        ("Compatibility", facts.compatibility),
        ("Lowercase", facts.lowercase),
    )
    for name, table in mappings:
        keys, starts, characters = _mappings(table)
        lines += [
            f"constexpr std::size_t k{name}Count = {len(keys)};",
            _array("char32_t", f"k{name}Keys", keys),
            _array("std::uint16_t", f"k{name}Starts", starts),
            _array("char32_t", f"k{name}Characters", characters),
        ]
    compositions = sorted(facts.compositions.items())
    lines += [
        _array("char32_t", "kCompositionFirsts", [first for (first, _), _ in compositions]),
        _array("char32_t", "kCompositionSeconds", [second for (_, second), _ in compositions]),
        _array("char32_t", "kCompositionResults", [composed for _, composed in compositions]),
    ]
    return "\n".join([*lines, "// clang-format on", ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or compare them with ``--check`` (exit status 1 if they differ)."""
    parser = argparse.ArgumentParser(description="Generate the Unicode tables of the device tokenizer.")
    parser.add_argument("--check", action="store_true", help="only compare; write nothing")
    text = render(probe()) if (options := parser.parse_args(arguments)) else ""
    if not options.check:
        OUTPUT.write_text(text, encoding="utf-8")
        return 0
    if OUTPUT.exists() and OUTPUT.read_text(encoding="utf-8") == text:
        return 0
    print(f"{OUTPUT.name} differs from tokenizers {tokenizers.__version__}: run this tool without --check")
    return 1


if __name__ == "__main__":
    sys.exit(main())
