"""The command ``linnet bench``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.exit_status import CHECK_FAILED, INTERRUPTED, OK
from linnet.cli.output import check_output_path, write_text
from linnet.errors import InvalidArgumentError
from linnet_bench.arguments import (
    CUT,
    add_output_arguments,
    command_line,
    cpu_set,
    joined,
    numbers,
    refuse_surplus,
    say_cut,
    thread_counts,
    write_output,
)
from linnet_bench.measure.benchmark import TRACED, Benchmark, default_threads
from linnet_bench.measure.decoder import DECODED, longest_input, task_of
from linnet_bench.measure.progress import Progress
from linnet_bench.record.preset import DECODER, DECODER_QUICK, DEFAULT, GENERATION, HEADLINE, OFFICIAL, QUICK, Preset
from linnet_bench.record.record import Record, Settings, to_json
from linnet_bench.record.table import show_record
from linnet_bench.record.trace import trace_facts, trace_json
from linnet_bench.remote.arguments import add_device_arguments, wants_devices

__all__ = ["add_arguments", "run", "settings_from"]

PROFILE_LENGTHS = (16, 128, 512)

_EPILOG = f"""\
For each thread count a fresh process loads the file, repeats its golden cases, warms up, times `forward`
at each length with the garbage collector off, and repeats the golden cases. For a wrong answer no latency
is reported and the exit status is {CHECK_FAILED}. Percentiles are nearest-rank: latencies that occurred.
Of a decoder, --lengths are those of prompts (default {joined(DECODER.lengths)}); each prompt is another one and is
continued by {DECODED} tokens: tokens/s of prefill and of decoding behind it, and the time to the first token.

--official follows MLPerf Mobile's single stream: at least {OFFICIAL.least_samples} samples and {OFFICIAL.seconds:.0f} s
for each length, p{HEADLINE} as the headline, {OFFICIAL.repeats} repeats and their spread, with pauses of
{OFFICIAL.cooldown_seconds:.0f} s. It takes hours; docs/how-to/benchmarking.md says more.

examples:
  linnet bench intents.pte
  linnet bench intents.pte --lengths 16,64 --threads 1,2,4 --samples 200
  linnet bench intents.pte -o intents-bench.json
  linnet bench intents.pte --official --lengths 32,128 --threads 2 -o official.json
  linnet bench intents.pte --profile --lengths 128 --threads 1 --trace intents-trace.json
  linnet bench smollm2.pte --lengths 64,1024 --threads 2
  linnet bench intents.pte --device ssh://pi@raspberrypi.local --device local -o records/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a linnet file (.pte)")
    parser.add_argument(
        "--lengths",
        type=numbers,
        metavar="N,N,...",
        help=f"lengths in tokens, {CUT} (default {joined(DEFAULT.lengths)})",
    )
    parser.add_argument(
        "--threads",
        type=thread_counts,
        metavar="N,N,...",
        help="numbers of threads (default 1,2; 1 on a single CPU)",
    )
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument(
        "--seconds", type=float, metavar="S", help=f"seconds for each length (default {DEFAULT.seconds:g})"
    )
    amount.add_argument("--samples", type=int, metavar="N", help="number of samples for each length, instead of a time")
    parser.add_argument(
        "--cold",
        type=int,
        metavar="N",
        help=f"number of fresh processes for the cold start (default {DEFAULT.cold_repeats})",
    )
    add_method_arguments(parser)
    parser.add_argument(
        "--profile",
        action="store_true",
        help=f"show where the time goes, by operator (default lengths {joined(PROFILE_LENGTHS)})",
    )
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="OUT",
        help=f"profile, and write a trace of {TRACED} inferences of each length for chrome://tracing or Perfetto",
    )
    add_output_arguments(parser, "the record")
    add_device_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure the file, show and write the record; see the epilog for the exit status.

    Raises:
        LinnetError: the file cannot be measured; finished results are shown and written.
    """
    refuse_surplus(args)
    if args.file is None and not args.clean_device:
        raise InvalidArgumentError("FILE is missing, expected a linnet file (.pte)")
    if wants_devices(args):
        from linnet_bench.bench.devices import run_on_devices

        return run_on_devices(args, None if args.file is None else settings_from(args, task_of(args.file)))
    outputs = [out for out in (args.output, args.trace) if out is not None]
    if len(set(outputs)) < len(outputs):
        raise InvalidArgumentError(f"--output and --trace both name {args.trace}; give each its own file")
    for out in outputs:
        check_output_path(out, force=args.force)
    progress = Progress(sys.stderr)
    benchmark = Benchmark(args.file, settings_from(args, task_of(args.file)), progress.say, command=command_line())
    try:
        failure = benchmark.measure()
    finally:
        progress.end()
    record = benchmark.record()
    if record is not None:
        say_cut(args.lengths, longest_input(record.file.task, record.file.max_length))
        if not args.json:
            show_record(record, Console())
        write_output(lambda: to_json(record), args)
        if args.trace is not None and benchmark.traced:
            write_text(trace_json(benchmark.traced, trace_facts(record)), args.trace, force=args.force)
    if failure is not None:
        raise failure
    if benchmark.interrupted:
        return _interrupted(record)
    return CHECK_FAILED if record is not None and record.wrong else OK


def _interrupted(record: Record | None) -> int:
    if record is None:
        print("linnet: interrupted before the first result: there is no record", file=sys.stderr)
    return INTERRUPTED


def add_method_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for duration, repeats, CPUs and method."""
    add = parser.add_argument
    add(
        "--repeats",
        type=int,
        metavar="N",
        help=f"number of processes for each number of threads (default {DEFAULT.repeats})",
    )
    add("--cooldown", type=float, metavar="S",
        help=f"seconds to pause before each process but the first (default {DEFAULT.cooldown_seconds:g})")  # fmt: skip
    method = parser.add_mutually_exclusive_group()
    method.add_argument("--quick", action="store_true", help="measure roughly: few lengths, little time")
    method.add_argument(
        "--official", action="store_true", help="measure by the method of MLPerf Mobile, which takes hours"
    )
    add("--affinity", type=cpu_set, default=(), metavar="CPUS", help="bind the processes to these CPUs, as in 0,4-7")
    add("--fused", choices=("auto", "yes", "no"), default="auto",
        help="use linnet's custom kernels if the file has them (default auto: where they are faster)")  # fmt: skip
    add("--activation-bits", choices=("auto", "7", "8"), default="auto",
        help="bits of rounded activations in custom kernels (default auto: 7 where faster and proven)")  # fmt: skip


