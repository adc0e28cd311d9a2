"""Time to choose one token from the logits of a vocabulary: `python -m benchmarks.studies.sampler`.

One thread, random logits (normal, standard deviation 3), the fastest of the runs of 0.3 s. The log probability is
computed only if it is asked for, so it has a column of its own. Needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.paths import ROOT
from linnet.runtime import runtime_info

_TEXT = ROOT / "runtime_bindings" / "runtime" / "text"
_OPTIONS = ("-std=c++17", "-O3", "-ffp-contract=off")
"""Those of the release build (CMake's Release, runtime_bindings/cmake/Warnings.cmake)."""
_HEAD = ("vocabulary", "settings", "token, us", "log probability, us")


def measure() -> list[list[str]]:
    """Compile the sampler, run it, and return the fields of each line.

    Raises:
        subprocess.CalledProcessError: compiler or program failed.
    """
    sources = [Path(__file__).with_suffix(".cpp"), *sorted((_TEXT / "generate").glob("[sw]*.cpp"))]
    folders = [f"-I{folder}" for folder in (_TEXT, _TEXT.parent, ROOT / "runtime_bindings" / "include")]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "sampler"
        compiler = os.environ.get("CXX", "c++")
        subprocess.run([compiler, *_OPTIONS, *folders, *sources, "-o", program], check=True)
        done = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    argparse.ArgumentParser(prog="python -m benchmarks.studies.sampler", description=__doc__).parse_args(arguments)
    facts = runtime_info()
    print(f"{facts['cpu']} ({facts['cpu_features']})\n")
    for row in (_HEAD, ("---",) * len(_HEAD), *measure()):
        print(f"| {' | '.join(row)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
