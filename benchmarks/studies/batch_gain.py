"""Speed of a padded batch against a loop over its texts: ``python -m benchmarks.studies.batch_gain``.

Two layers of MiniLM-L6 (seeded random weights: speed does not depend on them), int8, as one program with
both methods. For each length and thread count, eight texts run once through ``forward_batch`` [8, length] and
once through eight calls of ``forward`` [1, length], alternating in one process, so that the ratio is valid even
if the milliseconds drift. A process of its own for each thread count, because the first program fixes it.

The texts of a batch are equally long here. Real ones are not, and a batch also computes its padding.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["main", "measure", "write_program"]

BATCH = 8
LENGTHS: tuple[int, ...] = (16, 64, 128, 512)
THREADS: tuple[int, ...] = (1, 2)
_TOKENS_PER_SAMPLE_ROUND = 400_000
"""Tokens of each side for one length; the number of rounds is chosen to reach about this many."""


def write_program(path: Path) -> tuple[int, int]:
    """Write the program with both methods; return its size and that of `forward` alone in bytes."""
    import torch
    from transformers import BertConfig, BertModel

    from linnet_export.graph.program import device_module
    from linnet_export.lower.lowering import lower
    from linnet_export.quantize.apply import apply_recipe
    from linnet_export.quantize.recipes import get_recipe
    from linnet_export.tasks import get_task

    torch.manual_seed(0)
    # the shape of sentence-transformers/all-MiniLM-L6-v2 with two of its six layers
    config = BertConfig(hidden_size=384, num_hidden_layers=2, num_attention_heads=12, intermediate_size=1536)
    program = device_module(
        BertModel(config), get_task("feature-extraction"), pooling="mean", normalize=True, max_length=512
    )
    apply_recipe(program, get_recipe("int8"))
    alone = lower({"forward": program}, max_length=512, constant_methods={})
    both = lower(
        {"forward": program, "forward_batch": program.with_mask()},
        max_length=512,
        max_batch=BATCH,
        constant_methods={},
    )
    path.write_bytes(both.program)
    return len(both.program), len(alone.program)


def measure(path: Path, threads: int) -> None:
    """Print a line for each length: milliseconds of the loop, of the batch, and their ratio."""
    import executorch.kernels.quantized  # noqa: F401  registers the quantized kernels
    import torch
    from executorch.extension.pybindings import portable_lib
    from executorch.runtime import Runtime

    portable_lib._unsafe_reset_threadpool(threads)
    program = Runtime.get().load_program(path)
    single, batch = program.load_method("forward"), program.load_method("forward_batch")
    for length in LENGTHS:
        ids = torch.randint(1000, 30000, (BATCH, length), generator=torch.Generator().manual_seed(length))
        mask = torch.ones_like(ids)
        rows = [row.unsqueeze(0) for row in ids]
        rounds = max(5, _TOKENS_PER_SAMPLE_ROUND // (length * BATCH * 10))
        loop_ms, batch_ms = _alternate(
            lambda rows=rows: [single.execute((row,)) for row in rows],  # type: ignore[misc]
            lambda ids=ids, mask=mask: batch.execute((ids, mask)),  # type: ignore[misc]
            rounds,
        )
        shape = f"{BATCH} x {length}"
        print(f"{threads:>7}  {shape:>8}  {loop_ms:>9.2f}  {batch_ms:>9.2f}  {loop_ms / batch_ms:>10.2f}")


def _alternate(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    seconds: tuple[list[float], list[float]] = ([], [])
    for call in (first, second):
        call()
    for _ in range(rounds):
        for call, into in zip((first, second), seconds, strict=True):
            started = time.perf_counter()
            call()
            into.append(time.perf_counter() - started)
    return statistics.median(seconds[0]) * 1e3, statistics.median(seconds[1]) * 1e3


def main() -> int:
    """Write the program, then measure in a process for each thread count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.program is not None:
        measure(arguments.program, arguments.threads)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "two_layers.pte")
        both, alone = write_program(path)
        print(f"file with the batch method {both:,} bytes, without {alone:,}: {both - alone:,} more")
        print("threads     batch    loop ms   batch ms  loop/batch", flush=True)
        for threads in THREADS:
            command = [
                sys.executable,
                "-m",
                "benchmarks.studies.batch_gain",
                "--program",
                str(path),
                "--threads",
                str(threads),
            ]
            subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
