"""Conformance records of masking: texts put together from parts whose types are known."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conformance.make_records import Record

__all__ = ["mask_records"]

Part = tuple[str, str]
"""Type and text; without a type it is no personal data."""

SOURCES = ("pattern", "finder", "tagger")
_BLOCK = "█"

# values from standards and from documentation of their issuers, as in tests/linnet/masking/test_patterns.py
_TEXTS: tuple[tuple[Part, ...], ...] = (
    (("", "Write to "), ("EMAIL", "ada@example.org"), ("", " or "), ("PHONE", "+49 30 901820"), ("", ".")),
    (
        ("", "é𝄞👩‍👩‍👧 "),
        ("IBAN", "DE89 3704 0044 0532 0130 00"),
        ("", " 漢字 "),
        ("EMAIL", "用户@例子.广告"),
        ("", "。"),
    ),
    (
        ("CARD", "４１１１　１１１１　１１１１　１１１１"),
        ("", "\n"),
        ("CARD", "5555555555554444"),
        ("", " and 5555555555554445"),
    ),
    (("IP", "2001:db8::1"), ("", ", "), ("IP", "192.0.2.146"), ("", ":80, "), ("MAC", "00:1a:2b:3c:4d:5e")),
    (("", "née le "), ("DATE_OF_BIRTH", "1er mars 1980"), ("", ", since 1.3.2020; SSN "), ("US_SSN", "536-22-8145")),
    (("", "дата рождения "), ("DATE_OF_BIRTH", "12.03.1980"), ("", ", 生年月日 "), ("DATE_OF_BIRTH", "1980年3月12日")),
    (("", "Steuer-ID "), ("DE_TAX_ID", "86 095 742 719"), ("", "; NHS "), ("UK_NHS", "943 476 5919"), ("", ";")),
    (("EMAIL", "a@example.org"), ("", " "), ("EMAIL", "b@example.org"), ("", " "), ("EMAIL", "a@example.org")),
    (("", "Nothing personal: 12:30, v1.2.3.4, 3.14, @home\t+5\0"),),
    (("", ""),),
)
_LITERAL: tuple[Part, ...] = (
    ("", "Is "),
    ("TEXT", "[EMAIL_1]"),
    ("", " [CARD] "),
    ("EMAIL", "ada@example.org"),
    ("", "?[A_"),
)


def _masked(parts: Sequence[Part], mode: str) -> str:
    numbers: dict[Part, int] = {}
    counts: dict[str, int] = {}
    written = []
    for part in parts:
        type_, text = part
        if not type_ or (type_ == "TEXT" and mode != "pseudonym"):
            written.append(text)
        elif mode == "pseudonym":
            if part not in numbers:
                counts[type_] = numbers[part] = counts.get(type_, 0) + 1
            written.append(f"[{type_}_{numbers[part]}]")
        else:
            written.append({"type": f"[{type_}]", "redact": 5 * _BLOCK}.get(mode, len(text) * _BLOCK))
    return "".join(written)


def _records(
    parts: Sequence[Part], mode: str, types: str = "", given: str = "", source: str = "pattern"
) -> list[Record]:
    text = "".join(part for _, part in parts)
    records: list[Record] = [("mask", types, mode, text, given, _masked(parts, mode))]
    at = 0
    for type_, part in parts:
        if type_ and type_ != "TEXT":
            places = (at, at + len(part))
            utf8 = [len(text[:place].encode()) for place in places]
            utf16 = [len(text[:place].encode("utf-16-le")) // 2 for place in places]
            who = "tagger" if type_ == "PERSON" else source
            records.append(("finding", type_, part, who, *places, *utf8, *utf16))
        at += len(part)
    return records


def mask_records() -> list[Record]:
    """What maskers give for texts, with every mode."""
    records: list[Record] = []
    for parts in (*_TEXTS, _LITERAL):
        for mode in ("type", "pseudonym", "redact", "redact_length"):
            records += _records(parts, mode)
    given: tuple[Part, ...] = (("PERSON", "Ada 👩 King"), ("", " <"), ("EMAIL", "ada@example.org"), ("", "> wrote"))
    chosen: tuple[Part, ...] = (("", "ada@example.org "), ("US_SSN", "536-22-8145"))
    for mode in ("type", "pseudonym"):
        records += _records(given, mode, given="PERSON 0 28 0.5 2")
        records += _records((("EMAIL", "x"), ("", " y")), mode, types="-", given="EMAIL 0 1 0.5 1", source="finder")
        records += _records(chosen, mode, types="NATIONAL_ID")
    return records
