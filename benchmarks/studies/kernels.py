"""Speed of linnet's own kernels alone, of each kind that this processor runs: `python -m benchmarks.studies.kernels`.

One thread and weights in the cache where nothing else is said, the fastest of the runs of 0.2 s. Needs a C++
compiler.
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
    "token": (
        *("kernels", "weights", "threads", "token x inputs x outputs"),
        *("in the cache, GB/s", "from memory, GB/s", "only reading, GB/s"),
    ),
    "cached": ("kernels", "keys", "in the cache, us", "the same, GB/s", "from memory, GB/s", "only reading, GB/s"),
    "chunk": ("kernels", "tokens", "16 queries at once, us", "token by token, us"),
    "attention": ("kernels", "tokens", "packing, us", "attention, us", "add and normalize, us"),
}


def _sources() -> Iterator[Path]:
    yield Path(__file__).with_suffix(".cpp")
    yield from sorted((_CORE / "kernels" / "processors").glob("*.cpp"))
    for name in ("dispatch", "linear_layout", "attention_layout", "cached_attention_layout"):
        yield _CORE / "kernels" / f"{name}.cpp"
    yield _CORE / "memory" / "block.cpp"
    yield _CORE / "program" / "cpu.cpp"


def measure(kinds: Iterable[str] = ()) -> list[list[str]]:
    """Compile the kernels, run them, and return the fields of each line, those of some kinds or of all.

    Raises:
        subprocess.CalledProcessError: compiler or program failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "kernels"
        compiler = os.environ.get("CXX", "c++")
        subprocess.run([compiler, *_OPTIONS, "-pthread", f"-I{_CORE}", *_sources(), "-o", program], check=True)
        done = subprocess.run([program, *kinds], check=True, stdout=subprocess.PIPE, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def table(kind: str, rows: Iterable[list[str]]) -> str:
    """Return the rows of one kind, a key of the headings, as a table in Markdown."""
    head = _HEADS[kind]
    lines = [head, ("---",) * len(head), *(row[1:] for row in rows if row[0] == kind)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_TITLES = {
    "linear": "int8 linear layers",
    "int4": "int4 linear layers, weights in groups of 32",
    "token": "linear layers for one token, with the bytes of weights and scales",
    "cached": "one token, 9 heads and 3 key heads of 64 channels, with the bytes of all rows of the cache",
    "chunk": "tokens behind others in the cache, the same heads",
    "attention": "12 heads of 32 channels",
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print all tables; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.kernels", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(_TITLES), default=list(_TITLES), help="which tables")
    kinds = parser.parse_args(arguments).only
    facts = runtime_info()
    print(f"{facts['cpu']} ({facts['cpu_features']})")
    rows = measure(kinds)
    for kind in kinds:
        print(f"\n{_TITLES[kind]}\n", table(kind, rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
