"""The command ``linnet tune``."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from linnet.bench.arguments import cpu_set, joined, numbers
from linnet.bench.environment import current_affinity
from linnet.bench.probe import clip_lengths
from linnet.bench.processor import core_groups
from linnet.bench.progress import Progress
from linnet.compare.candidate import Opened, check_comparable
from linnet.console import Console
from linnet.errors import InvalidArgumentError
from linnet.exit_status import CHECK_FAILED, OK
from linnet.model import load
from linnet.output import refuse_existing, write_text
from linnet.self_test import file_identity
from linnet.tune.profile import TunedFile, TuningProfile, machine_name, profile_path
from linnet.tune.race import Entry, Plan, choose, race
from linnet.tune.settings import affinities, candidates, thread_counts

__all__ = ["add_arguments", "explain_choice", "help", "run"]

help = "find the fastest threads, CPUs, attention and recipe for this machine"

DEFAULT_LENGTHS, DEFAULT_SECONDS, DEFAULT_ROUNDS = (16, 64, 128), 0.3, 5

_EPILOG = f"""\
Every setting runs in fresh processes that take turns; what is much slower than the best does not run again. The
recommendation is what was measured here and nothing else: int8 can lose against fp32 on a processor without
dot-product instructions. It is kept for linnet.load(FILE, profile="auto"), or in OUT for profile="OUT". If no setting
answers rightly, the exit status is {CHECK_FAILED}.

examples:
  linnet tune intents.pte
  linnet tune intents-int8.pte intents-fp32.pte --lengths 32,128 -o pi4.json
  linnet tune intents.pte --threads 1,2,4 --affinity 4-7 --limit-ms 20
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("files", metavar="FILE", type=Path, nargs="+", help="a linnet file (.pte), or several recipes of one model")
    add("--lengths", type=numbers, default=DEFAULT_LENGTHS, metavar="N,N,...",
        help=f"tokens of your texts (default {joined(DEFAULT_LENGTHS)})")  # fmt: skip
    add("--threads", type=numbers, metavar="N,N,...", help="thread counts to try (default 1,2,4,... to all CPUs)")
    add("--affinity", type=cpu_set, action="append", metavar="CPUS",
        help="also try these CPUs, as in 4-7; repeatable (default: the fastest kind of core)")  # fmt: skip
    add("--seconds", type=float, default=DEFAULT_SECONDS, metavar="S",
        help=f"time for each length in each process (default {DEFAULT_SECONDS:g})")  # fmt: skip
    add("--rounds", type=int, default=DEFAULT_ROUNDS, metavar="N",
        help=f"processes of each setting that stays in the race (default {DEFAULT_ROUNDS})")  # fmt: skip
    add("--limit-ms", type=float, metavar="MS", help="also name the most tokens whose p90 stays below this")
    add("-o", "--output", type=Path, metavar="OUT", help="write the profile there, not into the cache folder")
    add("--force", action="store_true", help="replace OUT if it exists")


def run(args: argparse.Namespace) -> int:
    """Measure, show, store.

    Raises:
        LinnetError: the arguments are wrong, or a file cannot be run.
    """
    _check(args)
    opened = [_open(path) for path in args.files]
    check_comparable(opened)
    lengths = clip_lengths(args.lengths, min(each.manifest.max_length for each in opened))
    plan = Plan(lengths=lengths, seconds=args.seconds, rounds=args.rounds)
    entries = _entries(args, opened)
    progress = Progress(sys.stderr)
    try:
        ranked = race(entries, plan, progress.say)
    finally:
        progress.end()
    console = Console()
    _show(entries, plan, console)
    if not ranked:
        console.line("no setting answers rightly on this machine; linnet verify says more")
        return CHECK_FAILED
    profile = _profile(args, ranked, plan)
    console.line(f"best here: {profile.reason}")
    for line in _lengths_below(profile, args.limit_ms):
        console.line(line)
    console.line(_store(profile, args))
    return OK


def _check(args: argparse.Namespace) -> None:
    problems = []
    if len({path.resolve() for path in args.files}) < len(args.files):
        problems.append("a file is named more than once; name each once")
    if args.rounds < 1:
        problems.append(f"--rounds is {args.rounds}, needed at least 1")
    if not 0 < args.seconds <= 3600:
        problems.append(f"--seconds is {args.seconds:g}, needed above 0 and at most 3600")
    if args.limit_ms is not None and not args.limit_ms > 0:
        problems.append(f"--limit-ms is {args.limit_ms:g}, needed above 0")
    unusable = sorted({cpu for each in args.affinity or () for cpu in each} - set(current_affinity()))
    if unusable:
        problems.append(f"--affinity names the CPUs {unusable}, which this process may not use")
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    if args.output is not None:
        refuse_existing(args.output, force=args.force)


