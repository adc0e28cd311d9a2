"""What MiniLM-L6 in int8 costs on 64-bit ARM processors: counted and modelled on x86-64 Linux, nothing is timed.

python -m benchmarks.arm_cost [--quick] [--only instructions,bytes,loops] [--json FILE]

instructions: executed by one inference under QEMU's user mode, counted by a plugin, for linnet's fast method,
its method `forward`, and ONNX Runtime. bytes: likewise, what loads and stores move, and the lines of 64 bytes that one
inference touches. loops: multiply-accumulates a cycle of the linear layer's inner loop by llvm-mca. What is unpacked,
built and counted is kept in build/aarch64, so that a second run prints at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.emulated_aarch64 import BuildFailedError, UnavailableError

from benchmarks.arm_cost import emulate, mca
from benchmarks.arm_cost.emulate import ENGINES, PROCESSORS, Outcome, Processor
from benchmarks.arm_cost.report import FAST, Report, cosine

__all__ = ["main"]

_PARTS = ("instructions", "bytes", "loops")
_LENGTHS = (16, 64, 128, 256)
_MEMORY_LENGTHS = (16, 128)
_MEMORY_PROCESSORS = ("cortex-a76",)  # counting takes three times as long, and bytes hardly depend on the processor
_DEFAULT = (FAST, "forward", "ort-plain")
_QUICK = ("cortex-a76", 16)
_LEAST_COSINE = 0.97  # between int8 engines, which round differently


def _say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


def _count(
    processors: Sequence[Processor], engines: Sequence[str], lengths: Sequence[int], report: Report, jobs: int, *,
    memory: bool,
) -> dict[Processor, dict[str, Outcome]]:  # fmt: skip
    """Run every engine on every processor; what fails is among the skipped."""
    what = "bytes" if memory else "instructions"

    def one(pair: tuple[Processor, str]) -> Outcome | str:
        processor, engine = pair
        began = time.monotonic()
        try:
            outcome = emulate.run(processor, ENGINES[engine], lengths, memory=memory)
        except UnavailableError as error:
            return f"{what}: {error}"
        _say(f"{what}: {processor.cpu}, {ENGINES[engine].title}: {time.monotonic() - began:.0f} s")
        return outcome

    for engine in engines:
        ENGINES[engine].file()
    pairs = [(processor, engine) for processor in processors for engine in engines]
    found: dict[Processor, dict[str, Outcome]] = {}
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        for (processor, engine), outcome in zip(pairs, pool.map(one, pairs), strict=True):
            if isinstance(outcome, str):
                report.skipped.append(outcome)
            else:
                found.setdefault(processor, {})[engine] = outcome
    report.skipped += _wrong(found)
    return found


def _wrong(found: dict[Processor, dict[str, Outcome]]) -> Iterator[str]:
    """Take out and name the engines whose answers are not those of the others."""
    for processor, outcomes in found.items():
        for engine in [name for name in outcomes if name != FAST and FAST in outcomes]:
            pairs = zip(outcomes[FAST].answers, outcomes[engine].answers, strict=True)
            least = min(cosine(ours, theirs) for ours, theirs in pairs)
            if not least >= _LEAST_COSINE:
                del outcomes[engine]
                yield f"{processor.cpu}, {ENGINES[engine].title}: other answers, their cosine is {least:.3f}"


def _model(report: Report, compilers: Sequence[str]) -> None:
    mca.prepare()
    for compiler in compilers:
        for core in mca.CORES:
            try:
                loop = mca.loop_of(core.kernels, compiler)
                report.loops.append(mca.model(core, compiler, loop))
            except (UnavailableError, ValueError) as error:
                report.skipped.append(f"loops: {core.cpu}, {compiler}: {error}")
                continue
            _say(f"loops: {core.cpu}, {compiler}")


def _run(arguments: argparse.Namespace) -> Report:
    processors = [one for one in PROCESSORS if one.cpu in arguments.processors]
    report = Report(lengths=arguments.lengths)
    parts = arguments.only
    if "instructions" in parts or "bytes" in parts:
        try:
            _say("an emulated aarch64 machine in build/aarch64; the first time, wheels are cross-built")
            emulate.prepare()
            if "instructions" in parts:
                report.instructions = _count(
                    processors, arguments.engines, report.lengths, report, arguments.jobs, memory=False
                )
            if "bytes" in parts:
                fewer = [one for one in processors if one.cpu in _MEMORY_PROCESSORS] or processors[:1]
                report.memory_lengths = [one for one in _MEMORY_LENGTHS if not arguments.quick or one == _QUICK[1]]
                report.memory = _count(
                    fewer, arguments.engines, report.memory_lengths, report, arguments.jobs, memory=True
                )
        except UnavailableError as error:
            report.skipped.append(f"instructions and bytes: {error}")
    if "loops" in parts:
        try:
            _model(report, ["g++"] if arguments.quick else list(mca.COMPILERS_OF))
        except UnavailableError as error:
            report.skipped.append(f"loops: {error}")
    return report


def _words(known: Sequence[str]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        names = text.split(";" if ";" in text else ",") if text not in known else [text]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {' '.join(known)}")
        return names

    return split


def _parser() -> argparse.ArgumentParser:
    names = [processor.cpu for processor in PROCESSORS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.arm_cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one processor, one length, one compiler")
    parser.add_argument("--only", type=_words(_PARTS), default=list(_PARTS), metavar=",".join(_PARTS))
    parser.add_argument("--processors", type=_words(names), default=names, metavar="NAMES",
                        help=f"with ; between them (default: {';'.join(names)})")  # fmt: skip
    parser.add_argument("--engines", type=_words(list(ENGINES)), default=list(_DEFAULT), metavar="NAMES",
                        help=f"of {','.join(ENGINES)} (default: {','.join(_DEFAULT)})")  # fmt: skip
    parser.add_argument("--lengths", type=lambda text: [int(one) for one in text.split(",")], default=list(_LENGTHS),
                        metavar="16,64", help="tokens (default: 16,64,128,256)")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="at the same time (default: one for each usable CPU)")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--strict", action="store_true", help="what is skipped is an error")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Read the command line, count, and print; return the exit status."""
    arguments = _parser().parse_args(words)
    if arguments.quick:
        arguments.processors, arguments.lengths = [_QUICK[0]], [_QUICK[1]]
    try:
        report = _run(arguments)
    except BuildFailedError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    report.show()
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    return 1 if arguments.strict and report.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
