"""Identifiers and string literals of generated code: ``volume down`` -> ``VOLUME_DOWN``."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

__all__ = ["constant_names", "quoted", "type_name"]


def constant_names(labels: Sequence[str]) -> list[str]:
    """Return a name of A-Z, 0-9 and _ for each label, none twice, none beginning with a digit."""
    names: list[str] = []
    for index, label in enumerate(labels):
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        name = re.sub(r"[^A-Z0-9]+", "_", plain.upper()).strip("_") or f"LABEL_{index}"
        if name[0].isdigit():
            name = f"LABEL_{name}"
        if name in names:
            name = f"{name}_{index}"
        names.append(name)
    return names


def type_name(name: str) -> str:
    """Return a file's name as the name of a type: ``home_intents`` -> ``HomeIntents``."""
    return "".join(part.capitalize() for part in name.split("_"))


def quoted(text: str, *, dollar: bool = False) -> str:
    """Return a string literal that C, Kotlin and Python read alike; ``dollar`` escapes $ for Kotlin."""
    literal = json.dumps(text, ensure_ascii=False)
    return literal.replace("$", "\\$") if dollar else literal
