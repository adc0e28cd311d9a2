"""Modules of a sentence-transformers directory: pooling, normalization and prompts.

Read from `modules.json`, `*_Pooling/config.json`, `sentence_bert_config.json` and
`config_sentence_transformers.json`, as sentence-transformers writes them. Everything that would change
an answer and is not supported is refused by name.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from linnet_export.checkpoint.limits import path_inside
from linnet_export.checkpoint.source import read_json
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import parse_json

__all__ = ["SentenceModules", "read_sentence_modules"]

_POOLING_FLAGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
}


@dataclasses.dataclass(frozen=True)
class SentenceModules:
    """Settings that a sentence-transformers directory adds to the transformer.

    Attributes:
        transformer: directory of the transformer itself, relative to the checkpoint's.
        pooling: mean, cls or max.
        normalize: embeddings get unit length.
        max_seq_length: bound in tokens, special tokens included; None if not set.
        lower_case: sentence-transformers lower-cases the text before the tokenizer.
        prompts: prompt texts by name.
        default_prompt: name of the prompt used when none is asked for, or empty.
    """

    transformer: str
    pooling: str
    normalize: bool
    max_seq_length: int | None
    lower_case: bool
    prompts: dict[str, str]
    default_prompt: str


def read_sentence_modules(directory: Path) -> SentenceModules | None:
    """Return the modules of a sentence-transformers directory; None if it is not one.

    Raises:
        CheckpointError: a module or a setting is not supported; all of them are named.
    """
    listing = directory / "modules.json"
    if not listing.is_file():
        return None
    modules = _read_list(listing)
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    _check_kinds(kinds, modules)
    transformer = str(modules[0].get("path", ""))
    settings = _optional(directory / transformer / "sentence_bert_config.json")
    extras = _optional(directory / "config_sentence_transformers.json")
    prompts = {str(name): str(text) for name, text in (extras.get("prompts") or {}).items()}
    return SentenceModules(
        transformer=transformer,
        pooling=_pooling(directory / str(modules[1].get("path", "")) / "config.json"),
        normalize=len(modules) == 3,
        max_seq_length=settings.get("max_seq_length"),
        lower_case=bool(settings.get("do_lower_case", False)),
        # sentence-transformers 5 writes empty prompts for "query" and "document"; they change nothing
        prompts={name: text for name, text in prompts.items() if text},
        default_prompt=_default_prompt(extras.get("default_prompt_name"), prompts),
    )


def _default_prompt(name: str | None, prompts: dict[str, str]) -> str:
    if name is None:
        return ""
    if name not in prompts:
        raise CheckpointError(
            f"config_sentence_transformers.json: default_prompt_name is {name!r}, "
            f"but prompts has {', '.join(prompts) or 'none'}"
        )
    return name if prompts[name] else ""


def _read_list(path: Path) -> list[dict[str, Any]]:
    modules = parse_json(path)
    if not isinstance(modules, list) or not modules or not all(isinstance(module, dict) for module in modules):
        raise CheckpointError(f"{path} needs a list of modules")
    for module in modules:
        path_inside(path.parent, module.get("path", ""), path)
    return sorted(modules, key=lambda module: int(module.get("idx", 0)))


def _check_kinds(kinds: list[str], modules: list[dict[str, Any]]) -> None:
    if kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return
    known = {"Transformer", "Pooling", "Normalize"}
    unknown = [str(module.get("type")) for kind, module in zip(kinds, modules, strict=True) if kind not in known]
    what = f"has {', '.join(unknown)}, which linnet does not support yet" if unknown else f"is {' > '.join(kinds)}"
    raise CheckpointError(f"modules.json {what}; expected Transformer > Pooling, optionally > Normalize")


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _pooling(path: Path) -> str:
    config = read_json(path)
    if config.get("include_prompt", True) is False:
        raise CheckpointError(f"{path}: include_prompt is false (prompt tokens left out of pooling), not supported")
    if "pooling_mode" in config:
        chosen = config["pooling_mode"]
        modes = [chosen] if isinstance(chosen, str) else list(chosen)
    else:
        modes = [_POOLING_FLAGS.get(key, key) for key, on in config.items() if key.startswith("pooling_mode_") and on]
    if len(modes) != 1 or modes[0] not in ("mean", "cls", "max"):
        raise CheckpointError(
            f"{path}: expected pooling to be mean, cls or max, got {' + '.join(map(str, modes)) or 'none'}"
        )
    return str(modes[0])
