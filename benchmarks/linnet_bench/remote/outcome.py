"""Kinds of devices, the outcome of a job on one of them, and the exit status for several."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from linnet.cli.exit_status import CHECK_FAILED, INTERRUPTED, OK, RUN_FAILED, exit_status
from linnet.errors import LinnetError
from linnet_bench.record.record import Record
from linnet_bench.record.trace import TracedRuns
from linnet_bench.remote.address import Address
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.lifeline import Lifeline

__all__ = ["Device", "Outcome", "Report", "status_of"]

Report: TypeAlias = Callable[[str], None]
"""Takes what is being done now, in a few words."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one device.

    Attributes:
        address: which one.
        record: None if nothing was measured; ``partial`` says whether it is all.
        failure: what ended it early; None if nothing did.
        interrupted: Ctrl-C ended it.
        traced: inferences whose events were kept for a trace.
        events: the last one of each name that the device emitted.
        notes: what the reader of the figures should know, as sentences.
    """

    address: Address
    record: Record | None = None
    failure: LinnetError | None = None
    interrupted: bool = False
    traced: Sequence[TracedRuns] = ()
    events: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()


class Device(Protocol):
    """One kind of device. Errors come back inside of the outcome, with what was measured before them."""

    def run(self, address: Address, job: RemoteJob, report: Report, lifeline: Lifeline) -> Outcome:
        """Do a job on one device."""

    def clean(self, address: Address, report: Report, lifeline: Lifeline) -> int:
        """Remove what linnet left on the device, and return how many bytes that were.

        Raises:
            LinnetError: it cannot be done.
        """


def status_of(outcomes: Sequence[Outcome]) -> int:
    """Return the exit status for several devices.

    130 if interrupted; else 1 if a device answered wrongly; else the status of the failures, 5 if they differ.
    """
    interrupted = any(each.interrupted or _cut_short(each) for each in outcomes)
    if interrupted:
        return INTERRUPTED
    if any(each.record is not None and each.record.wrong for each in outcomes):
        return CHECK_FAILED
    statuses = {exit_status(each.failure) for each in outcomes if each.failure is not None}
    if len(statuses) > 1:
        return RUN_FAILED
    return statuses.pop() if statuses else OK


def _cut_short(outcome: Outcome) -> bool:
    return outcome.failure is None and outcome.record is not None and outcome.record.partial
