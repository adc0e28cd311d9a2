"""Ways of training compared on CLINC150, over several seeds: ``python -m benchmarks.studies.training EXPERIMENT``.

Every figure is for CLINC150's validation rows (3 000 in scope, 100 out of it; in `few-shot` those of two domains),
which no training uses; accuracy counts out-of-scope answers to requests in scope as wrong. The trained checkpoints are
measured in float32, students also as the int4 file that they are made for.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.peers.models import minilm_folder
from examples.datasets.clinc150 import convert
from linnet.cli.console import Console
from linnet.loading import load
from linnet_bench.accuracy.datasets import choose_columns, read_table
from linnet_bench.accuracy.evaluation import evaluate
from linnet_export import export
from linnet_train import DataConfig, TrainConfig, train
from linnet_train.exported_file import export_config
from linnet_train.loading import load_classifier
from linnet_train.stages_file import Stage, read_stages
from linnet_train.tasks.text_classification import classification_figures

_FIGURES = ("in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc", "accuracy")
_STAGES = Path(__file__).parents[2] / "export" / "linnet_train" / "stages"
_FEW_SHOT_DOMAINS = ("banking", "credit_cards")

Settings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way of training.

    Attributes:
        name: name in the table.
        stages: trainings, as in a file of stages; variants share those of the same name.
        rows_per_class: number of training rows of each class; None: all.
        export: the last stage is exported like the model that comes with linnet, and measured as a file too.
    """

    name: str
    stages: tuple[Stage, ...]
    rows_per_class: int | None = None
    export: bool = False


def _plain(name: str, model: str, settings: Settings | None = None, **optimizer: Any) -> Variant:
    usual = {"epochs": 8, "batch_size": 64, "learning_rate": 2e-4, "schedule": "cosine", "precision": "bf16"}
    whole = {"model": model, "max_length": 64, "optimizer": {**usual, **optimizer}, **(settings or {})}
    return Variant(name, (Stage(name=name, settings=whole),))


def _few_shot(model: str) -> list[Variant]:
    # both sides read the first token: benchmarks.studies.few_rows has the mean of all
    contrast = tuple(
        dataclasses.replace(stage, settings={**stage.settings, "pooling": "first"})
        for stage in read_stages(_STAGES / "few_shot.toml", model).stages
    )
    variants = []
    for rows in (8, 16):
        for size, epochs in ((8, 20), (32, 40)):
            optimizer = {"epochs": epochs, "batch_size": size, "learning_rate": 2e-4}
            settings = {
                "model": model, "max_length": 64, "metric": "loss", "pooling": "first", "optimizer": optimizer,
            }  # fmt: skip
            stage = Stage(name=f"plain{size}", settings=settings)
            variants.append(Variant(f"{rows} rows, plain, batches of {size}", (stage,), rows))
        variants.append(Variant(f"{rows} rows, few_shot.toml", contrast, rows))
    return variants


def _adapters(model: str) -> list[Variant]:
    return [
        _plain("all weights", model),
        _plain("--lora-rank 8", model, {"adapters": {"rank": 8}}, learning_rate=2e-3),
        _plain("--freeze body", model, learning_rate=1e-2, freeze="body", dropout=0.0),
    ]


def _adversarial(model: str) -> list[Variant]:
    return [_plain(f"--adversarial {share}", model, adversarial=share) for share in (0.0, 0.02, 0.05)]


def _students(model: str) -> list[Variant]:
    teacher, student = read_stages(_STAGES / "intents.toml", model).stages
    shrunk_before = {key: value for key, value in student.settings.items() if key != "shrink"}

    def named(name: str, settings: Settings) -> Stage:
        return Stage(name=f"student, {name}", settings=settings)

    def changed(name: str, **tables: Settings) -> Variant:
        changes = {table: {**student.settings[table], **values} for table, values in tables.items()}
        return Variant(name, (teacher, named(name, {**student.settings, **changes})), export=True)

    def layers_first(name: str, **transfer: float) -> Variant:
        """Return a student in MobileBERT's order: the teacher's layers, on the rows alone; then its answers.

        The rows alone are a third of the texts.
        """
        before = {key: value for key, value in student.settings.items() if key != "calibration"}
        before["distillation"] = {"teacher": "stage:teacher", **transfer}
        before["optimizer"] = {**before["optimizer"], "epochs": 4}
        layers = named(f"{name}, layers", before)
        answers = named(name, {**shrunk_before, "model": f"stage:{layers.name}"})
        return Variant(name, (teacher, layers, answers), export=True)

    as_shipped = Variant("as intents.toml", (teacher, named("as intents.toml", student.settings)), export=True)
    more = {
        **shrunk_before,
        "model": f"stage:{as_shipped.stages[-1].name}",
        "quantize_aware": "8da4w",
        "optimizer": {**student.settings["optimizer"], "epochs": 2, "learning_rate": 1e-4},
    }
    rounded = "2 more epochs, quantize_aware 8da4w"
    return [
        as_shipped,
        layers_first("feature maps first", feature_map_weight=1.0),
        layers_first("feature maps, attention first", feature_map_weight=1.0, attention_weight=1.0),
        changed("adversarial 0.02", optimizer={"adversarial": 0.02}),
        changed("6 of 12 heads", shrink={"heads": 6}),
        changed("embeddings 384 wide", shrink={"embedding_size": None}),
        changed("3 layers of 768 neurons", shrink={"layers": [0, 2, 5], "intermediate_size": 768}),
        changed("all neurons", shrink={"intermediate_size": None}),
        changed("8 texts from each row, 4 epochs", distillation={"augmentation": 8}, optimizer={"epochs": 4}),
        Variant(rounded, (*as_shipped.stages, named(rounded, more)), export=True),
    ]


