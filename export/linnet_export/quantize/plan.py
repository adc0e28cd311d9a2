"""Quantization plan: the precision of each layer, from the recipe and the user's `--keep`."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping

from torch import nn

from linnet.errors import InvalidArgumentError
from linnet_export.config import QuantizationConfig
from linnet_export.graph.layers import OutputLinear
from linnet_export.quantize.embeddings import EMBEDDINGS
from linnet_export.quantize.precisions import PRECISIONS, Precision
from linnet_export.quantize.recipes.base import Recipe

__all__ = [
    "check_settings",
    "decoder_settings",
    "is_calibrated",
    "is_kept",
    "kind_of",
    "make_plan",
    "precision_names",
    "quantizable",
]

_SHOWN = 5

_LARGE_TABLES = ("word", "by_bucket")
"""Embedding tables worth quantizing: words, and DeBERTa's keys and queries of distances in every layer."""


def quantizable(module: nn.Module) -> dict[str, nn.Linear | nn.Embedding]:
    """Return every linear layer and embedding table by name, in the order of the graph."""
    return {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear | nn.Embedding)}


def kind_of(layer: nn.Module) -> str:
    """Return "embedding" or "linear"."""
    return "embedding" if isinstance(layer, nn.Embedding) else "linear"


def precision_names() -> tuple[str, ...]:
    """Return every name that ``--keep NAME=PRECISION`` takes."""
    return tuple(dict.fromkeys((*PRECISIONS, *EMBEDDINGS)))


def is_calibrated(recipe: Recipe, settings: QuantizationConfig) -> bool:
    """Return whether texts would change what the recipe does."""
    used = {recipe.linear.name, *(precision for _, precision in settings.keep)}
    return any(PRECISIONS[name].observer(settings) is not None for name in used if name in PRECISIONS)


def check_settings(recipe: Recipe, settings: QuantizationConfig, *, calibrated: bool, mixed: bool = False) -> None:
    """Refuse settings that do not go together, before any work is done.

    Args:
        recipe: the chosen one.
        settings: the user's.
        calibrated: texts for calibration are given.
        mixed: automatic mixed precision is asked for.

    Raises:
        InvalidArgumentError: the message names every contradiction.
    """
    problems = [*_unknown_names(settings), *_without_effect(recipe, settings, calibrated, mixed)]
    if recipe.needs_calibration and not calibrated:
        problems.append(f"recipe {recipe.name} needs --calibration FILE: texts like those that will come")
    if problems:
        raise InvalidArgumentError("; ".join(problems))


def decoder_settings(recipe: Recipe, settings: QuantizationConfig, *, mixed: bool) -> QuantizationConfig:
    """Return the settings for a decoder, whose word embedding has int8 or float32 rows, since it is often the head too.

    Args:
        recipe: the chosen one.
        settings: the user's.
        mixed: automatic mixed precision is asked for.

    Raises:
        InvalidArgumentError: the recipe or the embedding's precision is one that decoders do not have.
    """
    problems = []
    if recipe.name == "int8-static":
        problems.append("recipe is int8-static, which decoders do not have; use int8")
    if mixed:
        problems.append("auto_mixed_precision is set, which decoders do not have; choose layers with keep")
    if settings.embedding not in (None, "fp32", "8w"):
        problems.append(f"embedding is {settings.embedding}, expected fp32 or 8w for a decoder")
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    nearest = {"4w": "8w", "fp16": "fp32"}
    return dataclasses.replace(settings, embedding=settings.embedding or nearest.get(recipe.embedding.name))


def _unknown_names(settings: QuantizationConfig) -> list[str]:
    problems: list[str] = []
    if settings.embedding is not None and settings.embedding not in EMBEDDINGS:
        problems.append(f"embedding is {settings.embedding!r}, known are {', '.join(EMBEDDINGS)}")
    for pattern, precision in settings.keep:
        if precision not in precision_names():
            problems.append(f"keep {pattern}={precision}: known precisions are {', '.join(precision_names())}")
        if pattern.startswith("re:"):
            try:
                re.compile(pattern[3:])
            except re.error as error:
                problems.append(f"keep {pattern}: not a regular expression: {error}")
    return problems