def _open(path: Path) -> Opened:
    with load(path, threads=1, self_test=False) as model:
        return Opened(path, model.manifest, model.evidence)


def _entries(args: argparse.Namespace, opened: Sequence[Opened]) -> list[Entry]:
    usable = current_affinity()
    sets = affinities(core_groups(), usable) if args.affinity is None else ((), *args.affinity)
    threads = args.threads or thread_counts(len(usable))
    return [
        Entry(each.path, each.manifest.recipe, setting)
        for each in opened
        for setting in candidates(each.evidence, threads, sets)
    ]


def _show(entries: Sequence[Entry], plan: Plan, console: Console) -> None:
    headers = ["file", "recipe", "setting", *(f"{tokens} tokens, p50 ms" for tokens in plan.lengths), "rounds", ""]
    usable = sorted((entry for entry in entries if not entry.failure), key=lambda entry: entry.score)
    rows = []
    for entry in [*usable, *(entry for entry in entries if entry.failure)]:
        times = ["" if entry.failure else f"{entry.at(tokens, 50) / 1e6:.3f}" for tokens in plan.lengths]
        mark = f"WRONG: {entry.failure}" if entry.failure else f"{entry.score / usable[0].score:.2f} x the fastest"
        rows.append([entry.path.name, entry.recipe, entry.setting.words(), *times, str(len(entry.runs)), mark])
    console.table(headers, rows, right=range(3, 4 + len(plan.lengths)))
    console.line()


def _profile(args: argparse.Namespace, ranked: Sequence[Entry], plan: Plan) -> TuningProfile:
    best = choose(ranked)
    paths = dict.fromkeys(entry.path for entry in ranked)
    return TuningProfile(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=machine_name(),
        lengths=plan.lengths,
        files={file_identity(str(path)): _tuned(choose(ranked, path), plan, args.limit_ms) for path in paths},
        best=file_identity(str(best.path)),
        reason=explain_choice(best, ranked),
    )


def _tuned(entry: Entry, plan: Plan, limit_ms: float | None) -> TunedFile:
    below = [tokens for tokens in plan.lengths if limit_ms is not None and entry.at(tokens, 90) <= limit_ms * 1e6]
    return TunedFile(
        name=entry.path.name,
        recipe=entry.recipe,
        setting=entry.setting,
        score_ns=entry.score,
        longest=max(below, default=None),
    )


def explain_choice(best: Entry, ranked: Sequence[Entry]) -> str:
    """Return the choice and what it was measured against, in a sentence."""
    others = {
        "file": [each for each in ranked if each.path != best.path],
        "number of threads": [each for each in ranked if each.path == best.path
                              and each.setting.threads != best.setting.threads],
        "attention": [each for each in ranked if each.path == best.path and each.setting.fused != best.setting.fused],
        "set of CPUs": [each for each in ranked if each.path == best.path
                        and each.setting.affinity != best.setting.affinity],
    }  # fmt: skip
    parts = []
    for what, found in others.items():
        if found:
            rival = min(found, key=lambda each: each.score)
            name = rival.path.name if what == "file" else rival.setting.words()
            parts.append(f"the best with another {what} ({name}) takes {rival.score / best.score:.2f} x its time")
    return f"{best.path.name} with {best.setting.words()}" + (f"; {'; '.join(parts)}" if parts else "")


def _lengths_below(profile: TuningProfile, limit_ms: float | None) -> list[str]:
    if limit_ms is None:
        return []
    longest = profile.files[profile.best].longest
    found = f"{longest} tokens" if longest is not None else "none of the lengths"
    return [f"p90 below {limit_ms:g} ms: up to {found}; linnet export --max-length bounds a file"]


def _store(profile: TuningProfile, args: argparse.Namespace) -> str:
    if args.output is not None:
        write_text(profile.to_json(), args.output, force=args.force)
        return f'stored: linnet.load(FILE, profile="{args.output}")'
    paths = [profile_path(identity, profile.machine) for identity in profile.files]
    for path in paths:
        if path is not None:
            with suppress(FileExistsError):
                path.parent.mkdir(parents=True)
            write_text(profile.to_json(), path, force=True)
    return 'stored: linnet.load(FILE, profile="auto")' if all(paths) else "not stored: there is no cache folder"
