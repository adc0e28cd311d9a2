"""What ``linnet tune`` found, as it is stored; :mod:`linnet.tuning` reads and applies it."""

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
        name: of the file, without folder.
        recipe: as in its manifest.
        setting: the choice.
        score_ns: geometric mean of p50 over the lengths.
        longest: most tokens whose p90 stays below the limit that was asked for; None if none was, or none does.
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
        kind, schema_version: what this document is.
        created: ISO 8601 in UTC.
        machine: of :func:`linnet.tuning.machine_name`.
        lengths: tokens that the score is of.
        files: by the SHA-256 of their footers, as :func:`linnet.format.footer.file_identity` gives it.
        best: the fastest of them.
        reason: why, in a sentence.
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
        InvalidArgumentError: it is missing, or no profile that this linnet reads.
    """
    return from_data(TuningProfile, read_document(path), "profile")
