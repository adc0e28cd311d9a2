"""``linnet tune --device``: the machinery of ``linnet bench --device`` brings the files there and tunes there."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, OK
from linnet.cli.output import write_text
from linnet.errors import DeviceUnsuitableError, InvalidArgumentError
from linnet_bench.arguments import say_cut
from linnet_bench.bench.devices import status_of, tokenizer_kind, wheel_places
from linnet_bench.bench.outputs import plan_outputs
from linnet_bench.measure.files import file_sha256
from linnet_bench.record.method import DEFAULT
from linnet_bench.record.record import Settings, from_data
from linnet_bench.remote.address import read_devices_file, select_devices
from linnet_bench.remote.board import Board
from linnet_bench.remote.crew import measure_all
from linnet_bench.remote.outcome import Outcome, Request
from linnet_bench.remote.registry import KINDS
from linnet_bench.remote.wheels import find_wheels
from linnet_bench.tune.measure import Finding, TuneJob, store, tune

__all__ = ["tune_as_device", "tune_on_devices"]

Show = Callable[[Finding, TuneJob, Console], None]


def tune_on_devices(args: argparse.Namespace, job: TuneJob, show: Show) -> int:
    """Tune on the devices that the arguments name, show and write what they found, and return the exit status.

    Raises:
        LinnetError: an argument is wrong, a file cannot be used, or the only device failed.
    """
    known = read_devices_file(args.devices_file) if args.devices_file else {}
    addresses = select_devices(args.device, known)
    phones = [each.name for each in addresses if each.kind == "adb"]
    if phones:
        raise InvalidArgumentError(
            f"linnet tune needs Python there, {', '.join(phones)} has the C runner: use linnet bench"
        )
    outputs = plan_outputs(args.output, addresses, "-o", force=args.force)
    board = Board([each.name for each in addresses], sys.stderr)
    outcomes = [_checked(each) for each in measure_all(addresses, _request(args, job), KINDS, board)]
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
    if outcome.tuned is not None or outcome.failure is not None or outcome.interrupted:
        return outcome
    old = DeviceUnsuitableError(
        "its linnet does not know linnet tune --device: build the wheel again, or name a newer one"
    )
    return dataclasses.replace(outcome, failure=old)


def _show(outcome: Outcome, job: TuneJob, show: Show, console: Console) -> Finding | None:
    for note in outcome.notes:
        console.line(f"{outcome.address.name}: {note}")
    if outcome.tuned is None:
        return None
    finding = from_data(Finding, outcome.tuned["finding"], "finding")
    console.heading(outcome.address.name)
    show(finding, job, console)
    if finding.profile is not None:
        console.line(
            'stored there: linnet.load(FILE, profile="auto") on that device'
            if finding.stored
            else "not stored there: it has no cache folder"
        )
    return finding


def _request(args: argparse.Namespace, job: TuneJob) -> Request:
    hashes = [file_sha256(path) for path in args.files]
    kinds = {tokenizer_kind(path) for path in args.files}
    places = wheel_places(args.wheel)
    nothing = Settings(lengths=job.lengths, threads=(1,), seconds=DEFAULT.seconds, samples=None, cold_repeats=0)
    return Request(
        path=args.files[0],
        sha256=hashes[0],
        settings=nothing,
        own_threads=False,
        wheels=find_wheels(places),
        wheel_places=tuple(map(str, places)) or ("dist/ (there is no such folder)",),
        tokenizers=kinds != {"wordpiece"},
        more=tuple(zip(args.files[1:], hashes[1:], strict=True)),
        tune=dataclasses.asdict(job),
    )


def tune_as_device(files: Sequence[Path], job: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Tune here for somebody else, and keep the profile here.

    Args:
        files: as they are stored on this machine.
        job: ``tune`` of :class:`TuneJob`, ``names`` of the files.
        emit: takes the fields of an event: ``progress``, and ``tuned`` with the ``finding``.

    Raises:
        LinnetError: as :func:`linnet_bench.tune.measure.tune`.
    """
    with tempfile.TemporaryDirectory(prefix="linnet-tune-") as folder:
        named = []
        for number, (file, name) in enumerate(zip(files, job["names"], strict=True)):
            link = Path(folder, str(number), name)
            link.parent.mkdir()
            link.symlink_to(file)
            named.append(link)
        finding = tune(named, from_data(TuneJob, job["tune"], "job"), lambda text: emit(event="progress", text=text))
    emit(event="tuned", finding=dataclasses.asdict(store(finding)))
