"""Byte ranges of a program that are parsed, as opposed to weights.

Their hash is checked at every load, so that no damaged byte reaches a parser, and they have to be small. Header and
program section come first; then the delegate segments that the program points to.
"""

from __future__ import annotations

from executorch.exir.schema import DataLocation

from linnet_export.lower.executorch_compat import parse_program, segment_base

__all__ = ["structural_ranges"]


def structural_ranges(program: bytes) -> list[tuple[int, int]]:
    """Return (offset, size) in bytes of what is parsed in ``program``.

    The first range starts at 0 and reaches to the first segment, or to the end of a program without
    segments. The delegate segments follow in the order of their offsets, each once.

    Raises:
        ValueError: ``program`` is not an ExecuTorch program.
    """
    if program[4:6] != b"ET":
        raise ValueError(f"starts with {program[:8]!r}, an ExecuTorch program has ET12 at byte 4")
    base = segment_base(program)
    if base == 0:
        return [(0, len(program))]
    return [(0, base), *((base + offset, size) for offset, size in _delegate_segments(program[:base]))]


def _delegate_segments(section: bytes) -> list[tuple[int, int]]:
    """Return (offset from the segment base, size) of the segments that hold delegate payloads."""
    root = parse_program(section)
    indices = {
        delegate.processed.index
        for plan in root.execution_plan
        for delegate in plan.delegates
        if delegate.processed.location == DataLocation.SEGMENT
    }
    segments = [root.segments[index] for index in indices]
    return sorted((segment.offset, segment.size) for segment in segments if segment.size > 0)
