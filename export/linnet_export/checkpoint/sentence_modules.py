"""Modules of a sentence-transformers directory: pooling, the layers behind it, bounds and prompts.

Read from `modules.json`, the folders that it names, `sentence_bert_config.json` and
`config_sentence_transformers.json`, as sentence-transformers 6.2 and earlier versions write them. Everything that would
change an answer and is not supported is refused by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from linnet.format.manifest import POOLINGS
from linnet_export.checkpoint.limits import path_inside
from linnet_export.checkpoint.sentence_layers import read_layer
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import parse_json, read_json, read_json_if_there
from linnet_export.graph.sentence_layers import Normalize

__all__ = ["SentenceModules", "default_modules", "read_sentence_modules"]

_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""Settings of sentence-transformers before 5.6, in the order in which it joins them."""

_LAYERS = ("Dense", "Dropout", "LayerNorm", "Normalize")
_SETTINGS = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""Names of the transformer's settings, in the order in which sentence-transformers looks for them."""

_DEFAULT_PROMPTS = {"query": "", "document": ""}
"""Prompts that each SentenceTransformer has, as encode_query() and encode_document() name them."""


@dataclasses.dataclass(frozen=True)
class SentenceModules:
    """Settings that a sentence-transformers directory adds to the transformer.

    Attributes:
        transformer: directory of the transformer itself, relative to the checkpoint's.
        pooling: names of :data:`linnet.format.manifest.POOLINGS`, joined by +; none for a cross-encoder.
        include_prompt: the tokens of a prompt are pooled, too.
        layers: modules between the pooling and the last normalization.
        normalize: embeddings get unit length at the end.
        max_seq_length: bound in tokens, special tokens included; None if not set.
        lower_case: sentence-transformers lower-cases the text before the tokenizer.
        prompts: prompt texts by name.
        default_prompt: name of the prompt used when none is asked for, or empty.
        truncate_dim: numbers of an embedding that are kept, the first ones; None: all.
        cross_encoder: a CrossEncoder, which has the transformer alone.
        activation: name of the class behind a cross-encoder's logits, or empty.
        files: weights of ``layers``.
    """

    transformer: str = ""
    pooling: str = "mean"
    include_prompt: bool = True
    layers: tuple[nn.Module, ...] = ()
    normalize: bool = False
    max_seq_length: int | None = None
    lower_case: bool = False
    prompts: Mapping[str, str] = dataclasses.field(default_factory=lambda: dict(_DEFAULT_PROMPTS))
    default_prompt: str = ""
    truncate_dim: int | None = None
    cross_encoder: bool = False
    activation: str = ""
    files: tuple[Path, ...] = ()


def default_modules() -> SentenceModules:
    """Return what SentenceTransformer makes of a plain encoder: mean pooling."""
    return SentenceModules()


def read_sentence_modules(directory: Path) -> SentenceModules | None:
    """Return the modules of a sentence-transformers directory; None if it is not one.

    Raises:
        CheckpointError: a module or a setting is not supported; all of them are named.
    """
    listing = directory / "modules.json"
    if not listing.is_file():
        return None
    modules = _read_list(listing)
    kinds = [_kind(module) for module in modules]
    extras = read_json_if_there(directory / "config_sentence_transformers.json")
    transformer = str(modules[0].get("path", ""))
    settings = _transformer_settings(directory / transformer)
    common: dict[str, Any] = {
        "transformer": transformer,
        "max_seq_length": _bound(settings),
        "lower_case": bool(settings.get("do_lower_case", False)),
    }
    if kinds == ["Transformer"] and _is_cross_encoder(settings, extras):
        return _cross_encoder(extras, common)
    _check_kinds(kinds, modules)
    layers, files = _layers(directory, kinds[2:], modules[2:])
    prompts = {str(name): str(text) for name, text in (extras.get("prompts") or {}).items()}
    pooling_file = directory / str(modules[1].get("path", "")) / "config.json"
    pooling = read_json(pooling_file)
    last = bool(layers) and isinstance(layers[-1], Normalize)
    return SentenceModules(
        **common,
        pooling=_pooling(pooling, pooling_file),
        include_prompt=bool(pooling.get("include_prompt", True)),
        layers=layers[:-1] if last else layers,
        normalize=last,
        prompts={**prompts, **{name: text for name, text in _DEFAULT_PROMPTS.items() if name not in prompts}},
        default_prompt=_default_prompt(extras.get("default_prompt_name"), prompts),
        truncate_dim=_truncate_dim(extras.get("truncate_dim")),
        files=files,
    )


