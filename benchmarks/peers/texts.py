"""Real texts of mixed length for the part ``encode``."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paths import ROOT

__all__ = ["DATA", "distribution", "mixed_texts", "read_lines"]

DATA = ROOT.parent / "shared" / "data"
"""CLINC150 and STS-B, not part of the repository; ``--texts FILE`` replaces them."""

_SEED = 20_240_229
_MOST_SENTENCES = 16


def mixed_texts(count: int, data: Path = DATA) -> list[str]:
    """Return texts as an application receives them: half requests and sentences, half paragraphs.

    A quarter are requests to a voice assistant (CLINC150), a quarter are sentences (STS-B), the rest are 2 to 16
    consecutive sentences of STS-B joined, like short documents; in a fixed random order.

    Raises:
        FileNotFoundError: the data sets are missing.
    """
    requests_file, sentences_file = data / "clinc150" / "train_val.json", data / "stsb_en" / "stsb-en-train.csv"
    for file in (requests_file, sentences_file):
        if not file.is_file():
            raise FileNotFoundError(f"found no {file}; give texts of your own, one a line: --texts FILE")
    draw = random.Random(_SEED)
    requests = [text for text, _ in json.loads(requests_file.read_text(encoding="utf-8"))["train"]]
    with sentences_file.open(encoding="utf-8", newline="") as lines:
        sentences = [row[0] for row in csv.reader(lines)]
    texts = draw.sample(requests, count // 4) + draw.sample(sentences, count // 4)
    while len(texts) < count:
        start, length = draw.randrange(len(sentences) - _MOST_SENTENCES), draw.randint(2, _MOST_SENTENCES)
        texts.append(" ".join(sentences[start : start + length]))
    draw.shuffle(texts)
    return texts


def read_lines(file: Path) -> list[str]:
    """Return the lines of a text file that are not empty.

    Raises:
        ValueError: there are fewer than two.
    """
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) < 2:
        raise ValueError(f"{file} has {len(lines)} texts, expected at least 2, one a line")
    return lines


def distribution(lengths: Sequence[int]) -> str:
    """Return the distribution of lengths in tokens as one line: extremes and deciles."""
    ordered = sorted(lengths)
    deciles = [ordered[(len(ordered) - 1) * tenth // 10] for tenth in range(1, 10)]
    return (
        f"{len(ordered)} texts, {sum(ordered)} tokens; {ordered[0]} to {ordered[-1]} tokens, "
        f"deciles {' '.join(map(str, deciles))}"
    )