def _preset(args: argparse.Namespace, task: str) -> Preset:
    if task == GENERATION:
        return DECODER_QUICK if args.quick else DECODER
    return QUICK if args.quick else OFFICIAL if args.official else DEFAULT


def settings_from(args: argparse.Namespace, task: str = "") -> Settings:
    """Return the settings of the arguments: those of the task's preset, changed by the other options.

    Raises:
        InvalidArgumentError: numbers are out of range or contradict the official method; lists all of them.
    """
    method = _preset(args, task)
    profile = args.profile or args.trace is not None
    given = Settings(
        lengths=args.lengths or (PROFILE_LENGTHS if profile else method.lengths),
        threads=args.threads or default_threads(),
        seconds=method.seconds if args.seconds is None and args.samples is None else args.seconds,
        samples=args.samples,
        cold_repeats=method.cold_repeats if args.cold is None else args.cold,
        profile=profile,
        method=method.name,
        least_samples=method.least_samples,
        most_samples=method.most_samples,
        warmup_seconds=method.warmup_seconds,
        warmup_runs=method.warmup_runs,
        repeats=method.repeats if args.repeats is None else args.repeats,
        cooldown_seconds=method.cooldown_seconds if args.cooldown is None else args.cooldown,
        fused={"auto": None, "yes": True, "no": False}[args.fused],
        affinity=args.affinity,
        activation_bits=0 if args.activation_bits == "auto" else int(args.activation_bits),
    )
    problems = [*_out_of_range(given), *(_against_official(given, task) if args.official else ())]
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    return given


def _out_of_range(settings: Settings) -> Iterator[str]:
    if settings.cold_repeats < 0:
        yield f"--cold is {settings.cold_repeats}, expected 0 (leave it out) or more"
    if settings.samples is not None and settings.samples < 1:
        yield f"--samples is {settings.samples}, expected at least 1"
    if settings.seconds is not None and not 0 < settings.seconds <= 3600:
        yield f"--seconds is {settings.seconds:g}, expected above 0 and at most 3600"
    if settings.repeats < 1:
        yield f"--repeats is {settings.repeats}, expected at least 1"
    if not 0 <= settings.cooldown_seconds <= 3600:
        yield f"--cooldown is {settings.cooldown_seconds:g}, expected 0 to 3600"


def _against_official(settings: Settings, task: str) -> Iterator[str]:
    if task == GENERATION:
        yield "--official is a method for encoders, got a decoder; use --seconds and --repeats"
        return
    if settings.samples is not None:
        yield f"--official takes at least {OFFICIAL.least_samples} samples by itself; leave out --samples"
    if settings.seconds is not None and settings.seconds < OFFICIAL.seconds:
        yield f"--seconds is {settings.seconds:g}, --official expected at least {OFFICIAL.seconds:g}"
    if settings.repeats < OFFICIAL.repeats:
        yield f"--repeats is {settings.repeats}, --official expected at least {OFFICIAL.repeats}"
