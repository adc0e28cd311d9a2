"""Decoders of the tables, in the order of kDecoders in the core's steps.cpp."""

from __future__ import annotations

from linnet_export.tokenizer.tables.steps import Makers, Step

__all__ = ["DECODERS"]

(_BYTE_LEVEL,) = range(1)

DECODERS: Makers = {"ByteLevel": lambda _: [Step(_BYTE_LEVEL)]}
"""Steps of each decoder of tokenizer.json."""
