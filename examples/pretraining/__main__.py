"""A small MobileBERT from scratch: its own vocabulary, pre-training on plain text, then intents from few rows.

Without `--clinc150` and `--snips` the corpus is the invented rows of the other examples, which only shows the steps.
With them it is their training texts, without labels; the intents are then learned from 10 rows of each class, once
from the pre-trained model and once from the same model with random weights.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from examples.walkthrough import Row, answer, at_most, clinc150, hold_out, read_rows, run_linnet, snips, write_rows
from linnet.cli.script import program_name, run_script

_EXAMPLES = Path(__file__).parent.parent
_ILLUSTRATIVE = ("banking", "customer_service", "in_car")
_SMALL = "hidden_size=128,embedding_size=64,intra_bottleneck_size=64,intermediate_size=256,num_hidden_layers=6"
# MobileBERT's NoNorm is for students of a teacher; from scratch a layer norm learns better (paper, section 4.6.2)
_CONFIGURATION = f"{_SMALL},normalization_type=layer_norm"
_ASKED = ("turn the volume down", "i lost my credit card")


def corpus(clinc: Path | None, requests: Path | None) -> tuple[list[str], list[Row], list[Row]]:
    """Return texts, training rows and held-out rows."""
    if clinc is None:
        illustrative = [row for name in _ILLUSTRATIVE for row in read_rows(_EXAMPLES / name / "illustrative.jsonl")]
        rows, held = hold_out(illustrative, 0.25)
    else:
        rows, held = clinc150(clinc, ())
    known = {row["text"] for row in held}
    texts = [row["text"] for row in [*rows, *(snips(requests) if requests else [])]]
    return [text for text in dict.fromkeys(texts) if text not in known], rows, held


def tune(model: Path, rows: Path, held: Path, output: Path, options: Sequence[str]) -> dict[str, float]:
    """Learn intents from rows, export, and return the figures of the file on the held-out rows."""
    # without a proof: scores of a hardly trained model are close together, so int8 changes some answers
    run_linnet("train", model, "--data", rows, "-o", output, "--force", *options)
    file = output.with_suffix(".pte")
    run_linnet("export", output, "-o", file, "--max-length", "64", "--force", "--no-proof", quiet=True)
    metrics: dict[str, float] = json.loads(run_linnet("eval", file, "--data", held, "--json", quiet=True))["metrics"]
    return metrics


def main() -> None:
    """Run the walk-through."""
    parser = argparse.ArgumentParser(
        prog=program_name(), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of what is written")
    parser.add_argument("--clinc150", type=Path, metavar="DIR", help="folder of CLINC150")
    parser.add_argument("--snips", type=Path, metavar="DIR", help="folder of SNIPS")
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="passes of the pre-training (default 20; 2 without data)"
    )
    parser.add_argument("--quick", action="store_true", help="5 passes")
    chosen = parser.parse_args()
    folder = chosen.output
    texts, rows, held = corpus(chosen.clinc150, chosen.snips)
    print(f"{len(texts)} texts, {len(held)} rows held out")
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / "corpus.txt"
    plain.write_text("".join(f"{' '.join(text.split())}\n" for text in texts), encoding="utf-8")
    few = write_rows(folder / "few.jsonl", at_most(rows, 10))
    measured = write_rows(folder / "held_out.jsonl", held)

    run_linnet("init", "--model-type", "mobilebert", "--texts", plain, "--vocab-size", "6000", "-o", folder / "new",
               "--config-overrides", _CONFIGURATION, "--force")  # fmt: skip
    passes = chosen.epochs or (5 if chosen.quick else 20 if chosen.clinc150 else 2)
    run_linnet(
        "train", folder / "new", "--task", "fill-mask", "--data", plain, "-o", folder / "pretrained", "--force",
        "--epochs", str(passes), "--batch-size", "128", "--learning-rate", "2e-3", "--max-length", "64",
    )  # fmt: skip
    options = ["--epochs", "30" if chosen.clinc150 else "2", "--learning-rate", "1e-3", "--max-length", "64"]
    results = {
        name: tune(folder / name, few, measured, folder / f"intents_{name}", options) for name in ("new", "pretrained")
    }
    print(f"\n{len(held)} held-out rows, learned from {len(at_most(rows, 10))}:")
    for name, figures in results.items():
        print(f"  {name}: " + ", ".join(f"{figure} {value:.3f}" for figure, value in figures.items()))
    answer(folder / "intents_pretrained.pte", _ASKED)


if __name__ == "__main__":
    run_script(main)
