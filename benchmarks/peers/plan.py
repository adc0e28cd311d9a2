"""Plan of one run: parts, engines, lengths and turns, from the command line."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers.catalogue import ENGINES, FAMILIES, OURS, REFERENCE
from benchmarks.peers.models import LENGTHS, MODELS, ModelSpec

__all__ = ["PARTS", "TIMED", "Plan", "TimedPart", "parser", "plan_of"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimedPart:
    """Latency or throughput of some engines, in turns.

    Attributes:
        title: name for people.
        engines: in the order of their turns.
        lengths, quick_lengths: tokens.
        rounds: turns of each engine.
        batch: number of texts of one call.
    """

    title: str
    engines: Sequence[str]
    lengths: Sequence[int]
    quick_lengths: Sequence[int]
    rounds: int
    batch: int = 1


TIMED: Mapping[str, TimedPart] = {
    "latency": TimedPart(
        title="int8, batch 1",
        engines=(
            "linnet",
            "linnet-forward",
            "linnet-eight-bits",
            "onnxruntime-fused",
            "onnxruntime-plain",
            "openvino",
            "openvino-reshaped",
            "openvino-reshaped-f32",
            "torch",
            "executorch",
        ),
        lengths=LENGTHS,
        quick_lengths=(16, 64, 256),
        rounds=5,
    ),
    "fp32": TimedPart(
        title="fp32, batch 1",
        engines=(
            "linnet-fp32",
            "onnxruntime-fp32-fused",
            "onnxruntime-fp32",
            "openvino-fp32",
            "openvino-bf16",
            "torch",
        ),
        lengths=(8, 32, 128, 512),
        quick_lengths=(16, 128),
        rounds=3,
    ),
    "batch": TimedPart(
        title="int8, batch 8",
        engines=(
            "linnet",
            "linnet-sessions",
            "onnxruntime-fused",
            "onnxruntime-plain",
            "openvino-reshaped",
            "openvino-reshaped-f32",
            "torch",
        ),
        lengths=(16, 64, 128),
        quick_lengths=(16, 64),
        rounds=3,
        batch=8,
    ),
}
PARTS: tuple[str, ...] = (*TIMED, "footprint", "encode", "roofline")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Plan of one run.

    Attributes:
        parts: names from :data:`PARTS`.
        specs: models.
        engines: names of the engines that may take part.
        threads: thread counts.
        lengths: tokens; None: each part's own.
        rounds: turns of each engine; None: each part's own.
        seconds: sampling time for each length and turn.
        cold_repeats: number of processes of each cold start.
        quick: fewer lengths and turns.
        file: linnet's int8 file of the only model; None: made and kept in the cache.
        texts: file with one text a line for the part encode; None: from the shared data.
    """

    parts: Sequence[str]
    specs: Sequence[ModelSpec]
    engines: Sequence[str]
    threads: Sequence[int]
    lengths: Sequence[int] | None
    rounds: int | None
    seconds: float
    cold_repeats: int
    quick: bool
    file: Path | None
    texts: Path | None

    def without(self, part: str) -> Plan:
        """Return the plan without a part."""
        return dataclasses.replace(self, parts=tuple(other for other in self.parts if other != part))

    def engines_of(self, part: str, threads: int) -> list[str]:
        """Return the engines of a part; on one thread without linnet-sessions, which is then the same as linnet."""
        return [
            engine
            for engine in TIMED[part].engines
            if engine in self.engines and not (engine == "linnet-sessions" and threads == 1)
        ]

    def lengths_of(self, part: str) -> Sequence[int]:
        """Return the lengths of a part's inputs in tokens."""
        timed = TIMED[part]
        return self.lengths or (timed.quick_lengths if self.quick else timed.lengths)

    def rounds_of(self, part: str) -> int:
        """Return the number of turns of each engine."""
        return self.rounds or (2 if self.quick else TIMED[part].rounds)


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return the argument parser of ``python -m benchmarks.peers``."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=description,
        epilog="example: python -m benchmarks.peers --only latency --models minilm-l6 --threads 1 --without torch",
    )
    options.add_argument("--quick", action="store_true", help="few lengths, two turns: under five minutes")
    options.add_argument("--only", type=_names(PARTS), help=f"parts, of {','.join(PARTS)}")
    options.add_argument("--models", type=_names(tuple(MODELS)), help=f"of {','.join(MODELS)}")
    options.add_argument(
        "--engines", type=_names(tuple(ENGINES)), help="only these and the references linnet and torch"
    )
    options.add_argument("--without", type=_names(tuple(FAMILIES)), default=(), help=f"of {','.join(FAMILIES)}")
    options.add_argument("--threads", type=_numbers, help="default 1,2; with --quick 1")
    options.add_argument("--lengths", type=_numbers, help="default 8,16,32,64,128,256,512, fewer where noted")
    options.add_argument("--rounds", type=_positive, help="turns of each engine, default 5 or 3; with --quick 2")
    options.add_argument("--seconds", type=float, help="for each length and turn, default 0.25; with --quick 0.1")
    options.add_argument("--cold", type=_positive, help="fresh processes of each engine, default 5; with --quick 2")
    options.add_argument("--file", type=Path, help="linnet's int8 file, if only one model is compared")
    options.add_argument("--texts", type=Path, help="one text a line, for the part encode")
    options.add_argument("--json", type=Path, metavar="OUT", help="write all samples")
    options.add_argument("--markdown", type=Path, metavar="OUT", help="write the short tables of README")
    options.add_argument("--force", action="store_true", help="replace what OUT names")
    return options


def plan_of(args: argparse.Namespace) -> Plan:
    """Return the plan for the arguments.

    Raises:
        SystemExit: they contradict each other.
    """
    quick: bool = args.quick
    specs = [MODELS[name] for name in args.models or MODELS]
    if args.file is not None and len(specs) != 1:
        raise SystemExit("--file needs exactly one model; add --models")
    if args.file is not None and not args.file.is_file():
        raise SystemExit(f"--file {args.file} is no file")
    if {OURS, REFERENCE} & set(args.without):
        raise SystemExit(f"{OURS} and {REFERENCE} always take part: ratios and answers are taken against them")
    left_out = {family for family in FAMILIES if family.split("-")[0] in args.without or family in args.without}
    engines = [name for name, info in ENGINES.items() if info.family not in left_out]
    if args.engines:
        always = {OURS, "linnet-fp32", REFERENCE}
        engines = [name for name in engines if name in {*args.engines, *always}]
    elif quick:
        slower = {"linnet-forward", "linnet-eight-bits", "executorch", "openvino", "openvino-bf16", "onnxruntime-fp32"}
        engines = [name for name in engines if name not in slower]
    return Plan(
        parts=args.only or PARTS,
        specs=specs,
        engines=engines,
        threads=args.threads or ((1,) if quick else (1, 2)),
        lengths=args.lengths,
        rounds=args.rounds,
        seconds=args.seconds or (0.1 if quick else 0.25),
        cold_repeats=args.cold or (2 if quick else 5),
        quick=quick,
        file=args.file,
        texts=args.texts,
    )


class _names:
    """Argument type for comma-separated names of a fixed set."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    def __call__(self, text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        unknown = [name for name in names if name not in self._known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown {', '.join(unknown)}; known: {', '.join(self._known)}")
        return names


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected at least 1")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))
