"""Every reader of the conformance cases, as a function from a file to counts by kind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.conformance.reader import Reader, read_lines

__all__ = ["RUNNERS", "Counts", "MissingReader"]

ROOT = Path(__file__).resolve().parents[2]
Counts = dict[str, tuple[int, int]]
"""Passed and failed by kind of case."""


class MissingReader(Exception):
    """What the reader needs is not on this machine."""


def run_python(cases: Path) -> Counts:
    """The SDK, in this process."""
    reader = Reader(read_lines(cases)).run()
    return {kind: (reader.passed[kind], reader.failed[kind]) for kind in {**reader.passed, **reader.failed}}


def run_c(cases: Path) -> Counts:
    """conformance.c and its neighbours over the installed liblinnet."""
    import linnet_runtime

    compiler = shutil.which("cc")
    if compiler is None:
        raise MissingReader("a C compiler")
    runtime = Path(linnet_runtime.__file__).parent
    program = ROOT / "build" / "conformance"
    program.parent.mkdir(exist_ok=True)
    flags = ["-D_GNU_SOURCE", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{runtime / 'include'}"]
    library = runtime / "lib" / "liblinnet.so"
    sources = [
        str(Path(__file__).parent / name)
        for name in ("conformance.c", "conformance_generation.c", "conformance_mask.c")
    ]
    command = [compiler, *flags, *sources, str(library), f"-Wl,-rpath,{library.parent}", "-lm", "-o", str(program)]
    subprocess.run(command, check=True)
    return _read([str(program), str(cases)])


def run_jvm(cases: Path) -> Counts:
    """The Kotlin API, once `make test-jvm` has fetched its compiler."""
    from tests.runtime_bindings.jvm.jvm import java_command

    return _read([*java_command(), "conformance", str(cases)])


def run_swift(cases: Path) -> Counts:
    """The Swift API, once `make test-swift` has fetched its compiler."""
    from tests.runtime_bindings.swift.swift import run_swift as run

    return run(cases)


def _read(command: list[str]) -> Counts:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    sys.stderr.write(done.stderr)
    lines = [line.split() for line in done.stdout.splitlines()]
    counts = {kind: (int(passed), int(failed)) for kind, passed, failed in lines}
    assert (done.returncode == 0) == (bool(counts) and not any(failed for _, failed in counts.values())), done.stderr
    return counts


RUNNERS: Mapping[str, Callable[[Path], Counts]] = {
    "python": run_python,
    "c": run_c,
    "jvm": run_jvm,
    "swift": run_swift,
}
