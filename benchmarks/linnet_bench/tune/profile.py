"""Stored result of ``linnet tune``; :mod:`linnet.tuning` reads and applies it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from linnet.tuning import KIND, VERSION, TunedSetting, read_document
from linnet_bench.record.record import from_data

__all__ = ["TunedFile", "TuningProfile", "read_profile"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TunedFile:
    """The best setting of one file.

    Attributes:
        name: file name without folder.
        recipe: as in its manifest.
        setting: the tuned setting.
        score_ns: geometric mean of p50 over the lengths.
        longest: longest input in tokens whose p90 stays below the requested limit; None without a limit or an input.
    """

    name: str
    recipe: str
    setting: TunedSetting
    score_ns: float
    longest: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuningProfile:
    """The result of ``linnet tune``.

    Attributes:
        kind, schema_version: kind and version of this document.
        created: ISO 8601 in UTC.
        machine: as :func:`linnet.tuning.machine_name` returns it.
        lengths: input lengths of the score, in tokens.
        files: by the SHA-256 of their footers, as :func:`linnet.format.footer.file_identity` returns it.
        best: the fastest of them.
        reason: reason for the choice, in a sentence.
    """

    kind: str = KIND
    schema_version: str = VERSION
    created: str
    machine: str
    lengths: tuple[int, ...]
    files: Mapping[str, TunedFile]
    best: str
    reason: str

    def to_json(self) -> str:
        """Return indented JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1) + "\n"


def read_profile(path: Path) -> TuningProfile:
    """Read a whole profile.

    Raises:
        InvalidArgumentError: it is missing, or no profile that this version of linnet can read.
    """
    return from_data(TuningProfile, read_document(path), "profile")
