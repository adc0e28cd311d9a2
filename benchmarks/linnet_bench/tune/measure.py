"""One ``linnet tune`` on one machine: from a job to a finding, both of which can be sent as JSON."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from linnet.cli.output import write_text
from linnet.errors import InvalidArgumentError
from linnet.format.footer import file_identity
from linnet.loading import load
from linnet.tuning import machine_name, profile_path
from linnet_bench.machine.environment import current_affinity
from linnet_bench.machine.processor import core_groups
from linnet_bench.measure.candidate import OpenedFile, check_comparable
from linnet_bench.measure.decoder import longest_input
from linnet_bench.measure.probe import clip_lengths
from linnet_bench.record.preset import GENERATION, sampling_for
from linnet_bench.tune.profile import TunedFile, TuningProfile
from linnet_bench.tune.race import Entry, Plan, choose, race
from linnet_bench.tune.settings import affinities, candidates, describe, thread_counts

__all__ = ["Finding", "Row", "TuneJob", "explain_choice", "store", "tune", "unusable_cpus"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TuneJob:
    """Settings of a tuning.

    Attributes:
        lengths: tokens, before clipping to the smallest limit of the files.
        seconds: time for each length in each process.
        rounds: processes of each setting that is not dropped.
        threads: counts to try; None: powers of two up to the machine's CPUs.
        affinity: sets of CPUs to try in addition to all CPUs; None: the fastest kind of core.
        limit_ms: limit for p90; the finding names the longest input that stays below it; None: no limit.
    """

    lengths: tuple[int, ...]
    seconds: float
    rounds: int
    threads: tuple[int, ...] | None = None
    affinity: tuple[tuple[int, ...], ...] | None = None
    limit_ms: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One setting of one file as a row of the table.

    Attributes:
        file, recipe, setting: in words.
        p50_ns: median over the processes, for each length; empty if it failed.
        rounds: processes that ran.
        ratio: time as a multiple of the fastest; 0 if it failed.
        failure: why it cannot be used; empty if it can.
    """

    file: str
    recipe: str
    setting: str
    p50_ns: tuple[float, ...]
    rounds: int
    ratio: float
    failure: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of a tuning.

    Attributes:
        lengths: tokens that were measured.
        rows: every setting, the fastest first.
        profile: the tuned settings; None if no setting gives right answers.
        stored: the profile is stored where ``linnet.load(..., profile="auto")`` on that machine looks for it.
        decoder: the times are of one token behind so many.
    """

    lengths: tuple[int, ...]
    rows: tuple[Row, ...]
    profile: TuningProfile | None
    stored: bool = False
    decoder: bool = False


def tune(files: Sequence[Path], job: TuneJob, say: Callable[[str], None]) -> Finding:
    """Measure the settings on this machine.

    Args:
        files: recipes of one model.
        job: settings of the tuning.
        say: callback for progress messages.

    Raises:
        LinnetError: a file cannot be run, or the job does not fit this machine.
    """
    problem = unusable_cpus(job.affinity)
    if problem:
        raise InvalidArgumentError(problem)
    opened = [_open(path) for path in files]
    check_comparable(opened)
    task, shortest = opened[0].manifest.task, min(file.manifest.max_length for file in opened)
    if task == GENERATION and job.limit_ms is not None:
        raise InvalidArgumentError("--limit-ms is for inputs that are answered at once, got a decoder; leave it out")
    lengths = clip_lengths(job.lengths, longest_input(task, shortest))
    plan = Plan(lengths=lengths, sampling=sampling_for(task, job.seconds), rounds=job.rounds)
    entries = _entries(job, opened)
    ranked = race(entries, plan, say)
    profile = _profile(ranked, plan, job.limit_ms) if ranked else None
    return Finding(lengths=lengths, rows=_rows(entries, plan), profile=profile, decoder=task == GENERATION)


def unusable_cpus(affinity: Sequence[Sequence[int]] | None) -> str:
    """Return an error text if the sets of CPUs do not fit this machine; empty if they do."""
    unusable = sorted({cpu for cpus in affinity or () for cpu in cpus} - set(current_affinity()))
    return f"--affinity names the CPUs {unusable}, which this process may not use" if unusable else ""


def store(finding: Finding) -> Finding:
    """Store the profile for ``linnet.load(..., profile="auto")`` on this machine, if it has a cache folder."""
    profile = finding.profile
    if profile is None:
        return finding
    paths = [profile_path(identity, profile.machine) for identity in profile.files]
    for path in paths:
        if path is not None:
            with suppress(FileExistsError):
                path.parent.mkdir(parents=True)
            write_text(profile.to_json(), path, force=True)
    return dataclasses.replace(finding, stored=all(paths))


def _open(path: Path) -> OpenedFile:
    with load(path, threads=1, self_test=False) as model:
        return OpenedFile(path, model.manifest, model.evidence)


def _entries(job: TuneJob, opened: Sequence[OpenedFile]) -> list[Entry]:
    usable = current_affinity()
    sets = affinities(core_groups(), usable) if job.affinity is None else ((), *job.affinity)
    threads = job.threads or thread_counts(len(usable))
    return [
        Entry(file.path, file.manifest.recipe, setting)
        for file in opened
        for setting in candidates(file.evidence, threads, sets, decoder=file.manifest.task == GENERATION)
    ]


def _rows(entries: Sequence[Entry], plan: Plan) -> tuple[Row, ...]:
    usable = sorted((entry for entry in entries if not entry.failure), key=lambda entry: entry.score)
    return tuple(
        Row(
            file=entry.path.name,
            recipe=entry.recipe,
            setting=describe(entry.setting),
            p50_ns=() if entry.failure else tuple(entry.at(tokens, 50) for tokens in plan.lengths),
            rounds=len(entry.runs),
            ratio=0.0 if entry.failure else entry.score / usable[0].score,
            failure=entry.failure,
        )
        for entry in [*usable, *(entry for entry in entries if entry.failure)]
    )


def _profile(ranked: Sequence[Entry], plan: Plan, limit_ms: float | None) -> TuningProfile:
    best = choose(ranked)
    paths = dict.fromkeys(entry.path for entry in ranked)
    return TuningProfile(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=machine_name(),
        lengths=plan.lengths,
        files={file_identity(str(path)): _tuned(choose(ranked, path), plan, limit_ms) for path in paths},
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
    """Return the chosen setting and the best alternatives in a sentence."""
    others = {
        "file": [entry for entry in ranked if entry.path != best.path],
        "number of threads": [entry for entry in ranked if entry.path == best.path
                              and entry.setting.threads != best.setting.threads],
        "kernels": [entry for entry in ranked if entry.path == best.path and entry.setting.fused != best.setting.fused],
        "set of CPUs": [entry for entry in ranked if entry.path == best.path
                        and entry.setting.affinity != best.setting.affinity],
    }  # fmt: skip
    parts = []
    for what, rivals in others.items():
        if rivals:
            rival = min(rivals, key=lambda entry: entry.score)
            name = rival.path.name if what == "file" else describe(rival.setting)
            parts.append(f"the best with another {what} ({name}) takes {rival.score / best.score:.2f} x its time")
    return f"{best.path.name} with {describe(best.setting)}" + (f"; {'; '.join(parts)}" if parts else "")
