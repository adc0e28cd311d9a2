"""Perplexity of a decoder's file on a long text: ``python -m benchmarks.studies.perplexity FILE.pte TEXT``.

The text is cut into windows of tokens, each read from an empty context. With ``--checkpoint DIR`` the original
reads the same windows in eager transformers, and the Kullback-Leibler divergence and the share of equal answers
follow, which need far less text than a perplexity to tell two files apart.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import linnet
from linnet.choosing import log_softmax
from linnet.runtime import FloatArray

__all__ = ["Figures", "compare", "main", "windows"]

_CHARACTERS = 8
"""Of a piece of the text for each token of a window: twice what a token of English has."""


@dataclasses.dataclass
class Figures:
    """Sums over all foretold tokens; the figures are means of them.

    Attributes:
        tokens: foretold tokens.
        surprise: of the file, in nats.
        original_surprise: of the original.
        divergence: of the file's next token from the original's, in nats.
        agreed: tokens whose likeliest continuation is the same.
    """

    tokens: int = 0
    surprise: float = 0.0
    original_surprise: float = 0.0
    divergence: float = 0.0
    agreed: int = 0

    def add(self, found: FloatArray, expected: FloatArray | None, following: Sequence[int]) -> None:
        """Add a window: log probabilities float32 [tokens, vocabulary] of both, and the tokens that followed."""
        places = np.arange(len(following))
        self.tokens += len(following)
        self.surprise -= float(found[places, following].sum())
        if expected is not None:
            self.original_surprise -= float(expected[places, following].sum())
            self.divergence += float((np.exp(expected) * (expected - found)).sum())
            self.agreed += int((found.argmax(-1) == expected.argmax(-1)).sum())


def windows(model: linnet.Model, text: str, size: int, most: int) -> Iterator[Sequence[int]]:
    """Yield windows of ``size`` tokens, each from the start of a piece of the text."""
    length = size * _CHARACTERS
    pieces = (text[start : start + length] for start in range(0, len(text), length))
    long_enough = (ids[:size] for ids in (model.tokenize(piece).ids.tolist() for piece in pieces) if len(ids) >= size)
    return itertools.islice(long_enough, most)


def compare(model: linnet.Model, original: Any | None, texts: Iterator[Sequence[int]]) -> Figures:
    """Read every window with both."""
    figures = Figures()
    for window in texts:
        found = log_softmax(model.new_text().score(window)[:-1])
        figures.add(found, None if original is None else _eager(original, window), window[1:])
    return figures


def _eager(original: Any, window: Sequence[int]) -> FloatArray:
    import torch

    with torch.inference_mode():
        result: FloatArray = torch.log_softmax(original(torch.tensor([window])).logits[0, :-1], -1).numpy()
    return result


def _load(folder: Path) -> Any:
    import transformers

    original: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32")
    return original.eval()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("text", type=Path, help="UTF-8")
    parser.add_argument("--checkpoint", type=Path, help="folder of the original")
    parser.add_argument("--tokens", type=int, default=512, help="of a window (%(default)s)")
    parser.add_argument("--windows", type=int, default=16, help="at most (%(default)s)")
    parser.add_argument("--activation-bits", type=int, choices=(7, 8))
    given = parser.parse_args(arguments)
    with linnet.load(given.file, self_test=False, activation_bits=given.activation_bits) as model:
        text = given.text.read_text(encoding="utf-8")
        original = None if given.checkpoint is None else _load(given.checkpoint)
        figures = compare(model, original, windows(model, text, given.tokens, given.windows))
    if not figures.tokens:
        print(f"the text has fewer than {given.tokens} tokens; give a longer one, or --tokens", file=sys.stderr)
        return 2
    print(f"{figures.tokens} tokens foretold, windows of {given.tokens}")
    print(f"perplexity                 {math.exp(figures.surprise / figures.tokens):.4f}")
    if original is not None:
        before = math.exp(figures.original_surprise / figures.tokens)
        print(f"perplexity of the original {before:.4f}")
        print(f"ratio                      {math.exp(figures.surprise / figures.tokens) / before:.4f}")
        print(f"mean KL divergence         {figures.divergence / figures.tokens:.5f}")
        print(f"same answer                {100 * figures.agreed / figures.tokens:.2f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
