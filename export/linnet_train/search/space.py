"""Mapping from a trial's parameters to the settings of its training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from linnet_train.config import AdapterConfig, TrainConfig
from linnet_train.search.config import Space

__all__ = ["choose", "evenly", "settings_of"]


def choose(trial: Any, space: Space) -> dict[str, float]:
    """Let an Optuna trial choose: learning_rate, epochs, and lora_rank, layers, intermediate_size if searched."""
    chosen: dict[str, float] = {
        "learning_rate": trial.suggest_float("learning_rate", *space.learning_rate, log=True),
        "epochs": trial.suggest_int("epochs", *space.epochs),
    }
    lists = {"lora_rank": space.lora_ranks, "layers": space.layers, "intermediate_size": space.intermediate_sizes}
    return chosen | {name: trial.suggest_categorical(name, values) for name, values in lists.items() if values}


def settings_of(base: TrainConfig, chosen: dict[str, float], layers: int, output: Path) -> TrainConfig:
    """Return the settings of a trial.

    Args:
        base: settings that are the same for all.
        chosen: by :func:`choose`.
        layers: of the model.
        output: directory of the trial.
    """
    optimizer = dataclasses.replace(
        base.optimizer, learning_rate=float(chosen["learning_rate"]), epochs=int(chosen["epochs"])
    )
    shrink, adapters = base.shrink, base.adapters
    if "layers" in chosen:
        kept = evenly(int(chosen["layers"]), layers)
        shrink = dataclasses.replace(shrink, layers=None if len(kept) == layers else kept)
    if "intermediate_size" in chosen:
        shrink = dataclasses.replace(shrink, intermediate_size=int(chosen["intermediate_size"]))
    if "lora_rank" in chosen:
        rank = int(chosen["lora_rank"])
        adapters = AdapterConfig(rank=rank) if rank else None
    return dataclasses.replace(
        base, output=output, optimizer=optimizer, shrink=shrink, adapters=adapters, resume=False, force=True
    )


def evenly(count: int, layers: int) -> tuple[int, ...]:
    """Return ``count`` of ``layers`` layers, the first and the last among them, evenly spread."""
    if count >= layers:
        return tuple(range(layers))
    if count == 1:
        return (0,)
    return tuple(round(place * (layers - 1) / (count - 1)) for place in range(count))