EXPERIMENTS: Mapping[str, Callable[[str], list[Variant]]] = {
    "few-shot": _few_shot,
    "adapters": _adapters,
    "adversarial": _adversarial,
    "students": _students,
}


def _run(variant: Variant, source: Path, output: Path, seed: int) -> dict[str, dict[str, float]]:
    few = variant.rows_per_class
    rows = output / "rows"
    convert(source, rows, domains=_FEW_SHOT_DOMAINS if few else (), rows_per_class=few, seed=seed)
    data = DataConfig(train=rows / "train.jsonl", validation_split=0.1 if few else 0.05)
    # each seed draws its few rows anew, which causes the larger part of the spread
    trained = [
        dataclasses.replace(stage, settings={**stage.settings, "seed": 0 if few else seed}).config(
            output, data, resume=True, force=False
        )
        for stage in variant.stages
    ]
    for config in trained:
        train(config)
    measured = {"float32": _measure(trained[-1].output, rows / "val.jsonl")}
    return measured | ({"int4 file": _measure_file(trained[-1], rows / "val.jsonl")} if variant.export else {})


def _measure(checkpoint: Path, rows: Path) -> dict[str, float]:
    examples = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    loaded = load_classifier(str(checkpoint))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = loaded.model
    model.to(device)
    logits = []
    with torch.inference_mode():
        for start in range(0, len(examples), 128):
            texts = [row["text"] for row in examples[start : start + 128]]
            batch = loaded.tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
            logits.append(model(**batch.to(device)).logits.float().cpu().numpy())
    labels = np.array([loaded.labels.index(row["label"]) for row in examples])
    return classification_figures(np.concatenate(logits), labels, loaded.labels, "oos")


def _measure_file(config: TrainConfig, rows: Path) -> dict[str, float]:
    file = config.output / "training" / "model.pte"
    settings = dict(read_stages(_STAGES / "intents.toml").export)
    if config.quantize_aware is not None:
        del settings["quantization"]  # the training imitates the recipe's defaults
    export(export_config(config, file, {**settings, "budget": {"agreement": 0.5}}))
    table = read_table(rows)
    with load(file) as model:
        return dict(evaluate(model, table, choose_columns(table, None, None, None)).metrics)


def _table(results: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> None:
    rows = []
    for name, runs in results.items():
        for kind in runs[0]:
            values = [[run[kind][figure] for run in runs] for figure in _FIGURES]
            rows.append((f"{name}, {kind}", str(len(runs)), *map(_spread, values)))
    Console().table(("", "seeds", *_FIGURES), rows, right=tuple(range(1, len(_FIGURES) + 2)))


def _spread(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{deviation}"


def main() -> None:
    """Read the command line, run the experiment and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument("--clinc150", type=Path, required=True, metavar="FILE", help="data_full.json or train_val.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="goes on with what is there")
    parser.add_argument("--model", metavar="DIR", help="default: all-MiniLM-L6-v2")
    parser.add_argument("--seeds", default="0,1,2", metavar="0,1,2", help="of draws, weights and order")
    parser.add_argument("--only", default="", metavar="NAME", help="variants whose name begins so")
    args = parser.parse_args()
    results: dict[str, list[dict[str, dict[str, float]]]] = {}
    for variant in EXPERIMENTS[args.experiment](args.model or str(minilm_folder())):
        if not variant.name.startswith(args.only):
            continue
        for seed in map(int, args.seeds.split(",")):
            print(f"== {variant.name}, seed {seed}", file=sys.stderr, flush=True)
            folder = args.output / f"{variant.rows_per_class or 'all'}-rows-seed-{seed}"
            results.setdefault(variant.name, []).append(_run(variant, args.clinc150, folder, seed))
    _table(results)


if __name__ == "__main__":
    main()
