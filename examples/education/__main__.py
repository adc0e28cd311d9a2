"""Education: find the passage of a lesson that answers a question, by sentence embeddings, without training."""

import time
from pathlib import Path

import numpy as np

import linnet
from examples.walkthrough import read_rows, run_linnet, settings
from linnet.cli.script import run_script


def main() -> None:
    """Find the passage for each question."""
    chosen = settings("Finds the passage of a lesson that answers a question.")
    rows = read_rows(Path(__file__).with_name("illustrative.jsonl"))
    file = chosen.output / "encoder.pte"
    chosen.output.mkdir(parents=True, exist_ok=True)
    run_linnet("export", chosen.model, "--task", "feature-extraction", "-o", file, "--force", quiet=True)
    with linnet.load(str(file), threads=1) as encoder:
        passages = np.asarray(encoder.encode([row["passage"] for row in rows]))
        start = time.perf_counter()
        questions = np.asarray(encoder.encode([row["question"] for row in rows]))
        milliseconds = (time.perf_counter() - start) * 1e3 / len(rows)
    # embeddings have unit length, so the dot product is the cosine
    nearest = (questions @ passages.T).argmax(axis=1)
    right = int((nearest == np.arange(len(rows))).sum())
    print(f"{right} of {len(rows)} questions find their passage")
    print(f"{file.stat().st_size / 1e6:.1f} MB, {milliseconds:.2f} ms a question (mean, one thread)")
    for row, index in zip(rows[:3], nearest, strict=False):
        print(f"{row['question']!r} -> {rows[index]['passage']!r}")


if __name__ == "__main__":
    run_script(main)
