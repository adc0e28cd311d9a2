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
from linnet_bench.remote.process_group import ProcessGroup

__all__ = ["Device", "Outcome", "Report", "status_of"]

Report: TypeAlias = Callable[[str], None]
"""Callback for the current step, in a few words."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of a job on one device.

    Attributes:
        address: the device.
        record: None if nothing was measured; its ``partial`` is set if it is incomplete.
        failure: error that ended the job early; None if there was none.
        interrupted: the user ended the job with Ctrl-C.
        traced: inferences whose events were kept for a trace.
        events: the last one of each name that the device emitted.
        notes: remarks for the reader of the figures, as sentences.
    """

    address: Address
    record: Record | None = None
    failure: LinnetError | None = None
    interrupted: bool = False
    traced: Sequence[TracedRuns] = ()
    events: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()


class Device(Protocol):
    """One kind of device. Errors are returned inside the outcome, with what was measured before them."""

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        """Run a job on one device."""

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        """Remove what linnet stored on the device, and return its size in bytes.

        Raises:
            LinnetError: it cannot be done.
        """


def status_of(outcomes: Sequence[Outcome]) -> int:
    """Return the exit status for several devices.

    130 if interrupted; else 1 if a device answered wrongly; else the status of the failures, 5 if they differ.
    """
    interrupted = any(outcome.interrupted or _cut_short(outcome) for outcome in outcomes)
    if interrupted:
        return INTERRUPTED
    if any(outcome.record is not None and outcome.record.wrong for outcome in outcomes):
        return CHECK_FAILED
    statuses = {exit_status(outcome.failure) for outcome in outcomes if outcome.failure is not None}
    if len(statuses) > 1:
        return RUN_FAILED
    return statuses.pop() if statuses else OK


def _cut_short(outcome: Outcome) -> bool:
    return outcome.failure is None and outcome.record is not None and outcome.record.partial
