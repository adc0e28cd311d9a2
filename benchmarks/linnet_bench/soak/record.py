"""Record of a soak: every window, and the verdicts on memory, answers and latency."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from linnet_bench.machine.environment import Environment, State
from linnet_bench.record.statistics import PERCENTILE_DEFINITION, median
from linnet_bench.soak.job import Settings

__all__ = ["RECORD_KIND", "RECORD_VERSION", "Record", "Window", "to_json"]

RECORD_KIND = "linnet-soak"
RECORD_VERSION = "1.0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """One part of the requests. All times are nanoseconds, all sizes bytes.

    Attributes:
        requests: number of requests.
        seconds: their duration.
        p50_ns, p99_ns, max_ns: latency of a request, waiting for a shared session included.
        memory: memory of the process after all threads ended: anonymous resident bytes; outside Linux the peak.
        loads: sessions that were loaded again.
        wrong: answers that differed from the first to the same text.
        failed: requests that ended in an error.
    """

    requests: int
    seconds: float
    p50_ns: int
    p99_ns: int
    max_ns: int
    memory: int
    loads: int
    wrong: int
    failed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """The record of one ``linnet soak``.

    Attributes:
        kind: always "linnet-soak".
        schema_version: major.minor of this document.
        created: start of the soak, ISO 8601 in UTC.
        partial: it ended before all requests were sent; finished windows are kept.
        error: error that ended it early; empty if there was none or the user pressed Ctrl-C.
        percentiles: definition of the percentiles.
        settings: requested settings.
        file: name, size, sha256 and fields of the manifest.
        environment: the machine.
        before, after: its state; None if that point was not reached.
        texts: number of different requests.
        golden_before, golden_after: the golden cases were reproduced; None if there are none, or if that point was not
            reached.
        problems: the first few wrong answers and failed requests, as sentences.
        windows: the first is the warm-up.
    """

    kind: str = RECORD_KIND
    schema_version: str = RECORD_VERSION
    created: str
    partial: bool
    error: str
    percentiles: str = PERCENTILE_DEFINITION
    settings: Settings
    file: Mapping[str, Any]
    environment: Environment
    before: State
    after: State | None
    texts: int
    golden_before: bool | None
    golden_after: bool | None
    problems: tuple[str, ...]
    windows: tuple[Window, ...]

    @property
    def growth(self) -> int | None:
        """Return the largest memory of a later window minus that of the warm-up, in bytes; None without one."""
        if len(self.windows) < 2:
            return None
        return max(window.memory for window in self.windows[1:]) - self.windows[0].memory

    @property
    def drift(self) -> float | None:
        """Return the median p99 of the second half of the windows relative to the first half's, or None."""
        later = [window.p99_ns for window in self.windows[1:]]
        half = len(later) // 2
        return median(later[half:]) / median(later[:half]) if half else None

    @property
    def verdicts(self) -> dict[str, bool]:
        """Return whether answers, requests, memory and latency met their limits."""
        growth, drift = self.growth, self.drift
        return {
            "answers": not any(window.wrong for window in self.windows) and self.golden_after is not False
            and self.golden_before is not False,
            "requests": not any(window.failed for window in self.windows),
            "memory": growth is None or growth <= self.settings.most_growth,
            "latency": drift is None or drift <= self.settings.most_drift,
        }  # fmt: skip


def to_json(record: Record) -> str:
    """Return the record as indented JSON with its verdicts, ending with a newline."""
    derived = {"growth": record.growth, "drift": record.drift, "verdicts": record.verdicts}
    return json.dumps({**dataclasses.asdict(record), **derived}, ensure_ascii=False, indent=1) + "\n"
