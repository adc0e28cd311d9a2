"""The command ``linnet estimate``."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import OK
from linnet.cli.output import check_output_path
from linnet.errors import InvalidArgumentError
from linnet.loading import load
from linnet_bench.arguments import (
    CUT,
    add_output_arguments,
    joined,
    numbers,
    refuse_surplus,
    say_cut,
    thread_counts,
    write_output,
)
from linnet_bench.estimate.decoder import (
    DecoderWork,
    count_decoder_work,
    estimate_decode,
    estimate_prefill,
    show_decoder,
)
from linnet_bench.estimate.devices import DEVICES, THIS, Device, find_device
from linnet_bench.estimate.roofline import Estimate, estimate
from linnet_bench.estimate.work import Work, count_work
from linnet_bench.measure.decoder import longest_input
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.record.preset import DECODER, GENERATION

__all__ = ["add_arguments", "run"]

DEFAULT_LENGTHS = (32, 64, 128, 256)

_EPILOG = f"""\
Counted work of the file over published figures of the device, whose sources are shown. It is an estimate and stays
one: linnet bench measures. Devices: {", ".join(DEVICES)}, and "{THIS}" where the processor is one of these.

examples:
  linnet estimate intents.pte --device pi5
  linnet estimate intents.pte --device pi4 --threads 1,4 --lengths 16,64
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="a linnet file (.pte)")
    add("--device", required=True, metavar="NAME", help=f"device to estimate for: {', '.join(DEVICES)} or {THIS}")
    add("--lengths", type=numbers, metavar="N,N,...",
        help=f"lengths in tokens, {CUT} (default {joined(DEFAULT_LENGTHS)})")  # fmt: skip
    add(
        "--threads",
        type=thread_counts,
        metavar="N,N,...",
        help="numbers of threads (default 1 and all cores, at most 4)",
    )
    add_output_arguments(parser, "the estimate")


def run(args: argparse.Namespace) -> int:
    """Count the work, estimate the time, show it.

    Raises:
        LinnetError: the file cannot be opened or has too little evidence, or the device is unknown.
    """
    refuse_surplus(args)
    device = find_device(args.device)
    if args.output is not None:
        check_output_path(args.output, force=args.force)
    with load(args.file, self_test=False) as model:
        decoder = model.manifest.task == GENERATION
        longest = longest_input(model.manifest.task, model.manifest.max_length)
        lengths = clip_lengths(args.lengths or (DECODER.lengths if decoder else DEFAULT_LENGTHS), longest)
        say_cut(args.lengths, longest)
        work = (count_decoder_work if decoder else count_work)(model.manifest, model.evidence)
    threads = args.threads or tuple(sorted({1, min(4, device.cores)}))
    too_many = [count for count in threads if count > device.cores]
    if too_many:
        raise InvalidArgumentError(f"--threads has {joined(too_many)}, {device.title} has {device.cores} cores")
    estimates = [made for count in threads for tokens in lengths for made in _estimates(work, device, tokens, count)]
    if not args.json:
        _show(args.file, device, work, estimates, Console())
    write_output(lambda: _json(args.file, device, estimates), args)
    return OK


def _estimates(work: Work | DecoderWork, device: Device, tokens: int, threads: int) -> list[Estimate]:
    if isinstance(work, DecoderWork):
        return [make(work, device, tokens, threads) for make in (estimate_prefill, estimate_decode)]
    return [estimate(work, device, tokens, threads)]


def _show(
    path: Path, device: Device, work: Work | DecoderWork, estimates: Sequence[Estimate], console: Console
) -> None:
    console.line(f"ESTIMATE, not measured: {path.name} on {device.title}")
    console.line()
    if isinstance(work, DecoderWork):
        show_decoder(work, estimates, console)
    else:
        _show_encoder(work, estimates, console)
    for source in device.sources:
        console.line(f"- {source}")


def _show_encoder(work: Work, estimates: Sequence[Estimate], console: Console) -> None:
    headers = ("threads", "tokens", "about ms", "linear", "attention", "moving", "starting", "")
    rows = []
    for estimated in estimates:
        parts = (estimated.linear, estimated.attention, estimated.moving, estimated.starting)
        note = "bound by memory" if estimated.memory_bound else ""
        times = [f"{part * 1e3:.2f}" for part in parts]
        rows.append([str(estimated.threads), str(estimated.tokens), f"{estimated.seconds * 1e3:.1f}", *times, note])
    console.table(headers, rows, right=range(7))
    console.line()
    tokens = estimates[-1].tokens
    macs = work.linear_macs(tokens, int8=True) + work.linear_macs(tokens, int8=False)
    console.line(
        f"work at {tokens} tokens: {macs / 1e6:.0f} M multiply-accumulates in linear layers, "
        f"{work.attention_macs(tokens) / 1e6:.0f} M in attention; weights {work.weight_bytes / 1e6:.1f} MB"
    )


def _json(path: Path, device: Device, estimates: Sequence[Estimate]) -> str:
    rows = [{**dataclasses.asdict(estimated), "seconds": estimated.seconds} for estimated in estimates]
    data = {"kind": "linnet-estimate", "schema_version": "1.1", "measured": False, "file": path.name}
    return json.dumps({**data, "device": dataclasses.asdict(device), "estimates": rows}, indent=1) + "\n"
