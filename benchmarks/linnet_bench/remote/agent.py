"""Remote job runner on the device, once linnet is installed there: calls the job's entry point.

Events, beside ``done`` and ``failed`` of :mod:`linnet_bench.remote.bootstrap`; the entry points emit the first four:

========  =====================================================================================
event     fields
========  =====================================================================================
progress  ``text``: what is being measured now
record    ``record``: all finished results, sent repeatedly; the last one counts
traced    ``runs``: threads, tokens and events of :class:`~linnet_bench.record.trace.TracedRuns`
tuned     ``finding``: of :mod:`linnet_bench.tune.measure`
failed    ``name``, ``message``: the error that ended the job; the record before it is partial
========  =====================================================================================
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError

__all__ = ["StoredFile", "run_job"]


@dataclasses.dataclass(frozen=True)
class StoredFile:
    """A file stored on this machine.

    Attributes:
        path: where it is stored.
        name: its original name, for records.
    """

    path: Path
    name: str


def run_job(files: Sequence[Path], job: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Run a job on this machine for a remote host.

    Args:
        files: paths as stored on this machine.
        job: data of :class:`linnet_bench.remote.job.RemoteJob`.
        emit: sends an event, given its fields.
    """
    module, _, function = job["entry_point"].partition(":")
    try:
        work = getattr(importlib.import_module(module), function)
        work([StoredFile(path, name) for path, name in zip(files, job["names"], strict=True)], job["payload"], emit)
    except LinnetError as error:
        emit(event="failed", name=type(error).__name__, message=str(error))
