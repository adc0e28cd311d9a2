"""Files as an attacker makes them: parts of a real file changed, every hash computed again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from linnet.assets import default_model
from linnet.format.trailer import FOOTER_SIZE, read_trailer
from tests.support.mutations import Parts, compose

__all__ = ["shipped_parts", "take_apart", "with_evidence", "with_text"]


def take_apart(path: Path) -> Parts:
    """Return the parts of an unsigned linnet file."""
    data, trailer = path.read_bytes(), read_trailer(path)
    end = len(data) - FOOTER_SIZE - 16 * len(trailer.ranges)
    return Parts(data[: trailer.program_size], data[trailer.program_size : end], trailer.ranges)


def shipped_parts() -> Parts:
    """Return the parts of the model that comes with linnet."""
    return take_apart(Path(default_model()))


def with_evidence(parts: Parts, evidence: object) -> bytes:
    """Return the file with other evidence: bytes as they are, anything else as JSON."""
    data = evidence if isinstance(evidence, bytes) else json.dumps(evidence).encode()
    return compose(dataclasses.replace(parts, evidence=data))


def with_text(parts: Parts, old: bytes, new: bytes) -> bytes:
    """Return the file with another text of the same length in its program."""
    assert len(old) == len(new)
    assert parts.program.count(old) >= 1
    return compose(dataclasses.replace(parts, program=parts.program.replace(old, new)))
