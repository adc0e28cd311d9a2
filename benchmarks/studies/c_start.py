"""Time from the start of a C program to its first answer, and its memory: ``python -m benchmarks.studies.c_start``.

The program is the sample of ``linnet bundle --target c``, built here with the C compiler of this machine; every answer
comes from a fresh process, with the file in the page cache. The reference is a C program that does nothing; its memory
is not shown, because it would be that of the Python process that started it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.models import MINILM, linnet_file

_NOTHING = "int main(void) { return 0; }\n"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.pte", help="default: all-MiniLM-L6-v2, int8")
    parser.add_argument("--processes", type=int, default=20, metavar="N", help="of each program (default 20)")
    args = parser.parse_args()
    file = args.file or linnet_file(MINILM)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        _quiet(sys.executable, "-m", "linnet", "bundle", str(file), "--target", "c", "-o", str(project))
        _quiet("cmake", "-S", str(project), "-B", f"{folder}/build", "-DCMAKE_BUILD_TYPE=Release")
        _quiet("cmake", "--build", f"{folder}/build")
        source, nothing = Path(folder) / "nothing.c", Path(folder) / "nothing"
        source.write_text(_NOTHING, encoding="utf-8")
        _quiet("cc", str(source), "-o", str(nothing))
        sample = next(path for path in sorted(Path(f"{folder}/build").iterdir()) if path.name.endswith("_sample"))
        print(f"{file.name}, {args.processes} fresh processes of each, in turns, {os.cpu_count()} CPUs\n")
        print("| program | ms, median | range | peak memory, MB |\n|---|---:|---:|---:|")
        runs: dict[str, list[tuple[float, float]]] = {"a C program that does nothing": [], "start to first answer": []}
        for _ in range(args.processes):
            for name, program in zip(runs, (nothing, sample), strict=True):
                runs[name].append(_run([str(program)], project))
        for name, measured in runs.items():
            times = [run[0] * 1e3 for run in measured]
            memory = f"{statistics.median(run[1] for run in measured):.1f}" if "answer" in name else ""
            print(f"| {name} | {statistics.median(times):.1f} | {min(times):.1f}-{max(times):.1f} | {memory} |")


def _quiet(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _run(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a command; return its time in seconds and its peak memory in megabytes of 10^6 bytes."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
