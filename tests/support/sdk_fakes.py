"""A runtime whose program is a Python function, over the real tokenizer and a small vocabulary."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linnet.format.manifest import Manifest
from linnet.model import Model
from linnet.runtime import Encoding, FloatArray, IntArray
from linnet_runtime import _core
from tests.support.wordpiece import CLS, MASK, PAD, SEP, UNK, wordpiece_bytes

__all__ = [
    "CLS",
    "MASK",
    "PAD",
    "PIECES",
    "SEP",
    "UNK",
    "FakeRuntime",
    "Program",
    "f32",
    "fake_model",
    "hashed_program",
    "make_manifest",
    "table_program",
]

_WORDS = (
    "the a cat dog sat on mat is it in paris london berlin ada wrote book who what where city of and to "
    "york new big small red blue river runs through old bridge house tree sun rain"
)
PIECES: tuple[str, ...] = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *dict.fromkeys(_WORDS.split()),
    *("##s", "##ing", "##er", "##soft", "micro", "##ly"),
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("##" + letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
    *".,!?'-()[]",
)
PIECES = tuple(dict.fromkeys(PIECES))

Program = Callable[[IntArray, IntArray], Sequence[FloatArray]]
"""From ids and type ids, int64 [tokens], to outputs without the batch axis."""


_OUTPUTS = {
    "feature-extraction": ("embedding",),
    "question-answering": ("start_logits", "end_logits"),
}


def make_manifest(task: str, **changes: Any) -> Manifest:
    """Return a manifest of the task over :data:`PIECES`."""
    fields: dict[str, Any] = {
        "task": task,
        "model_type": "bert",
        "tokenizer_kind": "wordpiece",
        "tokenizer": wordpiece_bytes(PIECES),
        "vocab_size": len(PIECES),
        "pad_id": PAD,
        "unk_id": UNK,
        "cls_id": CLS,
        "sep_id": SEP,
        "mask_id": MASK,
        "max_length": 24,
        "inputs": ("input_ids", "token_type_ids"),
        "outputs": _OUTPUTS.get(task, ("logits",)),
        "recipe": "fp32",
        "source": "fake",
        "producer": "linnet test",
        "executorch_version": "1.5.1",
    }
    if task in ("text-classification", "token-classification"):
        fields["labels"] = ("LABEL_0", "LABEL_1", "LABEL_2")
    if task == "text-classification":
        fields["score_function"] = "softmax"
    if task == "feature-extraction":
        fields["embedding_size"] = 8
    if task == "text-generation":
        fields |= {"cache_layers": 2, "cache_row_bytes": 96, "chunk_length": 8, "logit_rows": 4, "temperature": 0.5}
    return Manifest(**{**fields, **changes})


@dataclasses.dataclass
class FakeRuntime:
    """A runtime that calls ``program`` and notes every call in ``calls`` as (method, batch, tokens).

    ``given`` are the inputs of the last call by name.
    """

    contract: Manifest
    program: Program
    evidence: str = "{}"
    calls: list[tuple[str, int, int]] = dataclasses.field(default_factory=list)
    given: dict[str, IntArray] = dataclasses.field(default_factory=dict)
    closed: bool = False

    def __post_init__(self) -> None:
        self.manifest = self.contract.to_raw()
        if self.contract.has_core_tokenizer:
            self.tokenizer = _core.Tokenizer(self.contract.tokenizer)
        self.methods = ["forward", "forward_batch"] if self.contract.max_batch else ["forward"]

    @functools.cached_property
    def task(self) -> _core.Task:
        """The manifest as the core's decoding reads it."""
        return _core.Task(self.manifest)

    def run(self, method: str, inputs: Sequence[IntArray]) -> list[FloatArray]:
        """Run each row without its padding, and pad outputs that have a row for each token."""
        names = self.contract.inputs if method == "forward" else self.contract.batch_inputs
        assert len(names) == len(inputs)
        self.given = named = dict(zip(names, inputs, strict=True))
        ids = named["input_ids"]
        assert ids.dtype == np.int64
        assert ids.ndim == 2
        self.calls.append((method, *ids.shape))
        assert method == "forward_batch" or ids.shape[0] == 1
        masks = named.get("attention_mask", np.ones_like(ids))
        types = named.get("token_type_ids", np.zeros_like(ids))
        rows = []
        for row, mask in enumerate(masks):
            length = int(mask.sum())
            assert (ids[row, length:] == max(self.contract.pad_id, 0)).all()
            outputs = self.program(ids[row, :length], types[row, :length])
            outs = [*self.contract.outputs, *("extra" for _ in outputs)]
            rows.append([self._padded(name, output, ids.shape[1]) for name, output in zip(outs, outputs, strict=False)])
        return [np.stack(column).astype(np.float32) for column in zip(*rows, strict=True)]

    def run_encoding(self, encoding: _core.Encoding, names: Sequence[str]) -> list[FloatArray]:
        """Run one encoding as :meth:`run` does."""
        given = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids}
        return self.run("forward", [given[name][np.newaxis] for name in names])

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def _padded(self, name: str, output: FloatArray, width: int) -> FloatArray:
        tokens = self.contract.task in ("token-classification", "fill-mask")
        if not tokens and name not in ("start_logits", "end_logits", "token_embeddings"):
            return output
        filler = np.full((width - len(output), *output.shape[1:]), np.nan, dtype=np.float32)
        return np.concatenate([output, filler])


def fake_model(task: str, program: Program, *, evidence: str = "{}", **changes: Any) -> Model:
    """Return a model over a :class:`FakeRuntime`, which is ``model._runtime``."""
    return Model(FakeRuntime(make_manifest(task, **changes), program, evidence=evidence))


def f32(values: npt.ArrayLike) -> FloatArray:
    """Return float32 numbers."""
    return np.asarray(values, dtype=np.float32)


def hashed_program(width: int, *, per_token: bool = False, outputs: int = 1) -> Program:
    """Return a program whose outputs are numbers seeded by the ids: they tell texts apart."""

    def program(ids: IntArray, types: IntArray) -> list[FloatArray]:
        seed = np.random.default_rng([*ids.tolist(), *types.tolist(), 7])
        shape: tuple[int, ...] = (len(ids), width) if per_token else (width,)
        if width == 0:
            shape = (len(ids),)
        return [seed.standard_normal(shape).astype(np.float32) for _ in range(outputs)]

    return program


def table_program(*values: npt.ArrayLike) -> Program:
    """Return a program with fixed outputs."""
    arrays = [f32(value) for value in values]
    return lambda ids, types: arrays


def ids_of(encoding: Encoding) -> list[int]:
    """Return the ids as a list."""
    return [int(token_id) for token_id in encoding.ids]
