"""Loading of the tokenizer of a checkpoint directory as ``transformers`` sets it up."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers

from linnet_export.errors import CheckpointError
from linnet_export.file_damage import check_present, parse_json, read_json_if_there
from linnet_export.tokenizer.errors import UnsupportedTokenizerError, unsupported_part
from linnet_export.tokenizer.probes import PROBE_TEXTS
from linnet_export.tokenizer.regular_expressions import check_patterns

__all__ = ["ROLES", "LoadedTokenizer", "check_tokenizer_files", "has_tokenizer", "load_tokenizer", "read_tokenizer"]

ROLES = ("pad", "unk", "cls", "sep", "mask")
"""Roles of special tokens."""

# each alone is enough for the class that reads it: BERT, RoBERTa, XLM-R, ALBERT, DeBERTa
_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model", "spm.model")
_SETTINGS = ("special_tokens_map.json", "tokenizer_config.json")


@dataclasses.dataclass(frozen=True)
class LoadedTokenizer:
    """A checkpoint's tokenizer.

    Attributes:
        backend: without truncation and padding that a call would not ask for.
        special_tokens: token by role (pad, unk, cls, sep, mask).
        clean_up: `transformers` drops the space before punctuation when it decodes.
        original: the tokenizer of `transformers` whose backend it is; None if none was needed to read it.
        notes: what the user should know about how it was read.
    """

    backend: tokenizers.Tokenizer
    special_tokens: Mapping[str, str]
    clean_up: bool = False
    original: Any = None
    notes: tuple[str, ...] = ()


def load_tokenizer(directory: Path) -> tokenizers.Tokenizer:
    """Return the tokenizer of a checkpoint directory; see :func:`read_tokenizer`."""
    return read_tokenizer(directory).backend


def read_tokenizer(directory: Path) -> LoadedTokenizer:
    """Return the tokenizer of a checkpoint directory with its special tokens, as ``transformers`` sets it up.

    `transformers` lets tokenizer_config.json override tokenizer.json (lower case, accents, added tokens),
    so it decides wherever a file names the class; otherwise tokenizer.json is read as it is, and a lone
    vocab.txt is taken as BERT's.

    Raises:
        UnsupportedTokenizerError: there are no tokenizer files, they cannot be read, or they hold no fast
            tokenizer.
    """
    check_tokenizer_files(directory)
    file = directory / "tokenizer.json"
    saved = parse_json(file) if file.is_file() else None
    if file.is_file():
        check_patterns(saved)
    try:
        if _names_class(directory):
            loaded = _through_transformers(directory, "AutoTokenizer")
        elif file.is_file():
            return LoadedTokenizer(tokenizers.Tokenizer.from_file(str(file)), _special_tokens(directory))
        else:
            loaded = _through_transformers(directory, "BertTokenizer")
    except CheckpointError:
        raise
    except Exception as error:  # `tokenizers` raises nothing more special
        for name in ("tokenizer.json", "vocab.json"):  # it says no more of a file that is cut off
            if (directory / name).is_file():
                parse_json(directory / name)
        raise UnsupportedTokenizerError(
            f"the tokenizer in {directory.name} cannot be read ({error}); save it again with tokenizer.save_pretrained"
        ) from error
    if file.is_file():
        return dataclasses.replace(loaded, notes=_changed_parts(file, saved, loaded.backend))
    _check_merges(json.loads(loaded.backend.to_str()))
    return loaded


def has_tokenizer(directory: Path) -> bool:
    """True if there are files of a tokenizer in the directory."""
    return any((directory / name).is_file() for name in _FILES)


def check_tokenizer_files(directory: Path) -> None:
    """Refuse a directory without a tokenizer, or with files of one that are empty or Git LFS pointers.

    Raises:
        CheckpointError: it is one of these.
    """
    if not has_tokenizer(directory):
        raise UnsupportedTokenizerError(
            f"no tokenizer in {directory.name}: expected tokenizer.json or vocab.txt (or {', '.join(_FILES[2:])}); "
            "save the tokenizer beside the model (tokenizer.save_pretrained)"
        )
    for name in (*_FILES, "merges.txt", *_SETTINGS):
        if (directory / name).is_file():
            check_present(directory / name)


def _names_class(directory: Path) -> bool:
    """True if a file says which tokenizer class or architecture the directory belongs to."""
    named = (("tokenizer_config.json", "tokenizer_class"), ("config.json", "model_type"))
    return any(read_json_if_there(directory / name).get(key) for name, key in named)


def _through_transformers(directory: Path, factory: str) -> LoadedTokenizer:
    # Imported here: reading a lone tokenizer.json needs none of it, and it takes seconds.
    import transformers

    loaded = getattr(transformers, factory).from_pretrained(str(directory), local_files_only=True)
    backend = getattr(loaded, "backend_tokenizer", None)
    if not isinstance(backend, tokenizers.Tokenizer):
        raise unsupported_part(f"tokenizer class {type(loaded).__name__}", "a fast tokenizer (`tokenizers` package)")
    named = {role: getattr(loaded, f"{role}_token") for role in ROLES}
    return LoadedTokenizer(
        backend,
        # where the class leaves a role open, what the files say, and BERT's names after that
        {**_special_tokens(directory), **{role: str(token) for role, token in named.items() if token is not None}},
        _cleans_up(loaded),
        loaded,
    )


def _cleans_up(loaded: Any) -> bool:
    # the rule of transformers 5.23, TokenizersBackend._decode: not for BPE unless it is forced
    if not loaded.clean_up_tokenization_spaces:
        return False
    forced = loaded.clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output
    return bool(forced) or type(loaded.backend_tokenizer.model).__name__ != "BPE"


def _special_tokens(directory: Path) -> dict[str, str]:
    # BERT's names unless the tokenizer's files say otherwise
    tokens = {role: f"[{role.upper()}]" for role in ROLES}
    for name in _SETTINGS:
        settings = read_json_if_there(directory / name)
        for role in ROLES:
            value = settings.get(f"{role}_token")
            content = value.get("content") if isinstance(value, dict) else value
            if isinstance(content, str):
                tokens[role] = content
    return tokens


def _check_merges(state: dict[str, Any]) -> None:
    """Refuse byte-pair encoding with a merges.txt that is cut off, which `tokenizers` reads without a word."""
    model = state["model"]
    if model.get("type") != "BPE":
        return
    merges = (pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"])
    made = {"".join(pair) for pair in merges} | {token["content"] for token in state["added_tokens"]}
    whole = [token for token in model["vocab"] if len(token) > 1]
    unreachable = [token for token in whole if token not in made]
    if len(unreachable) > max(16, len(whole) // 100):  # GPT-2's and RoBERTa's vocabularies have a few
        raise UnsupportedTokenizerError(
            f"merges.txt makes {len(whole) - len(unreachable)} of the {len(whole)} tokens in vocab.json; it is cut "
            "off, or the two files do not belong together; copy or download them again"
        )


def _changed_parts(file: Path, saved: Any, loaded: tokenizers.Tokenizer) -> tuple[str, ...]:
    """Return notes about parts of a tokenizer.json that `transformers` builds anew in another form.

    Args:
        file: tokenizer.json.
        saved: its content.
        loaded: what `transformers` made of it.

    Raises:
        UnsupportedTokenizerError: the new form gives other tokens: `transformers` kept only the vocabulary.
    """
    built = json.loads(loaded.to_str())
    found: list[tuple[str, str, str]] = []
    for name in ("model", "normalizer", "pre_tokenizer"):
        before, after = ((state.get(name) or {}).get("type", "none") for state in (saved, built))
        if before not in (after, "none"):
            found.append((name, before, after))
    if not found:
        return ()
    name, before, after = found[0]
    raw = tokenizers.Tokenizer.from_str(file.read_text(encoding="utf-8"))
    raw.no_truncation()
    if name == "model" or any(_tokens(raw, text) != _tokens(loaded, text) for text in PROBE_TEXTS):
        raise unsupported_part(f"{name} {before} in tokenizer.json, where its tokenizer class builds {after}", after)
    parts = ", ".join(f"{name} {before} as {after}" for name, before, after in found)
    return (
        f"transformers builds the tokenizer from its class, not as tokenizer.json has it ({parts}); "
        "the file carries what transformers builds; texts that end in a space may get other tokens from tokenizer.json",
    )


def _tokens(tokenizer: tokenizers.Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)
