"""This machine as one device among others: measures with the running linnet and copies nothing."""

from __future__ import annotations

import json
import sys
from typing import IO

from linnet.errors import DeviceError
from linnet_bench.remote.address import Address
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.outcome import Outcome, Report
from linnet_bench.remote.process_group import Finished, ProcessGroup
from linnet_bench.remote.stream import read_events

__all__ = ["LocalDevice"]


class LocalDevice:
    """Measures on this machine."""

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        """Run a job on this machine; see :class:`linnet_bench.remote.outcome.Device`."""
        paths = [str(path.resolve()) for path, _ in job.files]
        line = json.dumps({"op": "here", "paths": paths, "job": job.to_data()})
        command = [address.python or sys.executable, "-P", "-m", "linnet_bench.remote.bootstrap"]
        with processes.start(command, ask=_close) as process:
            process.write([line.encode() + b"\n"], close=False)
            told = read_events(process.lines(), report)
            if not told.done:
                finished = process.finish()
                told.lost = None if processes.cancelled else _explain(finished)
        return told.outcome(address, interrupted=processes.cancelled)

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        """Return 0, because nothing was copied."""
        return 0


def _explain(finished: Finished) -> DeviceError:
    last = " ".join(finished.said.splitlines()[-1:]) or "it said nothing"
    return DeviceError(f"the measuring process ended with {finished.returncode}: {last}")


def _close(stdin: IO[bytes]) -> None:
    stdin.close()
