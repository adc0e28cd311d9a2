"""Numbers formatted for people: three significant digits, grouped thousands, decimal units."""

from __future__ import annotations

import math

__all__ = ["amount", "bytes_text", "grouped", "percent", "significant"]

_SPACE = "\N{NARROW NO-BREAK SPACE}"


def significant(value: float, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits; as a power of ten only if it is far from 1."""
    if not math.isfinite(value):
        return "\N{INFINITY}" if value > 0 else "-\N{INFINITY}" if value < 0 else "not a number"
    if value == 0:
        return "0"
    if abs(value) < 1e-3 or abs(value) >= 1e7:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    after = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{after}f}".replace(",", _SPACE)


def amount(value: float, unit: str = "", digits: int = 3) -> str:
    """Return a number with its unit, joined by a space that does not break."""
    text = significant(value, digits)
    return f"{text}{_SPACE}{unit}" if unit else text


def bytes_text(size: float) -> str:
    """Return a number of bytes as B, kB, MB or GB (powers of 1000)."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size) >= factor:
            return amount(size / factor, unit)
    return f"{size:.0f}{_SPACE}B"


def grouped(number: int) -> str:
    """Return a whole number with grouped thousands."""
    return f"{number:,}".replace(",", _SPACE)


def percent(share: float) -> str:
    """Return a share of 1 as percent, with one decimal digit."""
    return f"{100 * share:.1f}{_SPACE}%"
