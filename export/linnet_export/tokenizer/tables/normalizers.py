"""Normalizers of the tables, in the order of kNormalizers in the core's steps.cpp."""

from __future__ import annotations

from linnet_export.tokenizer.tables.layout import numbers
from linnet_export.tokenizer.tables.steps import Makers, Step

__all__ = ["NORMALIZERS"]

_NORMAL_FORM = 0

_FORMS = ("NFC", "NFD", "NFKC", "NFKD")

NORMALIZERS: Makers = {
    form: (lambda _, number=number: [Step(_NORMAL_FORM, numbers(number))])  # type: ignore[misc]
    for number, form in enumerate(_FORMS)
}
"""Steps of each normalizer of tokenizer.json."""