def _kind(module: Mapping[str, Any]) -> str:
    """Return the class of a module of sentence-transformers; of code from elsewhere its whole name."""
    name = str(module.get("type", ""))
    return name.rsplit(".", 1)[-1] if name.startswith("sentence_transformers.") else name


def _transformer_settings(directory: Path) -> dict[str, Any]:
    return next((read_json(directory / name) for name in _SETTINGS if (directory / name).is_file()), {})


def _bound(settings: Mapping[str, Any]) -> int | None:
    given: dict[str, Any] = {"model_max_length": settings.get("max_seq_length")}
    for name in ("tokenizer_args", "processor_kwargs"):
        given |= settings.get(name) or {}
    bound = given["model_max_length"]
    return None if bound is None else int(bound)


def _is_cross_encoder(settings: Mapping[str, Any], extras: Mapping[str, Any]) -> bool:
    return extras.get("model_type") == "CrossEncoder" or settings.get("transformer_task") == "sequence-classification"


def _cross_encoder(extras: Mapping[str, Any], common: dict[str, Any]) -> SentenceModules:
    prompts = extras.get("prompts") or {}
    name = extras.get("default_prompt_name")
    if name and prompts.get(name):
        raise CheckpointError(
            f"config_sentence_transformers.json: the cross-encoder has the default prompt {prompts[name]!r}, which "
            "linnet does not support; remove default_prompt_name and put it before the queries yourself"
        )
    activation = str(extras.get("activation_fn") or "")
    return SentenceModules(**common, pooling="none", prompts={}, cross_encoder=True, activation=activation)


def _truncate_dim(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise CheckpointError(
            f"config_sentence_transformers.json: truncate_dim is {value!r}, expected a whole number from 1 on"
        )
    return value


def _default_prompt(name: str | None, prompts: dict[str, str]) -> str:
    if name is None:
        return ""
    known = {**_DEFAULT_PROMPTS, **prompts}
    if name not in known:
        raise CheckpointError(
            f"config_sentence_transformers.json: default_prompt_name is {name!r}, "
            f"but prompts has {', '.join(prompts) or 'none'}"
        )
    return name if known[name] else ""


def _read_list(path: Path) -> list[dict[str, Any]]:
    modules = parse_json(path)
    if not isinstance(modules, list) or not modules or not all(isinstance(module, dict) for module in modules):
        raise CheckpointError(f"{path} needs a list of modules")
    for module in modules:
        path_inside(path.parent, module.get("path", ""), path)
    return sorted(modules, key=lambda module: int(module.get("idx", 0)))


def _check_kinds(kinds: list[str], modules: list[dict[str, Any]]) -> None:
    if kinds[:2] == ["Transformer", "Pooling"] and all(kind in _LAYERS for kind in kinds[2:]):
        return
    known = {"Transformer", "Pooling", *_LAYERS}
    unknown = [str(module.get("type")) for kind, module in zip(kinds, modules, strict=True) if kind not in known]
    what = f"has {', '.join(unknown)}, which linnet does not support" if unknown else f"is {' > '.join(kinds)}"
    raise CheckpointError(
        f"modules.json {what}; expected Transformer > Pooling, and behind them any of {', '.join(_LAYERS)}"
    )


def _layers(
    directory: Path, kinds: list[str], modules: list[dict[str, Any]]
) -> tuple[tuple[nn.Module, ...], tuple[Path, ...]]:
    layers: list[nn.Module] = []
    files: list[Path] = []
    for kind, module in zip(kinds, modules, strict=True):
        layer, weights = read_layer(kind, directory / str(module.get("path", "")))
        layers += [] if layer is None else [layer]
        files += weights
    return tuple(layers), tuple(files)


def _pooling(config: Mapping[str, Any], path: Path) -> str:
    if "pooling_mode" in config:
        chosen = config["pooling_mode"]
        modes = [chosen] if isinstance(chosen, str) else [str(mode) for mode in chosen]
    else:
        modes = [mode for flag, mode in _POOLING_FLAGS.items() if config.get(flag)]
        unknown = [key for key, on in config.items() if key.startswith("pooling_mode_") and on]
        modes += [key for key in unknown if key not in _POOLING_FLAGS]
        modes = modes or ["mean"]  # as sentence-transformers
    if not modes or any(mode not in POOLINGS for mode in modes):
        raise CheckpointError(
            f"{path}: expected pooling to be of {', '.join(POOLINGS)}, got {' + '.join(modes) or 'none'}"
        )
    return "+".join(modes)
