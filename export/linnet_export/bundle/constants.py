"""Identifiers and string literals of generated code: ``volume down`` -> ``VOLUME_DOWN``."""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata
from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

__all__ = ["Language", "camel_names", "constant_names", "identifier", "quoted", "type_name"]

Language: TypeAlias = Literal["c", "kotlin", "python", "swift"]
"""Languages of generated code."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_SPELLED = {"+": "PLUS", "#": "SHARP", "&": "AND", "%": "PERCENT", "@": "AT", "<": "LESS", ">": "GREATER", "=": "EQUAL"}

# words of C, C++, Java, Kotlin and Swift that no package, module or variable can be named
_KEYWORDS = frozenset(
    """
    abstract alignas alignof and asm associatedtype auto bool boolean break byte case catch char class const constexpr
    continue default defer deinit delete do double dynamic else enum explicit export extends extension extern
    fallthrough false fileprivate final finally float for friend fun func goto guard if implements import in infix init
    inline inout instanceof int interface internal is let long mutable namespace native new nil not null object
    operator or override package private protected protocol public register repeat rethrows return self short signed
    sizeof static strictfp struct subscript super switch synchronized template this throw throws transient true try
    typealias typedef typeid typename typeof union unsigned using val var virtual void volatile wchar when where while
    xor
    """.split()
)
# names that a generated package, type or module would hide: of the languages, of their libraries, of linnet
_TAKEN = frozenset(
    """
    answer any array build bundle character classification clinnet context dictionary engine entity error executorch
    file foundation java javax kotlin licenses linnet linnet_runtime linnet_wheels linnetexecutorch list map math
    model module numpy optional result sample set span status task tensor tests token tokenizers tokens unit url
    value wheel_backend wheels
    """.split()
)


def identifier(name: str) -> str:
    """Return a name of lower-case letters, digits and underscores that begins with a letter.

    A name that one of the languages has itself, such as ``class`` or ``json``, gets ``_model`` after it.
    """
    kept = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    kept = kept if kept[:1].isalpha() else f"model_{kept}".rstrip("_")
    taken = kept in _KEYWORDS or kept in _TAKEN or keyword.iskeyword(kept) or kept in sys.stdlib_module_names
    return f"{kept}_model" if taken else kept


def constant_names(labels: Sequence[str], reserved: Collection[str] = ()) -> list[str]:
    """Return a name of A-Z, 0-9 and _ for each label, none twice, none beginning with a digit.

    Args:
        labels: the labels.
        reserved: names that must not be given.
    """
    return _distinct([_constant(label, index) for index, label in enumerate(labels)], reserved, "_")


def camel_names(labels: Sequence[str], reserved: Collection[str] = ()) -> list[str]:
    """Return the constants as ``volumeDown``, none twice; ``reserved`` as in :func:`constant_names`."""
    names = []
    for index, label in enumerate(labels):
        first, *rest = _constant(label, index).lower().split("_")
        words = zip([first, *rest], rest, strict=False)
        # 1.0 is not 10: an underscore stays between two digits
        names.append(
            first
            + "".join(
                "_" + word if last[-1].isdigit() and word[0].isdigit() else word.capitalize() for last, word in words
            )
        )
    return _distinct(names, reserved, "_")


def _constant(label: str, index: int) -> str:
    spelled = "".join(f" {_SPELLED[character]} " if character in _SPELLED else character for character in label)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_") or f"LABEL_{index}"
    return f"LABEL_{name}" if name[0].isdigit() else name


def _distinct(names: Sequence[str], reserved: Collection[str], separator: str) -> list[str]:
    """Return the names, with a number after those that are reserved or given to an earlier one.

    A number is one that no other name has by itself: of ``A_2, A, A`` the last becomes ``A_3``.
    """
    taken = {*names, *reserved}
    distinct: list[str] = []
    for name in names:
        number, candidate = 2, name
        while candidate in distinct or candidate in reserved or (candidate != name and candidate in taken):
            candidate = f"{name}{separator}{number}"
            number += 1
        distinct.append(candidate)
    return distinct


def type_name(name: str) -> str:
    """Return a file's name as the name of a type: ``home_intents`` -> ``HomeIntents``."""
    return "".join(part.capitalize() for part in name.split("_"))


def quoted(text: str, language: Language) -> str:
    """Return a string literal of the language."""
    escapes = _ESCAPES if language != "kotlin" else {**_ESCAPES, "$": "\\$"}
    return f'"{"".join(escapes.get(character) or _escaped(character, language) for character in text)}"'


def _escaped(character: str, language: Language) -> str:
    code = ord(character)
    if 0x20 <= code < 0x7F or code > 0x9F:
        return character
    match language:
        case "kotlin":
            return f"\\u{code:04x}"
        case "swift":
            return f"\\u{{{code:x}}}"
        case "python":
            return f"\\x{code:02x}"
        case "c":  # as its UTF-8, three octal digits a byte, so that no digit that follows belongs to it
            return "".join(f"\\{byte:03o}" for byte in character.encode())
