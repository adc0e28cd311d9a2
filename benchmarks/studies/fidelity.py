"""Quality loss of a file against its original: Spearman on STS-B dev, both sides in one run.

``python -m benchmarks.studies.fidelity FILE.pte stsb-en-dev.csv``: the file through the torch-free SDK, the original
checkpoint of all-MiniLM-L6-v2 through transformers in float32. The CSV has sentence, sentence, score (0 to 5).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import transformers
from scipy.stats import spearmanr

import linnet
from benchmarks.peers.models import minilm_folder

__all__ = ["main", "original_vectors", "spearman"]

_BATCH = 32


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both figures and their difference; exit with 1 if it is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.fidelity", description=__doc__)
    parser.add_argument("file", help="exported all-MiniLM-L6-v2")
    parser.add_argument("data", type=Path, help="STS-B dev as CSV: sentence, sentence, score")
    parser.add_argument("--at-most", type=float, default=0.003, help="largest loss that passes (default 0.003)")
    args = parser.parse_args(arguments)
    with args.data.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == 3]
    scores = [float(row[2]) for row in rows]
    texts = [row[0] for row in rows] + [row[1] for row in rows]
    with linnet.load(args.file) as model:
        bound, recipe = model.manifest.max_length, model.manifest.recipe
        ours = spearman(model.encode(texts, normalize_embeddings=True), scores)
    original = spearman(original_vectors(texts, bound), scores)
    print(f"STS-B dev, {len(rows)} pairs, Spearman: original {original:.4f}, {recipe} {ours:.4f}, ", end="")
    print(f"loss {original - ours:+.4f} (at most {args.at_most})")
    return int(original - ours > args.at_most)


def spearman(vectors: npt.NDArray[np.float32], scores: Sequence[float]) -> float:
    """Return the rank correlation of cosines with scores; vectors [2 * pairs, width] have all first sentences first."""
    half = len(vectors) // 2
    return float(spearmanr((vectors[:half] * vectors[half:]).sum(axis=1), scores).statistic)


def original_vectors(texts: Sequence[str], bound: int) -> npt.NDArray[np.float32]:
    """Return mean-pooled, normalized embeddings [texts, 384] of the checkpoint in float32, as in its model card."""
    folder = minilm_folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            inputs = tokenizer(
                [texts[index] for index in chosen], padding=True, truncation=True, max_length=bound, return_tensors="pt"
            )
            hidden = model(**inputs).last_hidden_state
            keep = inputs["attention_mask"].unsqueeze(-1)
            pooled = (hidden * keep).sum(1) / keep.sum(1)
            vectors[chosen] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    return vectors


if __name__ == "__main__":
    sys.exit(main())
