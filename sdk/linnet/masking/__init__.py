"""Masking of personal data in texts: e-mail addresses, numbers with check digits, names, places.

from linnet.masking import Masker

masker = Masker()
masker.mask("Write to ada@example.org").text  # "Write to [EMAIL]"
"""

from __future__ import annotations

from linnet.masking.masker import MODES, Masker
from linnet.masking.session import Session
from linnet.masking.span import Masked, Span
from linnet.masking.types import TypeInfo, pattern_types

__all__ = ["MODES", "Masked", "Masker", "Session", "Span", "TypeInfo", "pattern_types"]
