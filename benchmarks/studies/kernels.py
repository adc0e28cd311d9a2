"""Speed of linnet's own kernels alone, of each kind that this processor runs: `python -m benchmarks.studies.kernels`.

One thread, weights in the cache where nothing else is said, the fastest of the runs of 0.2 s. Needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.paths import ROOT
from linnet.runtime import runtime_info

_CORE = ROOT / "runtime_bindings" / "runtime"
_OPTIONS = ("-std=c++17", "-O3", "-ffp-contract=off")
"""Those of the release build (CMake's Release, runtime_bindings/cmake/Warnings.cmake)."""
_HEADS = {
    "linear": ("kernels", "activation bits", "tokens x inputs x outputs", "rounding, us", "GMAC/s", "with GELU"),
    "int4": ("kernels", "tokens x inputs x outputs", "rounding, us", "GMAC/s", "with GELU"),
    "token": ("kernels", "token x inputs x outputs", "in the cache, GB/s", "from memory, GB/s", "only reading, GB/s"),
    "attention": ("kernels", "tokens", "packing, us", "attention, us", "add and normalize, us"),
}


def _sources() -> Iterator[Path]:
    yield Path(__file__).with_suffix(".cpp")
    yield from sorted((_CORE / "kernels" / "processors").glob("*.cpp"))
    for name in ("dispatch", "linear_layout", "attention_layout"):
        yield _CORE / "kernels" / f"{name}.cpp"
    yield _CORE / "memory" / "block.cpp"
    yield _CORE / "program" / "cpu.cpp"


def measure() -> list[list[str]]:
    """Compile the kernels, run them, and return the fields of each line.

    Raises:
        subprocess.CalledProcessError: compiler or program failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "kernels"
        compiler = os.environ.get("CXX", "c++")
        subprocess.run([compiler, *_OPTIONS, f"-I{_CORE}", *_sources(), "-o", program], check=True)
        done = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def table(kind: str, rows: Iterable[list[str]]) -> str:
    """Return the rows of one kind (``linear``, ``int4``, ``token`` or ``attention``) as a table in Markdown."""
    head = _HEADS[kind]
    lines = [head, ("---",) * len(head), *(row[1:] for row in rows if row[0] == kind)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print all tables; return the exit status."""
    argparse.ArgumentParser(prog="python -m benchmarks.studies.kernels", description=__doc__).parse_args(arguments)
    facts = runtime_info()
    print(f"{facts['cpu']} ({facts['cpu_features']}), one thread\n\nint8 linear layers\n")
    rows = measure()
    print(table("linear", rows))
    print("\n\nint4 linear layers, weights in groups of 32\n", table("int4", rows), sep="\n")
    print("\n\nthe same for one token, with the bytes of weights and scales\n", table("token", rows), sep="\n")
    print("\n\n12 heads of 32 channels\n", table("attention", rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
