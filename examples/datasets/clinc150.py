"""Converter of CLINC150 to JSON lines: ``python -m examples.datasets.clinc150 train_val.json -o DIR``.

The data set (Larson et al., "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction",
EMNLP 2019, github.com/clinc/oos-eval, CC BY 3.0) is one JSON object of lists of [text, label]; `domains.json` beside it
names the intents of each domain. ``--domains`` and ``--rows-per-class`` take a part, for learning from few rows.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from linnet.cli.output import write_text
from linnet.cli.script import program_name, run_script
from linnet.errors import InvalidArgumentError

__all__ = ["convert", "read_rows"]

_PARTS: Mapping[str, tuple[str, ...]] = {"train": ("train", "oos_train"), "val": ("val", "oos_val")}
_OUT_OF_SCOPE = "oos"


def convert(
    source: Path, directory: Path, *, domains: Sequence[str] = (), rows_per_class: int | None = None, seed: int = 0
) -> dict[str, int]:
    """Write `train.jsonl` (train and oos_train) and `val.jsonl` (val and oos_val).

    Args:
        source: the data set.
        directory: of both files.
        domains: only their intents, and out of scope; empty: all.
        rows_per_class: so many rows of each class are trained on, chosen at random; None: all.
        seed: of that choice.

    Returns:
        the number of rows by file.

    Raises:
        InvalidArgumentError: the file is not in the format of the data set, or a number or a domain is invalid.
        OSError: it cannot be read, or the directory cannot be written.
    """
    if rows_per_class is not None and rows_per_class < 1:
        raise InvalidArgumentError(f"rows_per_class is {rows_per_class}, expected at least 1")
    parts = read_rows(source, domains)
    if rows_per_class is not None:
        parts["train"] = _few(parts["train"], rows_per_class, seed)
    directory.mkdir(parents=True, exist_ok=True)
    for file, rows in parts.items():
        lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        write_text(lines, directory / f"{file}.jsonl", force=True)
    return {file: len(rows) for file, rows in parts.items()}


def read_rows(source: Path, domains: Sequence[str] = ()) -> dict[str, list[dict[str, str]]]:
    """Return the rows of `train` and `val`, each with `text` and `label`, out of scope included.

    Args:
        source: the data set.
        domains: only their intents, by `domains.json` beside it, and out of scope; empty: all.

    Raises:
        InvalidArgumentError: the file is not in the format of the data set, or a domain is unknown.
        OSError: it cannot be read.
    """
    content = json.loads(source.read_text(encoding="utf-8"))
    missing = [name for names in _PARTS.values() for name in names if name not in content]
    if missing:
        raise InvalidArgumentError(
            f"{source}: no {', '.join(missing)}; expected data_full.json of CLINC150 or its parts"
        )
    wanted = _intents(source.with_name("domains.json"), domains) if domains else None
    return {
        part: [
            {"text": text, "label": label}
            for name in names
            for text, label in content[name]
            if wanted is None or label in wanted
        ]
        for part, names in _PARTS.items()
    }


def _intents(source: Path, domains: Sequence[str]) -> set[str]:
    by_domain = json.loads(source.read_text(encoding="utf-8"))
    unknown = [name for name in domains if name not in by_domain]
    if unknown:
        raise InvalidArgumentError(f"{source}: no domain {', '.join(unknown)}; known are {', '.join(by_domain)}")
    return {intent for name in domains for intent in by_domain[name]} | {_OUT_OF_SCOPE}


def _few(rows: Sequence[dict[str, str]], count: int, seed: int) -> list[dict[str, str]]:
    shuffled = random.Random(seed).sample(rows, len(rows))
    labels = sorted({row["label"] for row in rows})
    by_label = [[row for row in shuffled if row["label"] == label] for label in labels]
    return [row for members in by_label for row in members[:count]]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=program_name(), description=(__doc__ or "").split(":")[0])
    parser.add_argument("source", type=Path, metavar="FILE", help="data_full.json, or train_val.json with its parts")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--domains", metavar="banking,travel", default="", help="only their intents, and out of scope")
    parser.add_argument("--rows-per-class", type=int, metavar="N", help="train on so many rows of each class")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice of these rows (default 0)")
    args = parser.parse_args()
    domains = tuple(filter(None, args.domains.split(",")))
    counts = convert(args.source, args.output, domains=domains, rows_per_class=args.rows_per_class, seed=args.seed)
    for name, count in counts.items():
        print(f"{args.output / name}.jsonl: {count} rows")


if __name__ == "__main__":
    run_script(main)