def _without_effect(recipe: Recipe, settings: QuantizationConfig, calibrated: bool, mixed: bool) -> list[str]:
    used = {recipe.linear.name, *(precision for _, precision in settings.keep)}
    embeddings = {settings.embedding or recipe.embedding.name, *used}
    gptq = "int4" in used and settings.linear_algorithm == "gptq"
    given: dict[str, tuple[object, bool, str]] = {
        "group-size": (settings.group_size, "int4" in used, "int4 linear layers"),
        "algorithm": (settings.algorithm, "int4" in used, "int4 linear layers"),
        "observer": (settings.observer, "int8-static" in used, "int8-static linear layers"),
        "embedding-group-size": (settings.embedding_group_size, "4w" in embeddings, "a 4w embedding"),
        "calibration": (calibrated or None, recipe.needs_calibration or gptq, "a recipe that is calibrated"),
        "embedding": (settings.embedding, not recipe.exact, "a recipe that quantizes"),
        "auto-mixed-precision": (mixed or None, not recipe.exact, "a recipe that quantizes"),
        "keep": (settings.keep or None, not recipe.exact, "a recipe that quantizes"),
    }
    return [
        f"{name} has no effect on recipe {recipe.name}, it needs {needed}"
        for name, (value, effective, needed) in given.items()
        if value is not None and not effective
    ]


def make_plan(module: nn.Module, recipe: Recipe, settings: QuantizationConfig) -> dict[str, Precision]:
    """Return the precision of every linear layer and embedding table by name.

    The answer layer and small tables stay in float32. A layer that cannot have the recipe's precision gets
    the next that it can have. Of several rules of ``settings.keep`` that name a layer, the last one holds.

    Raises:
        InvalidArgumentError: a rule names no layer, or a layer cannot have what a rule asks for.
    """
    layers = quantizable(module)
    plan = {name: _default(name, layer, recipe, settings) for name, layer in layers.items()}
    problems: list[str] = []
    for pattern, wanted in settings.keep:
        named = [name for name in layers if _matches(pattern, name)]
        fitting = [name for name in named if wanted in _known(layers[name])]
        if not fitting:
            problems.append(_no_such_layer(pattern, wanted, named, layers))
        for name in fitting:
            precision = _known(layers[name])[wanted]
            reason_unsupported = precision.reason_unsupported(layers[name], settings)
            if reason_unsupported:
                problems.append(f"keep {pattern}={wanted}: {name} cannot have it, {reason_unsupported}")
            plan[name] = precision
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    return plan


def _default(name: str, layer: nn.Linear | nn.Embedding, recipe: Recipe, settings: QuantizationConfig) -> Precision:
    if isinstance(layer, nn.Embedding):
        if not name.endswith(_LARGE_TABLES):
            return EMBEDDINGS["fp32"]
        precision = recipe.embedding if settings.embedding is None else EMBEDDINGS[settings.embedding]
        return EMBEDDINGS["8w"] if precision.reason_unsupported(layer, settings) else precision
    precision = PRECISIONS["fp32"] if isinstance(layer, OutputLinear) else recipe.linear
    while precision.fallback is not None and precision.reason_unsupported(layer, settings):
        precision = precision.fallback
    return precision


def _known(layer: nn.Module) -> Mapping[str, Precision]:
    return EMBEDDINGS if isinstance(layer, nn.Embedding) else PRECISIONS


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("re:"):
        return re.search(pattern[3:], name) is not None
    return fnmatch.fnmatchcase(name, pattern)


def is_kept(name: str, settings: QuantizationConfig) -> bool:
    """Return whether the user chose the precision of a layer."""
    return any(_matches(pattern, name) for pattern, _ in settings.keep)


def _no_such_layer(pattern: str, precision: str, named: Iterable[str], layers: Mapping[str, nn.Module]) -> str:
    named = list(named)
    if named:
        kind = kind_of(layers[named[0]])
        known = ", ".join(_known(layers[named[0]]))
        return f"keep {pattern}={precision}: {named[0]} is of kind {kind}, which can have {known}"
    close = difflib.get_close_matches(pattern.removeprefix("re:"), layers, n=_SHOWN, cutoff=0.3)
    return f"keep {pattern}={precision}: no layer has that name, close are {', '.join(close or list(layers)[:_SHOWN])}"
