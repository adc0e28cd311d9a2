"""Cold start: fresh interpreters, timed from outside until their first line of output.

A measured program is text for ``python -c``. The clock stops at its first line of output; it reports its memory
after that. It imports nothing of this package, so it is the program that a user would write.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from linnet.errors import RunError
from linnet_bench.machine.environment import peak_memory
from linnet_bench.record.record import ColdStart
from linnet_bench.record.statistics import median

__all__ = ["BARE", "NUMPY", "ColdTimes", "ProcessRun", "answer_program", "cold_start", "run_fresh"]

BARE = ""
NUMPY = "import numpy\n"

# after the program: the line that stops the clock, then the peak of memory, "kB" as Linux or a number
_EPILOGUE = """
import sys
print(globals().get("PARTS", ""), flush=True)
try:
    print(open("/proc/self/status").read())
except OSError:
    import resource
    print("ru_maxrss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

_ANSWER = """
import sys, time
a = time.perf_counter_ns()
import linnet
linnet.load
b = time.perf_counter_ns()
model = linnet.load(sys.argv[1], threads=int(sys.argv[2]), self_test=False)  # the worker repeats every golden case
c = time.perf_counter_ns()
{call}
d = time.perf_counter_ns()
PARTS = f"{{b - a}} {{c - b}} {{d - c}}"
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProcessRun:
    """Measurement of one fresh process.

    Attributes:
        first_line_ns: time from process start to its first line of output, seen from outside.
        first_line: that line.
        peak_memory: peak resident memory in bytes.
    """

    first_line_ns: int
    first_line: str
    peak_memory: int


class ColdTimes(list[ProcessRun]):
    """Measurements of one program, one per repeat."""

    @property
    def first_line_ns(self) -> tuple[int, ...]:
        """Return the time to the first line of each repeat in nanoseconds, seen from outside."""
        return tuple(run.first_line_ns for run in self)

    @property
    def peak_memory(self) -> int:
        """Return the median peak memory of the repeats in bytes."""
        return int(median([run.peak_memory for run in self]))

    def parts(self, index: int) -> tuple[int, ...]:
        """Return the number at one position of each repeat's first line."""
        return tuple(int(run.first_line.split()[index]) for run in self)


def answer_program(call: str) -> str:
    """Return a program that imports linnet, loads a file and evaluates ``call``, Python text that uses ``model``."""
    return _ANSWER.format(call=call)


def run_fresh(code: str, arguments: Sequence[str] = (), *, python: str | None = None) -> ProcessRun:
    """Run a program in a fresh interpreter.

    Args:
        code: Python text; may set ``PARTS``, a string that becomes its first line.
        arguments: ``sys.argv[1:]`` of the program.
        python: interpreter to start; None: that of this environment.

    Raises:
        RunError: it failed; the message has the end of its output.
    """
    # -P: a json.py in the user's folder must not shadow the standard library's
    command = [python or sys.executable, "-P", "-c", code + _EPILOGUE, *arguments]
    start = time.perf_counter_ns()
    # unbuffered, so that the first line is seen when it is written
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdout is not None
        first = _read_line(process.stdout.fileno())
        elapsed = time.perf_counter_ns() - start
        rest, said = process.communicate()
    if process.returncode != 0:
        tail = said.decode(errors="replace").strip().splitlines()[-1:]
        raise RunError(f"a fresh process ended with {process.returncode}: {' '.join(tail) or 'it said nothing'}")
    line, _, more = first.partition(b"\n")
    return ProcessRun(
        first_line_ns=elapsed,
        first_line=line.decode(),
        peak_memory=_memory((more + rest).decode(errors="replace")),
    )


def cold_start(path: str, call: str, threads: int, repeats: int) -> ColdStart:
    """Measure the cold start of a file; see :class:`linnet_bench.record.record.ColdStart`.

    Args:
        path: path of the file.
        call: Python text that uses ``model``.
        threads: number of threads of the process.
        repeats: runs of each program, at least 1; one more, not counted, fills the page cache.

    Raises:
        RunError: a process failed.
    """
    answering = answer_program(call)
    bare, with_numpy, answer = ColdTimes(), ColdTimes(), ColdTimes()
    for turn in range(repeats + 1):
        runs = (run_fresh(BARE), run_fresh(NUMPY), run_fresh(answering, (path, str(threads))))
        if turn:
            for times, fresh in zip((bare, with_numpy, answer), runs, strict=True):
                times.append(fresh)
    return ColdStart(
        threads=threads,
        bare_ns=bare.first_line_ns,
        numpy_ns=with_numpy.first_line_ns,
        answer_ns=answer.first_line_ns,
        import_ns=answer.parts(0),
        load_ns=answer.parts(1),
        first_answer_ns=answer.parts(2),
        bare_memory=bare.peak_memory,
        numpy_memory=with_numpy.peak_memory,
        answer_memory=answer.peak_memory,
    )


def _read_line(descriptor: int) -> bytes:
    """Read up to a newline or the end; keep what follows the newline in the same read."""
    data = b""
    while b"\n" not in data:
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        data += piece
    return data


def _memory(text: str) -> int:
    if "ru_maxrss" in text:
        value = int(text.split()[-1])
        return value if sys.platform == "darwin" else value * 1024
    return peak_memory(text)
