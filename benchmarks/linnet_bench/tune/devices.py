"""``linnet tune --device``: tuning on other machines, with the remote jobs of ``linnet bench --device``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import write_text
from linnet.errors import DeviceUnsuitableError, InvalidArgumentError
from linnet_bench.arguments import say_cut
from linnet_bench.record.record import from_data
from linnet_bench.remote.address import read_devices_file, select_devices
from linnet_bench.remote.job import RemoteJob, deployment_for, hashed
from linnet_bench.remote.outcome import Outcome, status_of
from linnet_bench.remote.outputs import plan_outputs
from linnet_bench.remote.parallel import run_all
from linnet_bench.remote.progress_board import ProgressBoard
from linnet_bench.remote.registry import KINDS
from linnet_bench.tune.measure import Finding, TuneJob
from linnet_bench.tune.on_device import ENTRY_POINT

__all__ = ["tune_on_devices"]

Show = Callable[[Finding, TuneJob, Console], None]


def tune_on_devices(args: argparse.Namespace, job: TuneJob, show: Show) -> int:
    """Tune on the devices in the arguments, show and write their findings, and return the exit status.

    Raises:
        LinnetError: an argument is wrong, a file cannot be used, or the only device failed.
    """
    known = read_devices_file(args.devices_file) if args.devices_file else {}
    addresses = select_devices(args.device, known)
    phones = [address.name for address in addresses if address.kind == "adb"]
    if phones:
        raise InvalidArgumentError(
            f"linnet tune needs Python there, {', '.join(phones)} has the C runner: use linnet bench"
        )
    outputs = plan_outputs(args.output, addresses, "-o", force=args.force)
    remote = RemoteJob(
        files=hashed(args.files),
        entry_point=ENTRY_POINT,
        payload=job,
        deployment=deployment_for(args, args.files),
    )
    board = ProgressBoard([address.name for address in addresses], sys.stderr)
    outcomes = [_checked(outcome) for outcome in run_all(addresses, remote, KINDS, board)]
    findings = [_show(outcome, job, show, Console()) for outcome in outcomes]
    measured = [finding.lengths for finding in findings if finding is not None]
    if measured:
        say_cut(args.lengths, max(measured[0]))
    for outcome, finding in zip(outcomes, findings, strict=True):
        path = outputs.get(outcome.address.name)
        if path is not None and finding is not None and finding.profile is not None:
            write_text(finding.profile.to_json(), path, force=args.force)
    _tell_failures(outcomes)
    wrong = any(finding is not None and finding.profile is None for finding in findings)
    return status_of(outcomes) or (CHECK_FAILED if wrong else OK)


def _tell_failures(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.failure is None:
            continue
        if len(outcomes) == 1:
            raise type(outcome.failure)(f"{outcome.address.name}: {outcome.failure}")
        Console(sys.stderr).line(f"linnet: error: {outcome.address.name}: {outcome.failure}")


def _checked(outcome: Outcome) -> Outcome:
    if "tuned" in outcome.events or outcome.failure is not None or outcome.interrupted:
        return outcome
    old = DeviceUnsuitableError(
        "its linnet does not know linnet tune --device: build the wheel again, or name a newer one"
    )
    return dataclasses.replace(outcome, failure=old)


def _show(outcome: Outcome, job: TuneJob, show: Show, console: Console) -> Finding | None:
    for note in outcome.notes:
        console.line(f"{outcome.address.name}: {note}")
    if "tuned" not in outcome.events:
        return None
    finding = from_data(Finding, outcome.events["tuned"]["finding"], "finding")
    console.heading(outcome.address.name)
    show(finding, job, console)
    if finding.profile is not None:
        console.line(
            'stored there: linnet.load(FILE, profile="auto") on that device'
            if finding.stored
            else "not stored there: it has no cache folder"
        )
    return finding
