"""A decoder whose logits are given: its texts sample from them with the C function that bindings sample with."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import linnet_runtime
from linnet.choosing import log_softmax
from linnet.format.manifest import Manifest
from linnet.runtime import FloatArray
from tests.support.sdk_fakes import FakeRuntime

__all__ = ["GeneratingFake"]


class _Sampling(ctypes.Structure):
    """`linnet_sampling` of linnet.h."""

    _fields_ = [
        ("temperature", ctypes.c_float), ("top_k", ctypes.c_int32),
        ("top_p", ctypes.c_float), ("min_p", ctypes.c_float),
        ("repetition_penalty", ctypes.c_float), ("presence_penalty", ctypes.c_float),
        ("frequency_penalty", ctypes.c_float), ("seed", ctypes.c_uint64),
    ]  # fmt: skip


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(str(Path(linnet_runtime.__file__).parent / "lib" / "liblinnet.so"))


class GeneratingFake(FakeRuntime):
    """A runtime whose texts take one of ``outputs``, float32 [1, vocabulary], after each call that appends tokens.

    Attributes:
        ran: all tokens that were appended.
    """

    def __init__(self, contract: Manifest, outputs: list[FloatArray]) -> None:
        super().__init__(contract, lambda ids, types: [])
        self.outputs = outputs
        self.ran: list[int] = []

    def generation(self, capacity: int = 0, path: str | None = None) -> _Text:
        """Return an empty text."""
        return _Text(self)


class _Text:
    """A text as :class:`linnet.runtime.TextState`, as far as completions need it."""

    def __init__(self, runtime: GeneratingFake) -> None:
        self._runtime = runtime
        self.tokens: list[int] = []
        self.capacity = runtime.contract.max_length
        self._logits = np.zeros(0, np.float32)

    def append(self, ids: Sequence[int]) -> None:
        self.tokens += ids
        self._runtime.ran += ids
        self._logits = self._runtime.outputs.pop(0)[0]

    def rewind(self, length: int) -> None:
        assert length == len(self.tokens)  # a completion only goes on

    def sample(
        self, *, prompt_tokens: int, constraint: Any = None, tokens_left: int = 0, log_probability: bool = True,
        **settings: Any,
    ) -> tuple[int, float]:  # fmt: skip
        if constraint is None:
            return self._choose(self._logits, prompt_tokens, settings)
        allowed = np.frombuffer(constraint.allowed(self._logits.size, tokens_left), np.uint8)
        token, _ = self._choose(np.where(allowed, self._logits, np.float32(-1e30)), prompt_tokens, settings)
        return token, float(log_softmax(self._logits.astype(np.float64))[token])

    def _choose(self, logits: FloatArray, prompt_tokens: int, settings: Any) -> tuple[int, float]:
        ids = np.array(self.tokens, np.int64)
        chosen, logarithm = ctypes.c_int64(), ctypes.c_float()
        status = _library().linnet_choose_token(
            ctypes.byref(_Sampling(**settings)), logits.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_size_t(logits.size), ids.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(ids.size),
            ctypes.c_size_t(prompt_tokens), ctypes.byref(chosen), ctypes.byref(logarithm),
        )  # fmt: skip
        assert status == 0
        return chosen.value, logarithm.value
