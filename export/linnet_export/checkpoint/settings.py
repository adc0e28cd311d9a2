"""Settings of config.json that `transformers` would stumble over: label names, quantized weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers

from linnet_export.errors import CheckpointError

__all__ = ["check_settings", "label_names", "read_config"]


def check_settings(directory: Path, settings: Mapping[str, Any]) -> None:
    """Refuse what no task can do with, before anything large is read.

    Raises:
        CheckpointError: weights are quantized, or the names of the classes are no table.
    """
    path = directory / "config.json"
    quantization = settings.get("quantization_config")
    if quantization:
        method = quantization.get("quant_method") if isinstance(quantization, Mapping) else None
        raise CheckpointError(
            f"{path}: quantization_config says that the weights are quantized by {method or 'an unnamed method'}, "
            "expected float weights; export the checkpoint from which it was made, linnet quantizes it (--recipe)"
        )
    names = settings.get("id2label")
    if names is not None and not isinstance(names, Mapping):
        raise CheckpointError(
            f'{path}: id2label is a {type(names).__name__}, expected an object such as {{"0": "no", "1": "yes"}}'
        )
    wrong = [key for key in names or () if not str(key).isascii() or not str(key).isdecimal()]
    if wrong:
        raise CheckpointError(f"{path}: id2label has the keys {_shown(wrong)}, expected numbers from 0 on")


def read_config(directory: Path) -> Any:
    """Return transformers' configuration of the checkpoint in a folder; nothing is downloaded and no code is run.

    Raises:
        CheckpointError: transformers cannot read it.
    """
    try:
        return transformers.AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of the many kinds that its checks of types and values raise
        raise CheckpointError(f"{directory / 'config.json'}: transformers cannot read it: {error}") from error


def label_names(directory: Path, names: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the names of the classes in their order.

    Args:
        directory: folder of the checkpoint, for messages.
        names: `id2label` of transformers' configuration.

    Raises:
        CheckpointError: a class has no name.
    """
    path = directory / "config.json"
    places = sorted(int(place) for place in names)
    if places != list(range(len(names))):
        raise CheckpointError(
            f"{path}: id2label has the keys {_shown(places)}, expected 0 to {len(names) - 1} without a gap; "
            "number the classes as the rows of the classifier"
        )
    by_place = {int(place): name for place, name in names.items()}
    unnamed = [place for place in places if not isinstance(by_place[place], str | int | float)]
    if unnamed:
        raise CheckpointError(f"{path}: id2label has no text for the classes {_shown(unnamed)}")
    return tuple(str(by_place[place]) for place in places)


def _shown(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values[:6]) + (", ..." if len(values) > 6 else "")
