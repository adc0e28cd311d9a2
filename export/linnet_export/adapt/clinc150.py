"""Writes the rows of CLINC150 as JSON lines: ``python -m linnet_export.adapt.clinc150 train_val.json -o DIR``.

The data set (Larson et al., "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction",
EMNLP 2019, github.com/clinc/oos-eval, CC BY 3.0) is one JSON object of lists of [text, label].
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.output import write_text

__all__ = ["convert"]

_PARTS: Mapping[str, tuple[str, ...]] = {"train": ("train", "oos_train"), "val": ("val", "oos_val")}


def convert(source: Path, directory: Path) -> dict[str, int]:
    """Write `train.jsonl` (train and oos_train) and `val.jsonl` (val and oos_val).

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
    directory.mkdir(parents=True, exist_ok=True)
    counts = {}
    for file, names in _PARTS.items():
        rows = [row for name in names for row in found[name]]
        write_text("".join(f"{_line(row)}\n" for row in rows), directory / f"{file}.jsonl", force=True)
        counts[file] = len(rows)
    return counts


def _line(row: Sequence[str]) -> str:
    text, label = row
    return json.dumps({"text": text, "label": label}, ensure_ascii=False)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("source", type=Path, metavar="FILE", help="data_full.json, or train_val.json with its parts")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    for name, count in convert(args.source, args.output).items():
        print(f"{args.output / name}.jsonl: {count} rows")


if __name__ == "__main__":
    main()
