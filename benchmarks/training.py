"""``python -m benchmarks.training EXPERIMENT``: what ways of training are worth, over several seeds, on CLINC150.

Every figure is that of CLINC150's validation rows (3 000 in scope, 100 out of it; in `few-shot` those of two domains),
which no training sees; accuracy counts out-of-scope answers to requests in scope as wrong. The trained checkpoints are
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

from benchmarks.models import minilm_folder
from linnet.console import Console
from linnet_export.adapt import TrainConfig, train
from linnet_export.adapt.clinc150 import convert
from linnet_export.adapt.loading import load_classifier
from linnet_export.adapt.measures import classification_figures
from linnet_export.adapt.recipe import build, read_recipe

_FIGURES = ("in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc", "accuracy")
_RECIPES = Path(__file__).parent.parent / "export" / "linnet_export" / "adapt" / "recipes"
_FEW_SHOT_DOMAINS = ("banking", "credit_cards")

Settings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Variant:
    """One way of training.

    Attributes:
        name: as the table has it.
        stages: settings of each training, as a recipe has them; `stage:NAME` is an earlier one.
        rows_per_class: None: all.
        export: the last stage is exported as the model that comes with linnet is, and measured as a file too.
    """

    name: str
    stages: Mapping[str, Settings]
    rows_per_class: int | None = None
    export: bool = False


def _plain(**optimizer: Any) -> Settings:
    usual = {"epochs": 8, "batch_size": 64, "learning_rate": 2e-4, "schedule": "cosine", "precision": "bf16"}
    return {"max_length": 64, "optimizer": {**usual, **optimizer}}


def _few_shot() -> list[Variant]:
    contrast = {stage.name: stage.settings for stage in read_recipe(_RECIPES / "few_shot.toml").stages}
    tuned = {"epochs": 20, "batch_size": 8, "learning_rate": 2e-4}
    large = {"epochs": 40, "batch_size": 32, "learning_rate": 2e-4}
    found = []
    for rows in (8, 16):
        plain = {"max_length": 64, "metric": "loss"}
        found += [
            Variant(f"{rows} rows, plain, batches of 8", {"plain": {**plain, "optimizer": tuned}}, rows),
            Variant(f"{rows} rows, plain, batches of 32", {"plain": {**plain, "optimizer": large}}, rows),
            Variant(f"{rows} rows, few_shot.toml", contrast, rows),
        ]
    return found


def _adapters() -> list[Variant]:
    low_rank = {**_plain(learning_rate=2e-3), "adapters": {"rank": 8}}
    frozen = _plain(learning_rate=1e-2, freeze="body", dropout=0.0)
    return [
        Variant("all weights", {"tuned": _plain()}),
        Variant("--lora-rank 8", {"tuned": low_rank}),
        Variant("--freeze body", {"tuned": frozen}),
    ]


def _adversarial() -> list[Variant]:
    shares = (0.0, 0.02, 0.05)
    return [Variant(f"--adversarial {share}", {"tuned": _plain(adversarial=share)}) for share in shares]


def _students() -> list[Variant]:
    teacher, student = (dict(stage.settings) for stage in read_recipe(_RECIPES / "intents.toml").stages)

    rounded = {"quantize_aware": "8da4w"}

    def with_(table: str, **changes: Any) -> dict[str, Settings]:
        return {"teacher": teacher, "student": {**student, table: {**student[table], **changes}}}

    return [
        Variant("as intents.toml", {"teacher": teacher, "student": student}, export=True),
        Variant("feature maps", with_("distillation", feature_map_weight=1.0), export=True),
        Variant("attention", with_("distillation", attention_weight=1.0), export=True),
        Variant("adversarial 0.02", with_("optimizer", adversarial=0.02), export=True),
        Variant("embeddings 128 wide", with_("shrink", embedding_size=128), export=True),
        Variant("quantize_aware 8da4w", {"teacher": teacher, "student": {**student, **rounded}}, export=True),
    ]  # fmt: skip


EXPERIMENTS: Mapping[str, Callable[[], list[Variant]]] = {
    "few-shot": _few_shot,
    "adapters": _adapters,
    "adversarial": _adversarial,
    "students": _students,
}


def _rows(source: Path, output: Path, rows_per_class: int | None, seed: int) -> Path:
    folder = output / f"rows-{rows_per_class or 'all'}-{seed if rows_per_class else 0}"
    domains = _FEW_SHOT_DOMAINS if rows_per_class else ()
    convert(source, folder, domains=domains, rows_per_class=rows_per_class, seed=seed)
    return folder


def _run(variant: Variant, source: Path, model: str, output: Path, seed: int) -> dict[str, dict[str, float]]:
    rows = _rows(source, output, variant.rows_per_class, seed)
    data = {"train": rows / "train.jsonl", "validation_split": 0.1 if variant.rows_per_class else 0.05}
    folders: dict[str, Path] = {}
    config: TrainConfig | None = None
    for name, settings in variant.stages.items():
        # stages with the same settings are trained once
        folders[name] = (
            output / f"{name}-{_key({**settings, 'after': [str(each) for each in folders.values()]})}-{seed}"
        )
        whole = {"model": model, **settings, "data": data, "output": folders[name], "resume": True}
        # few rows are drawn anew by each seed, which is the larger part of the spread
        whole["seed"] = 0 if variant.rows_per_class else seed
        found = build(TrainConfig, _places(whole, folders, model), name)
        assert isinstance(found, TrainConfig)
        config = found
        train(config)
    assert config is not None
    measured = {"float32": _measure(config.output, rows / "val.jsonl")}
    return measured | ({"int4 file": _measure_file(config, rows / "val.jsonl")} if variant.export else {})


def _key(settings: Settings) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _places(settings: Settings, folders: Mapping[str, Path], model: str) -> dict[str, Any]:
    def place(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("stage:"):
            return str(folders[value.removeprefix("stage:")])
        if value == "sentence-transformers/all-MiniLM-L6-v2":
            return model
        return {name: place(each) for name, each in value.items()} if isinstance(value, dict) else value

    return {name: place(value) for name, value in settings.items()}


def _measure(checkpoint: Path, rows: Path) -> dict[str, float]:
    found = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    loaded = load_classifier(str(checkpoint))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = loaded.model
    model.to(device)
    logits = []
    with torch.inference_mode():
        for start in range(0, len(found), 128):
            texts = [row["text"] for row in found[start : start + 128]]
            batch = loaded.tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
            logits.append(model(**batch.to(device)).logits.float().cpu().numpy())
    labels = np.array([loaded.labels.index(row["label"]) for row in found])
    return classification_figures(np.concatenate(logits), labels, loaded.labels, "oos")


def _measure_file(config: TrainConfig, rows: Path) -> dict[str, float]:
    from linnet.datasets import choose_columns, read_table
    from linnet.evaluation import evaluate
    from linnet.model import load
    from linnet_export import export
    from linnet_export.adapt.file import export_config

    file = config.output / "training" / "model.pte"
    settings = dict(read_recipe(_RECIPES / "intents.toml").export)
    quantization = settings.pop("quantization")
    if config.quantize_aware is None and config.shrink.embedding_size is None:
        settings["quantization"] = quantization
    export(export_config(config, file, {**settings, "budget": {"agreement": 0.5}}))
    table = read_table(rows)
    with load(file) as model:
        return dict(evaluate(model, table, choose_columns(table, None, None, None)).metrics)


def _table(found: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]) -> None:
    rows = []
    for name, runs in found.items():
        for kind in runs[0]:
            values = [[run[kind][figure] for run in runs] for figure in _FIGURES]
            rows.append((f"{name}, {kind}", str(len(runs)), *map(_spread, values)))
    Console().table(("", "seeds", *_FIGURES), rows, right=tuple(range(1, len(_FIGURES) + 2)))


def _spread(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{deviation}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument("--clinc150", type=Path, required=True, metavar="FILE", help="data_full.json or train_val.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="goes on with what is there")
    parser.add_argument("--model", metavar="DIR", help="default: all-MiniLM-L6-v2")
    parser.add_argument("--seeds", default="0,1,2", metavar="0,1,2", help="of draws, weights and order")
    parser.add_argument("--only", default="", metavar="NAME", help="variants whose name begins so")
    args = parser.parse_args()
    model = args.model or str(minilm_folder())
    found: dict[str, list[dict[str, dict[str, float]]]] = {}
    for variant in EXPERIMENTS[args.experiment]():
        if not variant.name.startswith(args.only):
            continue
        for seed in map(int, args.seeds.split(",")):
            print(f"== {variant.name}, seed {seed}", file=sys.stderr, flush=True)
            found.setdefault(variant.name, []).append(_run(variant, args.clinc150, model, args.output, seed))
    _table(found)


if __name__ == "__main__":
    main()
