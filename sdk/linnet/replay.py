"""Worker process of the export proof, ``python -m linnet.replay``: runs texts and records all outputs.

The proof of the exporter starts it as a process without torch, and compares the recorded outputs with the original.

Input: JSON lines with ``text`` and an optional ``pair``. Output: an ``.npz`` with the arrays ``N/ids`` and
``N/OUTPUT`` for the text in line N (counted from 0), as :func:`linnet.golden_replay.answer_outputs` returns them, and
a JSON file with golden cases. On stdout: one JSON object per line, ``{"done": 3, "total": 40}`` after each
text, and at the end ``{"finished": true, "threads": ..., "foreign": [...]}``. Exit status: 0, 1 after an error, or
:data:`FULL_DISK`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linnet.atomic_file import is_full_disk
from linnet.errors import InvalidArgumentError, LinnetError
from linnet.format.evidence import GoldenCase
from linnet.format.golden import make_case
from linnet.format.json_objects import write_object
from linnet.golden_replay import answer_outputs
from linnet.loading import load
from linnet.model import Model
from linnet.runtime import FloatArray, IntArray
from linnet.tasks.feature_extraction import choose_prompt

__all__ = ["FOREIGN", "FULL_DISK", "Replayed", "choose_cases", "main", "read_outputs", "replay", "write_outputs"]

FOREIGN = ("torch", "transformers", "executorch", "tokenizers")
"""Packages that the process must not import, since the program has to run without them.

``tokenizers`` is allowed if it is the file's kind of tokenizer.
"""

FULL_DISK = 3
"""Exit status of the process if the disk or a quota is full."""

_LONGEST_CASE = 64  # tokens of a golden case; keeps `verify` fast on a small board


@dataclasses.dataclass(frozen=True)
class Replayed:
    """Token ids and outputs of one text.

    Attributes:
        ids: int64 [tokens].
        outputs: outputs by name, float32, without the batch axis; for fill-mask only the rows of the mask tokens.
    """

    ids: IntArray
    outputs: dict[str, FloatArray]


def replay(model: Model, lines: Sequence[dict[str, Any]], cases: int) -> tuple[list[Replayed], list[GoldenCase]]:
    """Run every line; return all outputs, and up to ``cases`` golden cases of different lengths."""
    prompt = choose_prompt(model.manifest, None, None)
    prompt_tokens = model.prompt_tokens(prompt)
    answers: list[Replayed] = []
    recorded: list[GoldenCase] = []
    for number, line in enumerate(lines, 1):
        text = prompt + line["text"]
        encoding, outputs = answer_outputs(model, text, line.get("pair"), prompt_tokens)
        answers.append(Replayed(encoding.ids, outputs))
        recorded.append(make_case(text, line.get("pair"), encoding, outputs, prompt_tokens))
        print(json.dumps({"done": number, "total": len(lines)}), flush=True)
    chosen = choose_cases([len(answer.ids) for answer in answers], cases)
    return answers, [recorded[index] for index in chosen]


def choose_cases(lengths: Sequence[int], count: int) -> list[int]:
    """Return the sorted positions of up to ``count`` texts, spread evenly over the lengths.

    Texts over 64 tokens are chosen only if all texts are longer.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    short = [index for index in order if lengths[index] <= _LONGEST_CASE] or order
    if count <= 0 or not short:
        return []
    places = np.linspace(0, len(short) - 1, num=min(count, len(short))).round().astype(int)
    return sorted({short[place] for place in places.tolist()})


def read_outputs(path: str | Path) -> list[Replayed]:
    """Read an ``.npz`` of :func:`write_outputs`, in the order of the texts."""
    arrays: dict[int, dict[str, Any]] = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            number, _, name = key.partition("/")
            arrays.setdefault(int(number), {})[name] = file[key]
    return [Replayed(arrays[index].pop("ids"), arrays[index]) for index in range(len(arrays))]


def write_outputs(path: str | Path, answers: Sequence[Replayed]) -> None:
    """Write an ``.npz`` with the arrays ``N/ids`` and ``N/OUTPUT`` of each text."""
    arrays: dict[str, Any] = {}
    for index, answer in enumerate(answers):
        arrays[f"{index}/ids"] = answer.ids
        arrays.update({f"{index}/{name}": values for name, values in answer.outputs.items()})
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker process; on an error, write one line to stderr and return the exit status."""
    args = _arguments(arguments)
    try:
        _run(args)
    except (LinnetError, OSError) as error:
        print(f"linnet.replay: {type(error).__name__}: {error}", file=sys.stderr)
        return FULL_DISK if is_full_disk(error) else 1
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m linnet.replay", description="run texts, write outputs")
    parser.add_argument("--model", required=True, metavar="FILE.pte")
    parser.add_argument("--texts", required=True, metavar="FILE.jsonl")
    parser.add_argument("--output", required=True, metavar="FILE.npz")
    parser.add_argument("--golden", required=True, metavar="FILE.json")
    parser.add_argument("--cases", type=int, default=8, help="golden cases to keep (default 8)")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--fused", action=argparse.BooleanOptionalAction, help="linnet's custom kernels")
    parser.add_argument("--activation-bits", type=int, help="7 or 8, of rounded activations in custom kernels")
    return parser.parse_args(arguments)


def _run(args: argparse.Namespace) -> None:
    lines = _read_lines(args.texts)
    given = {"fused": args.fused, "activation_bits": args.activation_bits}
    with load(args.model, threads=args.threads, self_test=False, **given) as model:
        answers, golden = replay(model, lines, args.cases)
        kind = model.manifest.tokenizer_kind
    write_outputs(args.output, answers)
    Path(args.golden).write_text(
        json.dumps(write_object(golden), ensure_ascii=False, allow_nan=False), encoding="utf-8"
    )
    foreign = [name for name in FOREIGN if name in sys.modules and name != kind]
    print(json.dumps({"finished": True, "threads": args.threads, "foreign": foreign}), flush=True)


def _read_lines(path: str) -> list[dict[str, Any]]:
    lines = []
    # split at "\n" only: str.splitlines() also splits at separators that JSON strings may contain unescaped
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                raise InvalidArgumentError(f'{path}, line {number}: expected an object with "text"')
            lines.append(row)
    return lines


if __name__ == "__main__":
    sys.exit(main())
