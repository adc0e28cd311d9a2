"""`linnet train` on a few rows of each class, beside logistic regression on the same encoder's embeddings.

``python -m benchmarks.studies.few_rows --clinc150 train_val.json --snips FOLDER -o build/few-rows``: ten banking
intents of CLINC150 and the seven of SNIPS, 5, 12 and 50 rows of each, all-MiniLM-L6-v2. Both sides get the same rows;
`linnet train`, with its defaults, holds some out, scikit-learn's LogisticRegression learns from all. Measured are
CLINC150's validation rows (20 an intent), and 40 an intent of SNIPS, which neither has seen. Checkpoints are measured
in float32; what is there already is not trained again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from transformers import AutoModel, AutoTokenizer

from benchmarks.peers.models import minilm_folder
from examples.datasets import clinc150, snips
from linnet.cli.console import Console
from linnet_train import DataConfig, TrainConfig, train
from linnet_train.loading import load_classifier
from linnet_train.stages_file import find_stages, read_stages

__all__ = ["main"]

_DOMAIN, _INTENTS = "banking", 10
_MEASURED_OF_SNIPS = 40  # of each intent
_MAX_LENGTH = 64

Row = dict[str, str]
Vectors = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Subset:
    """Rows to learn from and rows to measure.

    Attributes:
        name: data set and rows of each class.
        seed: of the draw.
        learned, measured: text and label of each row.
    """

    name: str
    seed: int
    learned: Sequence[Row]
    measured: Sequence[Row]


@dataclasses.dataclass(frozen=True)
class Result:
    """Figures of one side on the measured rows.

    Attributes:
        accuracy: share of right answers.
        score: mean score of the right class.
        seconds: of learning, wall clock.
    """

    accuracy: float
    score: float
    seconds: float


def _of_clinc150(source: Path) -> tuple[list[Row], list[Row]]:
    parts = clinc150.read_rows(source, [_DOMAIN])
    intents = sorted({row["label"] for row in parts["train"]} - {"oos"})[:_INTENTS]
    learned, measured = ([row for row in parts[part] if row["label"] in intents] for part in ("train", "val"))
    return learned, measured


def _of_snips(folder: Path) -> tuple[list[Row], list[Row]]:
    learned: list[Row] = []
    measured: list[Row] = []
    for intent, commands in snips.read_commands(folder):
        texts = ["".join(piece["text"] for piece in pieces).strip() for pieces in commands]
        rows = [{"text": text, "label": intent} for text in dict.fromkeys(texts) if text]
        random.Random(0).shuffle(rows)
        measured += rows[:_MEASURED_OF_SNIPS]
        learned += rows[_MEASURED_OF_SNIPS:]
    return learned, measured


def _subsets(args: argparse.Namespace) -> Iterator[Subset]:
    sources: list[tuple[str, Path | None, Callable[[Path], tuple[list[Row], list[Row]]]]] = [
        ("CLINC150", args.clinc150, _of_clinc150),
        ("SNIPS", args.snips, _of_snips),
    ]
    for name, source, read in sources:
        if source is None:
            continue
        learned, measured = read(source)
        for count in map(int, args.rows.split(",")):
            for seed in map(int, args.seeds.split(",")):
                yield Subset(f"{name}, {count} rows", seed, _draw(learned, count, seed), measured)


def _draw(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    shuffled = random.Random(seed).sample(rows, len(rows))
    labels = sorted({row["label"] for row in rows})
    return [row for label in labels for row in [row for row in shuffled if row["label"] == label][:count]]


def _embeddings(texts: Sequence[str], model: str) -> Vectors:
    """Return what sentence-transformers gives: the mean of the tokens, of unit length, float32 [texts, width]."""
    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    encoder: Any = AutoModel.from_pretrained(model).eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(texts), 64):
            batch = tokenizer(
                list(texts[start : start + 64]), padding=True, truncation=True, max_length=_MAX_LENGTH,
                return_tensors="pt",
            )  # fmt: skip
            mask = batch["attention_mask"].unsqueeze(-1)
            mean = (encoder(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
            found.append(torch.nn.functional.normalize(mean, dim=-1).numpy())
    return np.concatenate(found)


def _regression(subset: Subset, model: str) -> dict[str, Result]:
    texts = [row["text"] for row in (*subset.learned, *subset.measured)]
    vectors = _embeddings(texts, model)
    learned, measured = vectors[: len(subset.learned)], vectors[len(subset.learned) :]
    found = {}
    for strength in (1.0, 10.0):
        began = time.perf_counter()
        fitted = LogisticRegression(C=strength, max_iter=2_000).fit(learned, [row["label"] for row in subset.learned])
        seconds = time.perf_counter() - began
        names = list(fitted.classes_)
        found[f"logistic regression, C = {strength:g}"] = _result(
            fitted.predict_proba(measured), [names.index(row["label"]) for row in subset.measured], seconds
        )
    return found


def _result(scores: Vectors, right: Sequence[int], seconds: float) -> Result:
    found = scores.argmax(axis=1) == np.asarray(right)
    return Result(float(found.mean()), float(scores[np.arange(len(right)), right].mean()), seconds)


def _trained(subset: Subset, stages: Sequence[tuple[str, Mapping[str, Any]]], folder: Path) -> Result:
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in subset.learned), encoding="utf-8")
    seconds = 0.0
    for name, settings in stages:
        began = time.perf_counter()
        config = TrainConfig(output=folder / name, data=DataConfig(train=rows), resume=True, **settings)
        report = train(config)
        seconds += sum(report.seconds.values()) or time.perf_counter() - began
    loaded = load_classifier(str(folder / stages[-1][0]))
    model: Any = loaded.model
    logits = []
    with torch.inference_mode():
        for start in range(0, len(subset.measured), 64):
            texts = [row["text"] for row in subset.measured[start : start + 64]]
            batch = loaded.tokenizer(texts, padding=True, truncation=True, max_length=_MAX_LENGTH, return_tensors="pt")
            logits.append(model(**batch).logits)
    scores = torch.cat(logits).softmax(dim=-1).numpy()
    return _result(scores, [loaded.labels.index(row["label"]) for row in subset.measured], seconds)


def _sides(model: str) -> dict[str, Callable[[Subset, Path], Result]]:
    plain = {"model": model, "max_length": _MAX_LENGTH}

    def few_shot(subset: Subset, folder: Path) -> Result:
        stages = read_stages(Path(find_stages("few_shot")), model).stages
        data = DataConfig(train=folder / "rows.jsonl")
        configs = [stage.config(folder, data, resume=True, force=False) for stage in stages]
        kept = ("model", "max_length", "optimizer")
        return _trained(
            subset, [(config.output.name, {name: getattr(config, name) for name in kept}) for config in configs], folder
        )

    return {
        "linnet train": lambda subset, folder: _trained(subset, [("plain", plain)], folder),
        "linnet train, pooling first": lambda subset, folder: _trained(
            subset, [("first", {**plain, "pooling": "first"})], folder
        ),
        "linnet train few_shot": few_shot,
    }


def main() -> None:
    """Read the command line, train and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--clinc150", type=Path, metavar="FILE", help="data_full.json or train_val.json")
    parser.add_argument("--snips", type=Path, metavar="FOLDER", help="with train_INTENT.json files")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="goes on with what is there")
    parser.add_argument("--model", metavar="DIR", help="default: all-MiniLM-L6-v2")
    parser.add_argument("--rows", default="5,12,50", metavar="5,12,50", help="of each class (default %(default)s)")
    parser.add_argument("--seeds", default="0", metavar="0,1,2", help="of the draws (default %(default)s)")
    parser.add_argument("--only", action="append", metavar="SIDE", help="only these ways of training (repeatable)")
    args = parser.parse_args()
    model = args.model or str(minilm_folder())
    sides = {name: side for name, side in _sides(model).items() if not args.only or name in args.only}
    found: dict[tuple[str, str], list[Result]] = {}
    for subset in _subsets(args):
        folder = args.output / f"{subset.name.replace(', ', '-').replace(' ', '-')}-{subset.seed}"
        results = _regression(subset, model)
        for name, side in sides.items():
            print(f"== {subset.name}, seed {subset.seed}: {name}", file=sys.stderr, flush=True)
            results[name] = side(subset, folder)
        for name, result in results.items():
            found.setdefault((subset.name, name), []).append(result)
            print(f"   {name}: {result}", file=sys.stderr, flush=True)
    rows = [(*names, *_shown(results)) for names, results in found.items()]
    Console().table(("rows of each class", "", "draws", "accuracy", "score", "seconds"), rows, right=(2, 3, 4, 5))


def _shown(results: Sequence[Result]) -> tuple[str, ...]:
    means = (
        statistics.mean(result.accuracy for result in results),
        statistics.mean(result.score for result in results),
    )
    seconds = statistics.mean(result.seconds for result in results)
    return (str(len(results)), *(f"{mean:.3f}" for mean in means), f"{seconds:.0f}")


if __name__ == "__main__":
    main()
