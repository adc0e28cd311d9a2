"""Loading of a model's weights: names with a known prefix, adapters, weights that nothing runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file

from linnet_export.checkpoint.adapters import Adapter, find_adapter, merge_adapter, name_forms
from linnet_export.checkpoint.source import weight_files
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import safetensors_header
from linnet_export.tokenizer import has_tokenizer

__all__ = ["Folders", "LoadedModel", "find_folders", "load_model"]

_HOW: dict[str, Any] = {
    "dtype": torch.float32,
    "use_safetensors": True,
    "local_files_only": True,
    "attn_implementation": "eager",
    "output_loading_info": True,
}

_COMPILED = "_orig_mod."
"""What torch.compile puts into the names of what it compiled."""

_PREFIXES = ("module.", "model.", "net.", "network.")
"""What DataParallel and Lightning modules put before every name."""

_HEADS = frozenset(
    "classifier pre_classifier score cls qa_outputs lm_head pooler predictions sop_classifier mask_predictions "
    "lm_predictions discriminator_predictions generator_lm_head generator_predictions vocab_layer_norm vocab_projector "
    "vocab_transform decoder head".split()
)
"""First part of the names of all heads that transformers has for the supported architectures."""

_BUFFERS = ("position_ids", "token_type_ids")


@dataclasses.dataclass(frozen=True)
class Folders:
    """Where the parts of a checkpoint are.

    Attributes:
        config: folder with config.json.
        weights: folder with the weights of the whole model.
        adapter: what is merged into them; None if there is no adapter.
    """

    config: Path
    weights: Path
    adapter: Adapter | None

    @property
    def tokenizer(self) -> Path:
        """Folder with the tokenizer: that of the adapter, unless it was saved without."""
        own = self.adapter.directory if self.adapter else self.config
        return own if has_tokenizer(own) else self.weights

    @property
    def files(self) -> list[Path]:
        """The files with weights, every byte of which is there; raise a CheckpointError otherwise."""
        return weight_files(self.weights) + ([self.adapter.weights] if self.adapter else [])


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """A model with its weights.

    Attributes:
        model: in float32, in eval mode, on the CPU.
        missing: weights that the model needs and the files lack, or have in another shape.
        other_heads: first parts of the names of heads that are in the files and not in the model.
        unknown: weights in the files that no model of transformers has.
        notes: what was done on the way, sentences.
    """

    model: Any
    missing: tuple[str, ...]
    other_heads: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()


def find_folders(directory: Path) -> Folders:
    """Return where the parts of the checkpoint in ``directory`` are.

    Raises:
        CheckpointError: it is an adapter without its base model.
    """
    adapter = find_adapter(directory)
    weights = adapter.base if adapter else directory
    config = directory if adapter is None or (directory / "config.json").is_file() else weights
    return Folders(config, weights, adapter)


def load_model(folders: Folders, auto_class: str, config: Any, *, new_head: bool = False) -> LoadedModel:
    """Load a model, with its adapter merged and known prefixes left out of the names.

    Args:
        folders: of the checkpoint.
        auto_class: class of transformers, such as AutoModel.
        config: transformers' configuration.
        new_head: a head of another shape is made anew, from the global generator.

    Raises:
        CheckpointError: transformers cannot load it, or the adapter does not fit.
    """
    files, notes = weight_files(folders.weights), []
    try:
        how = {**_HOW, "config": config, "ignore_mismatched_sizes": new_head}
        renamed, prefix = _renamed(files, auto_class, config)
        if renamed or folders.adapter:
            # not by the folder's name, with which transformers would insert the adapter instead of merging it
            state = {renamed.get(name, name): tensor for file in files for name, tensor in load_file(file).items()}
            model, info = type(_without_memory(auto_class, config)).from_pretrained(None, state_dict=state, **how)
        else:
            how["trust_remote_code"] = False
            model, info = getattr(transformers, auto_class).from_pretrained(folders.weights, **how)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise CheckpointError(f"{folders.weights}: transformers cannot load it as {auto_class}: {error}") from error
    missing, unused = set(map(str, info["missing_keys"])), list(map(str, info["unexpected_keys"]))
    if prefix:
        notes.append(f"the names of {len(renamed)} weights have {prefix} before those of transformers: left out")
    if folders.adapter:
        sentence, left = merge_adapter(model, folders.adapter)
        trained = folders.adapter.trained_modules()
        missing = {name for name in missing if trained.isdisjoint(name_forms(model, name))}
        notes.append(sentence)
        unused += left
    missing |= {str(key[0] if isinstance(key, tuple) else key) for key in info["mismatched_keys"]}
    heads, unknown = _sorted_out(unused, model.base_model_prefix)
    return LoadedModel(model.eval(), tuple(sorted(missing)), heads, unknown, tuple(notes))


def _without_memory(auto_class: str, config: Any) -> Any:
    with torch.device("meta"):
        return getattr(transformers, auto_class).from_config(config)


def _renamed(files: Iterable[Path], auto_class: str, config: Any) -> tuple[dict[str, str], str]:
    """Return new names by old ones, for weights with a known prefix that the model does not have, and the prefix."""
    names = [name for file in files for name in safetensors_header(file)]
    if not any(name.startswith(_PREFIXES) or _COMPILED in name for name in names):
        return {}, ""
    model = _without_memory(auto_class, config)
    expected = {form for name in model.state_dict() for form in name_forms(model, name)}
    prefix = ""
    inner = {name: name.replace(_COMPILED, "") for name in names}  # of a part that was compiled, too
    while not expected.intersection(inner.values()):
        found = [known for known in _PREFIXES if any(name.startswith(known) for name in inner.values())]
        if not found:
            return {}, ""
        prefix += found[0]
        inner = {name: form.removeprefix(found[0]) for name, form in inner.items() if form.startswith(found[0])}
    renamed = {name: form for name, form in inner.items() if name != form}
    return renamed, prefix or _COMPILED if renamed else ""


def _sorted_out(names: Iterable[str], prefix: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the heads among unused weights, and all others; buffers are neither."""
    heads, unknown = set(), set()
    for name in names:
        first = name.removeprefix(f"{prefix}.").partition(".")[0]
        if name.endswith(_BUFFERS):
            continue
        if first in _HEADS:
            heads.add(first)
        else:
            unknown.add(name)
    return tuple(sorted(heads)), tuple(sorted(unknown))
