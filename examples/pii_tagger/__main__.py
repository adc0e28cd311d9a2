"""Texts of the tagger of personal names: ``python -m examples.pii_tagger -o build/pii --shared-data ../shared/data``.

Writes JSON lines of tokens and BIO tags: `train.jsonl`, `validation.jsonl`, which chooses the epoch, and what is only
measured: `held_out.jsonl` (generated from names and templates that the others do not have) and `wnut17.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from examples.pii_tagger.documents import generate, words_and_tags
from examples.pii_tagger.names import Names
from examples.pii_tagger.real_texts import Row, clinc_rows, part_of, snips_rows, with_other_names, wnut_rows
from examples.pii_tagger.words import Part
from linnet.cli.output import write_text
from linnet.cli.script import program_name, run_script

__all__ = ["generated_rows", "write_rows"]

_VALIDATION, _HELD_OUT = 500, 2000
_SEED = 1
_MOST_SNIPS, _MOST_CLINC = 4000, 3000
_WNUT_TWICE = 2
"""Sentences of WNUT 17 come that often: there are few, and only they are real names in real text."""


def generated_rows(count: int, seed: int, part: Part) -> Iterator[Row]:
    """Yield generated documents as words and tags."""
    for document in generate(count, seed, part):
        words, tags = words_and_tags(document)
        yield {"tokens": words, "tags": tags}


def write_rows(rows: Iterable[Row], path: Path) -> int:
    """Write rows as JSON lines; return their number."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_text("".join(f"{line}\n" for line in lines), path, force=True)
    return len(lines)


def _real_rows(shared: Path) -> tuple[list[Row], list[Row]]:
    """Return the labelled real texts to train on, and a tenth of them for validation."""
    generator = random.Random(_SEED)
    train: list[Row] = []
    validation: list[Row] = []
    snips, clinc = list(snips_rows(shared / "snips")), list(clinc_rows(shared / "clinc150" / "train_val.json", "train"))
    wnut = list(wnut_rows(shared / "wnut17" / "wnut17train.conll"))
    train += [row for row in wnut if part_of(row) is Part.HELD_OUT] * _WNUT_TWICE  # its other file is held out
    sources = (
        (wnut, _WNUT_TWICE),
        (generator.sample(snips, min(_MOST_SNIPS, len(snips))), 1),
        (generator.sample(clinc, min(_MOST_CLINC, len(clinc))), 1),
    )
    names = Names(Part.TRAIN, generator)
    for rows, times in sources:
        chosen = [row for row in rows if part_of(row) is Part.TRAIN]
        train += chosen * times
        train += [row for _ in range(times) for row in with_other_names(chosen, names)]
        validation += [row for row in rows if part_of(row) is Part.VALIDATION]
    return train, validation


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=program_name(), description=(__doc__ or "").split(":")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--documents", type=int, default=16_000, metavar="N", help="generated for training (16000)")
    parser.add_argument(
        "--shared-data", type=Path, metavar="DIR", help="with wnut17, snips and clinc150 in it; without, none of them"
    )
    args = parser.parse_args()
    train, validation = ([], []) if args.shared_data is None else _real_rows(args.shared_data)
    train += generated_rows(args.documents, _SEED, Part.TRAIN)
    validation += generated_rows(_VALIDATION, _SEED, Part.VALIDATION)
    random.Random(_SEED).shuffle(train)
    files = {
        "train": train,
        "validation": validation,
        "held_out": list(generated_rows(_HELD_OUT, _SEED, Part.HELD_OUT)),
    }
    if args.shared_data is not None:
        files["wnut17"] = list(wnut_rows(args.shared_data / "wnut17" / "emerging.dev.conll"))
    args.output.mkdir(parents=True, exist_ok=True)
    for name, rows in files.items():
        path = args.output / f"{name}.jsonl"
        print(f"{path}: {write_rows(rows, path)} rows")


if __name__ == "__main__":
    run_script(main)
