"""Speed of a tokenizer of the core beside the ``tokenizers`` package, on one thread, in one run.

    python -m benchmarks.studies.tokenizer_speed TOKENIZER.json [TEXT_FILE]

For a short text, a page and a megabyte: microseconds of each, their ratio and MiB/s of the core; then the size of the
tables and the time to open them. Times are of the process, so that others on the machine disturb them less. Without a
file, the text is the built-in one of the benchmark, repeated.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import tokenizers

from linnet.cli.console import Console
from linnet_bench.machine.processor import cpu_model
from linnet_bench.measure.sample import SHORT_TEXT, long_text
from linnet_export.tokenizer import tokenizer_bytes
from linnet_runtime import Tokenizer

_MEGABYTE = 1_000_000
_ROUNDS = 5
_SECONDS = 0.2  # of each round at least


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Compare a tokenizer of the core with the tokenizers package.")
    parser.add_argument("tokenizer", type=Path, metavar="TOKENIZER.json")
    parser.add_argument("text", type=Path, nargs="?", metavar="TEXT_FILE")
    options = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    package = tokenizers.Tokenizer.from_file(str(options.tokenizer))
    package.no_truncation()
    package.no_padding()
    made = tokenizer_bytes(package)
    device = Tokenizer(made.data)
    long = options.text.read_text(encoding="utf-8") if options.text else long_text(190_000)
    texts = {"short": SHORT_TEXT, "page": long[:2000], "1 MB": long[:_MEGABYTE]}
    console = Console()
    processor = cpu_model(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    console.heading(f"{options.tokenizer}: kind {made.kind}, tokenizers {tokenizers.__version__}, {processor}")
    rows = []
    for name, text in texts.items():
        assert device.encode(text)[0].ids.tolist() == package.encode(text).ids
        mine, other = _in_turns(_on_device(device, text), _by_package(package, text))
        speed = len(text.encode()) / mine / 2**20
        rows.append((name, f"{1e6 * mine:.1f}", f"{1e6 * other:.1f}", f"{other / mine:.1f}", f"{speed:.1f}"))
    console.table(("text", "linnet us", "tokenizers us", "ratio", "MiB/s"), rows, right=(1, 2, 3, 4))
    opening = min(_seconds(lambda: Tokenizer(made.data), 1) for _ in range(9))
    console.fields([("bytes", f"{len(made.data) / 1e6:.2f} MB"), ("opening", f"{1e3 * opening:.2f} ms, with a copy")])


def _on_device(device: Tokenizer, text: str) -> Callable[[], object]:
    return lambda: device.encode(text)[0].ids


def _by_package(package: tokenizers.Tokenizer, text: str) -> Callable[[], object]:
    return lambda: package.encode(text).ids


def _in_turns(mine: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Return the least seconds of one call of each, measured in turns."""
    counts = [max(1, int(_SECONDS / max(_seconds(call, 1), 1e-9))) for call in (mine, other)]
    rounds = [(_seconds(mine, counts[0]), _seconds(other, counts[1])) for _ in range(_ROUNDS)]
    return min(one for one, _ in rounds), min(two for _, two in rounds)


def _seconds(call: Callable[[], object], count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count


if __name__ == "__main__":
    main()
