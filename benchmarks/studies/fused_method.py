"""``forward`` against ``forward_fused`` of one file, for the shape of a published model with random weights.

``python -m benchmarks.studies.fused_method [--model deberta-v3-small]``: exports a checkpoint of that shape (int8,
seeded random weights, few words: speed depends on neither), then runs each method in processes of its own, in turns.
For each length the smallest median of a method's processes counts, the least disturbed one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linnet.cli.console import counted
from linnet_bench.arguments import numbers

__all__ = ["SHAPES", "main", "measure", "write_file"]

SHAPES: dict[str, dict[str, Any]] = {
    "deberta-v3-small": {
        "model_type": "deberta-v2",
        "hidden_size": 768,
        "num_hidden_layers": 6,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 256,
        "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
        "layer_norm_eps": 1e-7,
    },
}
"""config.json of a model, without what says nothing about its speed."""

_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{number}" for number in range(995)))
_SECONDS = 2.0
"""Sampling time of a process for each length."""


def write_file(path: Path, model: str) -> None:
    """Write the file with both methods."""
    import torch
    import transformers

    from linnet_export import ExportConfig, export

    shape = {name: value for name, value in SHAPES[model].items() if name != "model_type"}
    config = transformers.AutoConfig.for_model(
        SHAPES[model]["model_type"], vocab_size=len(_WORDS), max_position_embeddings=512, **shape
    )
    torch.manual_seed(0)
    checkpoint = path.parent / model
    transformers.AutoModel.from_config(config).save_pretrained(checkpoint)
    vocabulary = {word: number for number, word in enumerate(_WORDS)}
    transformers.BertTokenizer(vocab=vocabulary).save_pretrained(checkpoint)
    export(ExportConfig(model=str(checkpoint), output=path, task="feature-extraction", prove=False))


def measure(path: Path, *, fused: bool, threads: int, lengths: Sequence[int]) -> dict[int, float]:
    """Return the median milliseconds of a method by length."""
    from linnet_runtime import Model

    model = Model(str(path), threads)
    model.set_fused(fused)
    found = {}
    for length in lengths:
        ids = [np.arange(length, dtype=np.int64)[None] * 7 % (len(_WORDS) - 5) + 5]
        for _ in range(3):
            model.run("forward", ids)
        samples: list[float] = []
        until = time.perf_counter() + _SECONDS
        while time.perf_counter() < until:
            began = time.perf_counter()
            model.run("forward", ids)
            samples.append((time.perf_counter() - began) * 1e3)
        found[length] = statistics.median(samples)
    return found


def _turn(path: Path, method: str, args: argparse.Namespace) -> dict[int, float]:
    module = [sys.executable, "-m", "benchmarks.studies.fused_method", "--file", str(path), "--method", method]
    settings = ["--threads", str(args.threads), "--lengths", ",".join(map(str, args.lengths))]
    done = subprocess.run([*module, *settings], capture_output=True, text=True, check=True)
    return {int(length): milliseconds for length, milliseconds in json.loads(done.stdout).items()}


def main() -> None:
    """Read the command line, write the file, measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--model", choices=sorted(SHAPES), default="deberta-v3-small")
    parser.add_argument("--lengths", type=numbers, default=[16, 128, 256], metavar="N,N,...")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="processes of each method (default: 3)")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--method", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.file is not None:
        fused = args.method == "forward_fused"
        print(json.dumps(measure(args.file, fused=fused, threads=args.threads, lengths=args.lengths)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.pte")
        write_file(path, args.model)
        methods = ("forward", "forward_fused")
        turns = [(method, _turn(path, method, args)) for _ in range(args.rounds) for method in methods]
    print(f"{args.model}, {counted(args.threads, 'thread')}\ntokens  forward ms  forward_fused ms  ratio")
    for length in args.lengths:
        plain, fused = (min(found[length] for name, found in turns if name == method) for method in methods)
        print(f"{length:>6}  {plain:>10.2f}  {fused:>16.2f}  {plain / fused:>5.2f}")


if __name__ == "__main__":
    main()
