"""Semantic search, the last step of `make demo`: the most similar sentence for each question."""

from __future__ import annotations

import importlib.util
import sys
import time

import numpy as np

import linnet

QUESTIONS = (
    "I lost my credit card",
    "Will it rain at the weekend?",
    "how do mosses drink",
)

SENTENCES = (
    "Please freeze my card, I think I left it on the train.",
    "Our branch at the harbour is closed on Sundays.",
    "Heavy showers are expected on Saturday and Sunday.",
    "Mosses have no roots; they take up water over the whole surface of their leaves.",
    "The night train from Vienna to Venice takes bicycles.",
    "Shares of the battery maker fell by six percent.",
)


def main(path: str) -> None:
    """Print the best sentence for each question, with its cosine."""
    absent = [name for name in ("torch", "transformers", "executorch") if importlib.util.find_spec(name) is None]
    print(f"Python {sys.version.split()[0]}, not installed here: {', '.join(absent)}")
    with linnet.load(path) as model:
        sentences = model.encode(list(SENTENCES), normalize_embeddings=True)
        for question in QUESTIONS:
            started = time.perf_counter()
            scores = sentences @ model.encode(question, normalize_embeddings=True)
            milliseconds = 1000 * (time.perf_counter() - started)
            best = int(np.argmax(scores))
            print(f"\n  {question}\n    -> {SENTENCES[best]}  (cosine {scores[best]:.2f}, {milliseconds:.1f} ms)")


if __name__ == "__main__":
    main(sys.argv[1])
