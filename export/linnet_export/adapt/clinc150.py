"""Writes the rows of CLINC150 as JSON lines: ``python -m linnet_export.adapt.clinc150 train_val.json -o DIR``.

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

from linnet.errors import InvalidArgumentError
from linnet.output import write_text

__all__ = ["convert"]

_PARTS: Mapping[str, tuple[str, ...]] = {"train": ("train", "oos_train"), "val": ("val", "oos_val")}


_OUT_OF_SCOPE = "oos"


def convert(
    source: Path, directory: Path, *, domains: Sequence[str] = (), rows_per_class: int | None = None
) -> dict[str, int]:
    """Write `train.jsonl` (train and oos_train) and `val.jsonl` (val and oos_val).

    Args:
        source: the data set.
        directory: of both files.
        domains: only their intents, and out of scope; empty: all.
        rows_per_class: so many rows of each class are trained on, chosen at random with the seed 0; None: all.

    Returns:
        the number of rows by file.

    Raises:
        InvalidArgumentError: the file has not the form of the data set.
        OSError: it cannot be read, or the directory cannot be written.
    """
    found = json.loads(source.read_text(encoding="utf-8"))
    missing = [name for names in _PARTS.values() for name in names if name not in found]
    if missing:
        raise InvalidArgumentError(f"{source}: no {', '.join(missing)}; needed CLINC150's data_full.json or its parts")
    wanted = _intents(source.with_name("domains.json"), domains) if domains else None
    directory.mkdir(parents=True, exist_ok=True)
    counts = {}
    for file, names in _PARTS.items():
        rows = [row for name in names for row in found[name] if wanted is None or row[1] in wanted]
        if file == "train" and rows_per_class is not None:
            rows = _few(rows, rows_per_class)
        write_text("".join(f"{_line(row)}\n" for row in rows), directory / f"{file}.jsonl", force=True)
        counts[file] = len(rows)
    return counts


def _intents(source: Path, domains: Sequence[str]) -> set[str]:
    found = json.loads(source.read_text(encoding="utf-8"))
    unknown = [name for name in domains if name not in found]
    if unknown:
        raise InvalidArgumentError(f"{source}: no domain {', '.join(unknown)}; known are {', '.join(found)}")
    return {intent for name in domains for intent in found[name]} | {_OUT_OF_SCOPE}


def _few(rows: Sequence[Sequence[str]], count: int) -> list[Sequence[str]]:
    shuffled = random.Random(0).sample(rows, len(rows))
    labels = sorted({label for _, label in rows})
    return [row for label in labels for row in [each for each in shuffled if each[1] == label][:count]]


def _line(row: Sequence[str]) -> str:
    text, label = row
    return json.dumps({"text": text, "label": label}, ensure_ascii=False)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("source", type=Path, metavar="FILE", help="data_full.json, or train_val.json with its parts")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--domains", metavar="banking,travel", default="", help="only their intents, and out of scope")
    parser.add_argument("--rows-per-class", type=int, metavar="N", help="train on so many rows of each class")
    args = parser.parse_args()
    domains = tuple(filter(None, args.domains.split(",")))
    for name, count in convert(args.source, args.output, domains=domains, rows_per_class=args.rows_per_class).items():
        print(f"{args.output / name}.jsonl: {count} rows")


if __name__ == "__main__":
    main()
