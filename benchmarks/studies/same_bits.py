"""Answers of files to the last bit with the kernels of each kind of processor.

``python -m benchmarks.studies.same_bits FILE...``: runs each file with all kernels that this processor has, with 8 and
with 7 bits of activations, each in a process of its own (``LINNET_MAX_CPU``), on texts made of the exporter's own for
its proof; and prints how many texts have outputs with other bits than those of the portable kernels.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import linnet

__all__ = ["KERNELS", "answers", "differing", "main", "texts"]

KERNELS = ("portable", "avx2", "avx_vnni", "avx512_vnni", "neon", "dotprod", "i8mm")
"""Names of all kernels, see runtime_bindings/runtime/kernels/dispatch.h; the portable ones come first."""

BITS = (8, 7)
_MOST_JOINED = 8
"""Texts that are joined to one, so that lengths vary."""


def texts(count: int) -> list[str]:
    """Return the texts: one to eight of the exporter's, joined in a seeded order."""
    spec = importlib.util.find_spec("linnet_export")  # found, not imported: that would import torch
    assert spec is not None
    path = Path(str(spec.origin)).parent / "proof" / "default_texts.jsonl"
    known = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    chosen = random.Random(0)
    return [" ".join(chosen.choices(known, k=chosen.randint(1, _MOST_JOINED))) for _ in range(count)]


def answers(file: Path, kernels: str, bits: int, asked: Sequence[str]) -> list[str] | None:
    """Return the SHA-256 of each text's outputs from a process of its own; None if this processor lacks the kernels."""
    command = [sys.executable, "-m", "benchmarks.studies.same_bits", str(file), "--bits", str(bits), "--only", kernels]
    given = json.dumps(list(asked))
    environment = os.environ | {"LINNET_MAX_CPU": kernels}
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{file} with {kernels} and {bits} bits: {done.stderr.strip()}")
    found: list[str] | None = json.loads(done.stdout)
    return found


def differing(file: Path, asked: Sequence[str]) -> dict[tuple[int, str], int]:
    """Return the number of texts whose outputs differ from the portable kernels', by bits and kernels."""
    found = {}
    for bits in BITS:
        expected: list[str] | None = None
        for kernels in KERNELS:
            hashes = answers(file, kernels, bits, asked)
            if hashes is None:
                continue
            expected = expected or hashes
            found[bits, kernels] = sum(one != other for one, other in zip(expected, hashes, strict=True))
    return found


def _answer(file: Path, kernels: str, bits: int, asked: Sequence[str]) -> list[str] | None:
    if not _is_usable(kernels):
        return None
    with linnet.load(file, threads=1, self_test=False, fused=True, activation_bits=bits) as model:
        hashes = []
        for text in asked:
            paired = model.task in ("question-answering", "text-ranking")
            outputs: Mapping[str, Any] = model.run(model.tokenize(text, text) if paired else model.tokenize(text))
            joined = b"".join(name.encode() + outputs[name].tobytes() for name in sorted(outputs))
            hashes.append(hashlib.sha256(joined).hexdigest())
        return hashes


def _is_usable(kernels: str) -> bool:
    from linnet_runtime import runtime_info

    return runtime_info()["kernels"] == kernels  # the fastest, if this processor has no kernels of that name


def main() -> int:
    """Read the command line, compare and print the table; return 1 if any output differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="linnet files with forward_fused")
    parser.add_argument("--texts", type=int, default=500, metavar="N", help="how many texts (default: 500)")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--bits", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        print(json.dumps(_answer(args.files[0], args.only, args.bits, json.load(sys.stdin))))
        return 0
    asked = texts(args.texts)
    print(f"{len(asked)} texts\nfile                       bits  kernels        other bits")
    different = 0
    for file in args.files:
        for (bits, kernels), count in differing(file, asked).items():
            print(f"{file.name:<26} {bits:>4}  {kernels:<14} {count:>10}", flush=True)
            different += count
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
