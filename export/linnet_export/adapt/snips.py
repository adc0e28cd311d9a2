"""Writes the slots of SNIPS as JSON lines: ``python -m linnet_export.adapt.snips DIRECTORY -o slots.jsonl``.

The data set (Coucke et al., "Snips Voice Platform", <https://arxiv.org/abs/1805.10190>, CC0 1.0) has a file
``train_INTENT.json`` for each of seven intents: an object of one list, whose items are pieces of text, some with an
entity's name.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.output import write_text

__all__ = ["convert"]


def convert(directory: Path, output: Path) -> int:
    """Write `tokens` and BIO `tags` of every request.

    Returns:
        the number of requests.

    Raises:
        InvalidArgumentError: there are no such files, or one has not their form.
    """
    files = sorted(directory.glob("train_*.json"))
    if not files:
        raise InvalidArgumentError(f"{directory}: no train_INTENT.json, needed the files of SNIPS's 2017 benchmark")
    rows = [row for file in files for row in _rows(file)]
    write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), output, force=True)
    return len(rows)


def _rows(file: Path) -> Iterable[dict[str, Any]]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # some of the published files
    intent = file.stem.removeprefix("train_")
    try:
        requests = json.loads(text)[intent]
        tagged = [_tagged(request["data"]) for request in requests]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidArgumentError(f"{file}: not a file of SNIPS: {error!r}") from error
    for tokens, tags in tagged:
        if tokens:
            yield {"tokens": tokens, "tags": tags}


def _tagged(pieces: Iterable[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    tokens: list[str] = []
    tags: list[str] = []
    for piece in pieces:
        words, entity = piece["text"].split(), piece.get("entity")
        tokens += words
        tags += [f"{'I' if place else 'B'}-{entity}" if entity else "O" for place in range(len(words))]
    return tokens, tags


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="the slots of SNIPS as JSON lines")
    parser.add_argument("directory", type=Path, help="with train_AddToPlaylist.json and the others")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.jsonl")
    args = parser.parse_args()
    print(f"{convert(args.directory, args.output)} requests in {args.output}")


if __name__ == "__main__":
    main()
