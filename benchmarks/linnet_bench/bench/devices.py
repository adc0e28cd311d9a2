"""``linnet bench --device``: measurement on other devices, from arguments to exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.output import write_text
from linnet.errors import InvalidArgumentError, LinnetError
from linnet_bench.arguments import command_line, say_cut
from linnet_bench.bench.on_device import ENTRY_POINT
from linnet_bench.bench.side_by_side import print_json, show_outcomes, show_troubles
from linnet_bench.measure.benchmark import BenchmarkRequest
from linnet_bench.measure.decoder import longest_input
from linnet_bench.record.record import Settings, write_record
from linnet_bench.record.trace import trace_facts, trace_json
from linnet_bench.remote.address import Address, read_devices_file, select_devices
from linnet_bench.remote.job import RemoteJob, deployment_for, hashed
from linnet_bench.remote.outcome import Outcome, status_of
from linnet_bench.remote.outputs import plan_outputs
from linnet_bench.remote.parallel import clean_all, run_all
from linnet_bench.remote.progress_board import ProgressBoard
from linnet_bench.remote.registry import KINDS

__all__ = ["run_on_devices"]


def run_on_devices(args: argparse.Namespace, settings: Settings | None) -> int:
    """Measure on the devices in the arguments, show and write the results, and return the exit status.

    Args:
        args: arguments of ``linnet bench``.
        settings: settings from the arguments; None: there is no file, the devices are only cleaned.

    Raises:
        LinnetError: an argument is wrong, the file cannot be used, or the only device failed.
    """
    known = read_devices_file(args.devices_file) if args.devices_file else {}
    addresses = select_devices(args.device, known)
    if not addresses:
        raise InvalidArgumentError("--clean-device needs --device or --devices-file")
    if args.file is None or settings is None:
        return _clean(addresses)
    records = plan_outputs(args.output, addresses, "--output", force=args.force)
    traces = plan_outputs(args.trace, addresses, "--trace", force=args.force)
    job = RemoteJob(
        files=hashed([args.file]),
        entry_point=ENTRY_POINT,
        payload=BenchmarkRequest(settings=settings, own_threads=args.threads is None, command=command_line()),
        deployment=deployment_for(args, [args.file]),
    )
    outcomes = run_all(addresses, job, KINDS, _board(addresses))
    files = [outcome.record.file for outcome in outcomes if outcome.record is not None]
    if files:
        say_cut(args.lengths, longest_input(files[0].task, files[0].max_length))
    if args.json:
        print_json(outcomes)
        show_troubles(outcomes, Console(sys.stderr))
    else:
        show_outcomes(outcomes, Console())
    for outcome in outcomes:
        _write(outcome, records.get(outcome.address.name), traces.get(outcome.address.name), force=args.force)
    if len(outcomes) == 1 and outcomes[0].failure is not None:
        raise type(outcomes[0].failure)(f"{addresses[0].name}: {outcomes[0].failure}")
    return status_of(outcomes)


def _board(addresses: Sequence[Address]) -> ProgressBoard:
    return ProgressBoard([address.name for address in addresses], sys.stderr)


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
    for address, result in clean_all(addresses, KINDS, _board(addresses)):
        if isinstance(result, int):
            Console().line(f"{address.name}: removed {result / 1e6:.1f} MB")
        elif isinstance(result, LinnetError):
            Console(sys.stderr).line(f"linnet: error: {address.name}: {result}")
            failures.append(Outcome(address=address, failure=result))
        else:
            failures.append(Outcome(address=address, interrupted=True))
    return status_of(failures)
