"""What is asked of a device, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from linnet.errors import LinnetError
from linnet_bench.record.record import Record, Settings
from linnet_bench.record.trace import TracedRuns
from linnet_bench.remote.address import Address
from linnet_bench.remote.lifeline import Lifeline

__all__ = ["Device", "Outcome", "Report", "Request"]

Report: TypeAlias = Callable[[str], None]
"""Takes what is being done now, in a few words."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What every device shall do.

    Attributes:
        path: the file.
        sha256: of its bytes, hexadecimal.
        settings: of the measurement.
        own_threads: the user named no thread counts: each device takes those that suit its CPUs.
        wheels: wheels that may be installed on a device.
        wheel_places: where they were looked for, for messages.
        runner: folder or file of the C runner for phones; None: look in ``dist/``.
        tokenizers: the file's tokenizer needs the package ``tokenizers``.
        clean: remove everything from the device afterwards.
        traced: inferences of each length whose events are handed over.
        command: what was typed, for the record.
        tune: find the fastest setting instead of measuring: fields of :class:`linnet_bench.tune.measure.TuneJob`.
        more: further files for that, with the SHA-256 of their bytes.
    """

    path: Path
    sha256: str
    settings: Settings
    own_threads: bool
    wheels: tuple[Path, ...] = ()
    wheel_places: tuple[str, ...] = ()
    runner: Path | None = None
    tokenizers: bool = False
    clean: bool = False
    traced: int = 0
    command: str = ""
    tune: Mapping[str, Any] | None = None
    more: tuple[tuple[Path, str], ...] = ()

    @property
    def files(self) -> tuple[tuple[Path, str], ...]:
        """All files with their SHA-256."""
        return ((self.path, self.sha256), *self.more)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one device.

    Attributes:
        address: which one.
        record: None if nothing was measured; ``partial`` says whether it is all.
        failure: what ended it early; None if nothing did.
        interrupted: Ctrl-C ended it.
        traced: inferences whose events were kept for a trace.
        tuned: the event of that name, where a setting was looked for.
        notes: what the reader of the figures should know, as sentences.
    """

    address: Address
    record: Record | None = None
    failure: LinnetError | None = None
    interrupted: bool = False
    traced: Sequence[TracedRuns] = ()
    tuned: Mapping[str, Any] | None = None
    notes: Sequence[str] = ()


class Device(Protocol):
    """One kind of device. Errors come back inside of the outcome, with what was measured before them."""

    def measure(self, address: Address, request: Request, report: Report, lifeline: Lifeline) -> Outcome:
        """Measure on one device."""

    def clean(self, address: Address, report: Report, lifeline: Lifeline) -> int:
        """Remove what linnet left on the device, and return how many bytes that were.

        Raises:
            LinnetError: it cannot be done.
        """
