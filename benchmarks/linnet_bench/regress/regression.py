"""Regressions of latency, memory, size and answers between two sets of records, and the criteria for them.

A latency counts as changed if both hold: the median over the repeats of p50 differs by at least the threshold (by
default 5 %, which MLPerf Mobile allows between tries of one device), and the difference is significant
(:mod:`linnet_bench.regress.significance`; a p-value of at most 0.025 over all latencies, and likewise for the cold
start). This needs four repeats of each side: ``linnet bench --repeats 5``. With fewer, blocks of consecutive samples
replace repeats; the difference between two processes of the same program is then unknown, so the threshold is doubled.

Memory and size are nearly exact, so they need no test: 5 % and at least 2 MB more are a regression. So is an answer
that was right and is wrong now.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from linnet.cli.console import counted
from linnet.errors import InvalidArgumentError
from linnet_bench.machine.state import is_busy, load_text
from linnet_bench.record.preset import decode_points, is_decoder, points
from linnet_bench.record.profile import DECODE, PREFILL
from linnet_bench.record.record import LengthResult, Record
from linnet_bench.record.statistics import median
from linnet_bench.regress.significance import LEAST_REPEATS, Values, p_slower

__all__ = ["SIGNIFICANCE", "THRESHOLD", "Change", "Verdict", "different_machines", "judge", "made_under_load"]

THRESHOLD = 0.05
SIGNIFICANCE = 0.025
"""Largest p-value of a difference that counts as significant."""

_BLOCKS = 8  # number of blocks of one process's samples, if there are too few processes
_LEAST_BLOCK = 5  # minimum number of samples of a block
_LEAST_BYTES = 2_000_000

_SLOWER, _FASTER, _SAME = "slower", "faster", "same"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """One figure of both sides.

    Attributes:
        name: name of the figure.
        unit: ms or MB.
        old, new: medians over the repeats.
        ratio: new / old.
        p: p-value, the probability of such a difference in this direction if nothing changed; None if not tested.
        verdict: "slower" (or larger), "faster" (or smaller), or "same": not proven to differ.
    """

    name: str
    unit: str
    old: float
    new: float
    ratio: float
    p: float | None
    verdict: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """The comparison of two sets of records.

    Attributes:
        changes: every figure that both sides have.
        threshold: smallest relative difference that counted for latencies, after doubling.
        repeats: number of repeats of the old and of the new side; blocks if there were too few processes.
        blocks: blocks of samples were used as repeats.
        problems: defects other than times: wrong answers.
        notes: remarks for the reader.
        statistic: what the latencies of the changes are.
    """

    changes: tuple[Change, ...]
    threshold: float
    repeats: tuple[int, int]
    blocks: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    statistic: str = ""

    @property
    def regressed(self) -> bool:
        """Return True if something became worse."""
        return bool(self.problems) or any(change.verdict == _SLOWER for change in self.changes)

    def to_json(self) -> str:
        """Return indented JSON."""
        data = {"kind": "linnet-regression", "schema_version": "1.0", "regressed": self.regressed}
        return json.dumps({**data, **dataclasses.asdict(self)}, ensure_ascii=False, indent=1) + "\n"


def judge(old: Sequence[Record], new: Sequence[Record], threshold: float = THRESHOLD) -> Verdict:
    """Compare two sets of records of the same measurement.

    Raises:
        InvalidArgumentError: they have no figure in common, or one was emulated.
    """
    emulated = [record for record in (*old, *new) if record.environment.emulated]
    if emulated:
        raise InvalidArgumentError(
            f"a record was made under emulation ({emulated[0].environment.emulated}), its times mean nothing; "
            "compare records of real processors"
        )
    before, after = _results(old), _results(new)
    common = sorted(before.keys() & after.keys())
    answers = [*_answers(old, new)]
    if not common and not answers:
        raise InvalidArgumentError(
            f"the records have no thread count and length in common: {_named(before)} and {_named(after)}; "
            "measure both with the same --threads and --lengths"
        )
    fewest = min((len(side[key]) for side in (before, after) for key in common), default=0)
    blocks = fewest < LEAST_REPEATS
    limit = 2 * threshold if blocks else threshold
    changes: list[Change] = []
    repeats = (0, 0)
    for step in sorted({key.step for key in common}):  # a step has as many blocks as its fewest samples give
        keys = [key for key in common if key.step == step]
        sides = [_table([side[key] for key in keys], blocks) for side in (before, after)]
        changes += _latencies([_name(key) for key in keys], sides[0], sides[1], limit)
        repeats = (max(repeats[0], len(sides[0])), max(repeats[1], len(sides[1])))
    return Verdict(
        changes=(*changes, *_cold(old, new, limit), *_sizes(old, new)),
        threshold=limit,
        repeats=repeats,
        blocks=blocks,
        problems=tuple(answers),
        notes=tuple(_notes(old, new, blocks, limit)),
        statistic=f"p50 of each {'block of samples' if blocks else 'repeat'}, the median of them",
    )


class _Key(NamedTuple):
    """What a latency is of; ``step`` as in :class:`~linnet_bench.record.profile.LengthProfile`."""

    threads: int
    tokens: int
    step: str


_Results = dict[_Key, list[LengthResult]]


def _results(records: Sequence[Record]) -> _Results:
    results: _Results = {}
    for record in records:
        for point in points(record.runs):
            key = _Key(point.threads, point.tokens, PREFILL if is_decoder(record) else "")
            results.setdefault(key, []).extend(point.results)
        for point in decode_points(record.runs):
            results.setdefault(_Key(point.threads, point.tokens, DECODE), []).extend(point.results)
    return results


def _name(key: _Key) -> str:
    tokens = counted(key.tokens, "token")
    what = {PREFILL: f"prefill of {tokens}", DECODE: f"one token behind {tokens}"}.get(key.step, tokens)
    return f"{what}, {counted(key.threads, 'thread')}"


def _named(results: _Results) -> str:
    return ", ".join(f"{counted(key.tokens, 'token')} on {key.threads}" for key in sorted(results)) or "none"


def _table(results: Sequence[Sequence[LengthResult]], blocks: bool) -> Values:
    """Return p50 in nanoseconds, [repeats, points]; repeats that some point lacks are left out."""
    columns = [
        [value for result in column for value in _block_medians(result)]
        if blocks
        else [result.summary.p50_ns for result in column]
        for column in results
    ]
    rows = min(map(len, columns), default=0)
    return np.array([column[:rows] for column in columns], dtype=np.float64).T.reshape(rows, len(columns))


def _block_medians(result: LengthResult) -> list[float]:
    count = max(1, min(_BLOCKS, len(result.samples_ns) // _LEAST_BLOCK))
    parts = np.array_split(np.array(result.samples_ns, dtype=np.float64), count)
    return [float(np.median(part)) for part in parts]


def _latencies(names: Sequence[str], old: Values, new: Values, limit: float) -> Iterator[Change]:
    if not names:
        return
    testable = min(len(old), len(new)) >= LEAST_REPEATS
    slower, faster = (p_slower(old, new), p_slower(new, old)) if testable else (None, None)
    for index, name in enumerate(names):
        one, other = float(np.median(old[:, index])), float(np.median(new[:, index]))
        p_values = None if slower is None or faster is None else (float(slower[index]), float(faster[index]))
        yield _change(name, one / 1e6, other / 1e6, p_values, limit)


def _change(name: str, old: float, new: float, p_values: tuple[float, float] | None, limit: float) -> Change:
    p = None if p_values is None else p_values[0] if new >= old else p_values[1]
    proven = p is not None and p <= SIGNIFICANCE and max(new / old, old / new) >= 1 + limit
    verdict = (_SLOWER if new > old else _FASTER) if proven else _SAME
    return Change(name=name, unit="ms", old=old, new=new, ratio=new / old, p=p, verdict=verdict)


def _cold(old: Sequence[Record], new: Sequence[Record], limit: float) -> Iterator[Change]:
    """Yield the change of the cold start; each of its repeats is a process of its own."""
    sides = [
        np.array([[float(time)] for record in side if record.cold_start for time in record.cold_start.answer_ns])
        for side in (old, new)
    ]
    if min(map(len, sides)) >= 1:
        yield from _latencies(["cold start"], sides[0], sides[1], limit)


def _sizes(old: Sequence[Record], new: Sequence[Record]) -> Iterator[Change]:
    for name, read in (("peak memory", _peaks), ("file", lambda records: [r.file.size for r in records])):
        sides = [read(old), read(new)]
        if all(sides):
            before, after = (float(median(side)) for side in sides)
            large = abs(after - before) >= max(_LEAST_BYTES, THRESHOLD * before)
            verdict = (_SLOWER if after > before else _FASTER) if large else _SAME
            yield Change(name=name, unit="MB", old=before / 1e6, new=after / 1e6, ratio=after / before, p=None,
                         verdict=verdict)  # fmt: skip


def _peaks(records: Sequence[Record]) -> list[int]:
    """Return the largest peak memory of each record, which is that of the most threads."""
    by_record = [[run.peak_memory for run in record.runs if run.peak_memory is not None] for record in records]
    return [max(peaks) for peaks in by_record if peaks]


def _answers(old: Sequence[Record], new: Sequence[Record]) -> Iterator[str]:
    for record in new:
        if record.wrong:
            was = "they were wrong before, too" if any(earlier.wrong for earlier in old) else "they were right before"
            message = next(run.check.message for run in record.runs if run.check.wrong)
            yield f"{record.file.name}: the answers are wrong ({was}): {message}"


_SAME_MACHINE: Mapping[str, str] = {"cpu": "processor", "board": "device", "cpus": "number of CPUs"}


def different_machines(old: Sequence[Record], new: Sequence[Record]) -> list[str]:
    """Return the differences between the machines of the two sides; empty if they are of one kind."""
    differences = []
    for field, name in _SAME_MACHINE.items():
        sides = [sorted({str(getattr(record.environment, field)) for record in side}) for side in (old, new)]
        if sides[0] != sides[1]:
            differences.append(f"{name} {', '.join(sides[0])} and {', '.join(sides[1])}")
    return differences


def made_under_load(records: Sequence[Record]) -> list[str]:
    """Return the load of each record that was begun on a busy machine; empty if there is none."""
    return [note for record in records if (note := _load_note(record))]


def _load_note(record: Record) -> str:
    cpus = len(record.environment.affinity)
    if not record.runs or not is_busy(record.runs[0].before, cpus):
        return ""
    return f"{record.file.name} of {record.created}: {load_text(record.runs[0].before, cpus)} before it began"


def _files_note(old: Sequence[Record], new: Sequence[Record]) -> str:
    before, after = ({record.file.sha256 for record in side} for side in (old, new))
    if before == after:
        hashes = ", ".join(f"{sha256[:16]}…" for sha256 in sorted(before))
        return f"identical files (SHA-256 {hashes}): differences come from the machine or the software, not the file"
    return "different files"


def _notes(old: Sequence[Record], new: Sequence[Record], blocks: bool, limit: float) -> Iterator[str]:
    if blocks:
        yield (
            f"fewer than {LEAST_REPEATS} repeats of a side: blocks of samples stand for them, and only differences of "
            f"{limit:.0%} and more count; measure with --repeats {LEAST_REPEATS + 1} for a proper test"
        )
    machines = different_machines(old, new)
    if machines:
        yield f"different machines: {'; '.join(machines)}"
    for field in ("linnet", "executorch", "python", "numpy"):
        sides = [sorted({str(getattr(record.environment.versions, field)) for record in side}) for side in (old, new)]
        if sides[0] != sides[1]:
            yield f"{field} {', '.join(sides[0])} before, {', '.join(sides[1])} now"
    yield _files_note(old, new)
    for record in (*old, *new):
        note = _load_note(record)
        if note:
            yield note
    for reason in sorted({record.ended_early for record in (*old, *new) if record.partial}):
        yield f"a record is of a measurement that ended early: {reason}"
