"""The part of ``linnet bench`` that deals with devices: from arguments to exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, INTERRUPTED, OK, RUN_FAILED, exit_status
from linnet.cli.output import write_text
from linnet.errors import InvalidArgumentError, LinnetError
from linnet.runtime import open_runtime
from linnet_bench.arguments import command_line, say_cut
from linnet_bench.bench.outputs import plan_outputs
from linnet_bench.bench.side_by_side import show_outcomes
from linnet_bench.measure.files import file_sha256
from linnet_bench.record.record import Settings, write_record
from linnet_bench.record.trace import trace_facts, trace_json
from linnet_bench.remote.address import Address, read_devices_file, select_devices
from linnet_bench.remote.board import Board
from linnet_bench.remote.crew import clean_all, measure_all
from linnet_bench.remote.outcome import Outcome, Request
from linnet_bench.remote.registry import KINDS
from linnet_bench.remote.wheels import find_wheels

__all__ = ["run_on_devices", "status_of", "tokenizer_kind", "wheel_places"]

_WHEELS = Path("dist")


def run_on_devices(args: argparse.Namespace, settings: Settings | None, traced: int) -> int:
    """Measure on the devices that the arguments name, show, write, and return the exit status.

    Args:
        args: of ``linnet bench``.
        settings: that they mean; None: there is no file, the devices are only cleaned.
        traced: inferences of each length for a trace.

    Raises:
        LinnetError: an argument is wrong, the file cannot be used, or the only device failed.
    """
    known = read_devices_file(args.devices_file) if args.devices_file else {}
    addresses = select_devices(args.device, known)
    if not addresses:
        raise InvalidArgumentError("--clean-device needs --device or --devices-file")
    if args.file is None or settings is None:
        return _clean(addresses)
    records = plan_outputs(args.json, addresses, "--json", force=args.force)
    traces = plan_outputs(args.trace, addresses, "--trace", force=args.force)
    request = _request(args, settings, traced)
    outcomes = measure_all(addresses, request, KINDS, _board(addresses))
    bounds = [each.record.file.max_length for each in outcomes if each.record is not None]
    if bounds:
        say_cut(args.lengths, bounds[0])
    show_outcomes(outcomes, Console())
    for outcome in outcomes:
        _write(outcome, records.get(outcome.address.name), traces.get(outcome.address.name), force=args.force)
    if len(outcomes) == 1 and outcomes[0].failure is not None:
        raise type(outcomes[0].failure)(f"{addresses[0].name}: {outcomes[0].failure}")
    return status_of(outcomes)


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


def _board(addresses: Sequence[Address]) -> Board:
    return Board([address.name for address in addresses], sys.stderr)


def _request(args: argparse.Namespace, settings: Settings, traced: int) -> Request:
    sha256 = file_sha256(args.file)
    kind = tokenizer_kind(args.file)
    places = wheel_places(args.wheel)
    return Request(
        path=args.file,
        sha256=sha256,
        settings=settings,
        own_threads=args.threads is None,
        wheels=find_wheels(places),
        wheel_places=tuple(map(str, places)) or (f"{_WHEELS}/ (there is no such folder)",),
        runner=args.runner,
        tokenizers=kind != "wordpiece",
        clean=args.clean_device,
        traced=traced,
        command=command_line(),
    )


def tokenizer_kind(path: Path) -> str:
    """Return the kind of a file's tokenizer; a file that is refused is refused before it is copied anywhere.

    Raises:
        LinnetError: it cannot be used.
    """
    runtime = open_runtime(str(path), 0)
    kind = str(runtime.manifest.get("tokenizer_kind"))
    runtime.close()
    return kind


def wheel_places(given: Sequence[Path] | None) -> Sequence[Path]:
    """Return where wheels are looked for: as ``--wheel`` says, else in dist/."""
    if given is not None:
        return given
    return [_WHEELS] if _WHEELS.is_dir() else []


def _write(outcome: Outcome, record_path: Path | None, trace_path: Path | None, *, force: bool) -> None:
    if outcome.record is None:
        return
    if record_path is not None:
        write_record(outcome.record, record_path, force=force)
    if trace_path is not None and outcome.traced:
        facts = {**trace_facts(outcome.record), "device": outcome.address.name}
        write_text(trace_json(outcome.traced, facts), trace_path, force=force)


def _clean(addresses: Sequence[Address]) -> int:
    failures: list[Outcome] = []
    for address, found in clean_all(addresses, KINDS, _board(addresses)):
        if isinstance(found, int):
            Console().line(f"{address.name}: removed {found / 1e6:.1f} MB")
        elif isinstance(found, LinnetError):
            Console(sys.stderr).line(f"linnet: error: {address.name}: {found}")
            failures.append(Outcome(address=address, failure=found))
        else:
            failures.append(Outcome(address=address, interrupted=True))
    return status_of(failures)
