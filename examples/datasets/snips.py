"""Converter of SNIPS to JSON lines: ``python -m examples.datasets.snips FOLDER -o DIR``.

The data set (Coucke et al., "Snips Voice Platform", 2018, github.com/sonos/nlu-benchmark, CC0) has a file for each
intent; a command is a list of pieces, of which some name a slot. A tenth of each intent is held out.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from linnet.cli.output import write_text
from linnet.cli.script import program_name, run_script
from linnet.errors import InvalidArgumentError

__all__ = ["convert", "read_commands", "tagged"]

Pieces: TypeAlias = Sequence[Mapping[str, str]]
"""Of a command: `text`, and `entity` where it names a slot."""

_SHARE = 0.1


def convert(source: Path, directory: Path, seed: int = 0) -> dict[str, int]:
    """Write `slots-{train,val}.jsonl` (tokens, tags) and `intents-{train,val}.jsonl` (text, label).

    Args:
        source: folder with train_INTENT.json files.
        directory: where the four files go.
        seed: of the choice of what is held out.

    Returns:
        the number of rows by file.

    Raises:
        InvalidArgumentError: the folder has no such files.
        OSError: one cannot be read, or the directory cannot be written.
    """
    parts: dict[str, list[dict[str, Any]]] = {"train": [], "val": []}
    generator = random.Random(seed)
    for intent, commands in read_commands(source):
        rows = [row for row in (_row(pieces, intent) for pieces in commands) if row["tokens"]]
        generator.shuffle(rows)
        held_out = round(_SHARE * len(rows))
        parts["val"] += rows[:held_out]
        parts["train"] += rows[held_out:]
    directory.mkdir(parents=True, exist_ok=True)
    counts = {}
    for part, rows in parts.items():
        for name, columns in (("slots", ("tokens", "tags")), ("intents", ("text", "label"))):
            lines = (json.dumps({column: row[column] for column in columns}, ensure_ascii=False) for row in rows)
            write_text("".join(f"{line}\n" for line in lines), directory / f"{name}-{part}.jsonl", force=True)
            counts[f"{name}-{part}.jsonl"] = len(rows)
    return counts


def read_commands(source: Path) -> Iterator[tuple[str, list[Pieces]]]:
    """Yield each intent with its commands, which are lists of pieces.

    Raises:
        InvalidArgumentError: the folder has no such files.
        OSError: one cannot be read.
    """
    files = sorted(source.glob("train_*.json"))
    if not files:
        raise InvalidArgumentError(f"{source}: no train_*.json; expected the folder of SNIPS' files")
    for file in files:
        ((intent, commands),) = json.loads(_text(file)).items()
        yield intent, [command["data"] for command in commands]


def _text(file: Path) -> str:
    data = file.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # some of the published files


def _row(pieces: Pieces, intent: str) -> dict[str, Any]:
    words, tags = tagged(pieces)
    return {"tokens": words, "tags": tags, "text": " ".join(words), "label": intent}


def tagged(pieces: Iterable[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Return the words of a command and the tag of each: B-SLOT, I-SLOT or O."""
    words: list[str] = []
    tags: list[str] = []
    for piece in pieces:
        piece_words = piece["text"].split()
        slot = piece.get("entity")
        words += piece_words
        tags += [f"{'I' if place else 'B'}-{slot}" if slot else "O" for place in range(len(piece_words))]
    return words, tags


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=program_name(), description=(__doc__ or "").split(":")[0])
    parser.add_argument("source", type=Path, metavar="FOLDER", help="with train_AddToPlaylist.json and the others")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    for name, count in convert(args.source, args.output).items():
        print(f"{args.output / name}: {count} rows")


if __name__ == "__main__":
    run_script(main)
