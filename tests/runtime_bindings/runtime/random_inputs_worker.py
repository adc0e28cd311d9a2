"""Feeds random inputs to a model and random bytes to its tokenizer; a process of its own, it might die.

    python -m tests.runtime_bindings.runtime.random_inputs_worker FILE SEED COUNT

For each case the expected verdict is worked out here, from the rules alone. Prints a line for each case that
came out differently, then one JSON line with the number of cases per verdict.
"""

from __future__ import annotations

import collections
import ctypes
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import linnet_runtime
from linnet.errors import LinnetError
from linnet_runtime import Model

VOCAB, LENGTH, BATCH = 32, 24, 4
DTYPES = (*["int64"] * 24, "int32", "uint8", "float32", "bool", "complex64", "datetime64[s]")


class Options(ctypes.Structure):
    """linnet_encode_options."""

    _fields_ = [(name, ctypes.c_int32) for name in ("max_length", "truncation", "stride", "special")]


def random_shape(rng: random.Random) -> tuple[int, ...]:
    if rng.random() < 0.9:
        return (rng.choice((*[1] * 9, 2, 4, 5)), rng.choice((1, 2, 3, 7, 15, 23, 24, 24, 24, 25, 100)))
    return tuple(rng.choice((0, 1, 2, 5)) for _ in range(rng.randrange(6)))


def random_array(rng: random.Random, shape: tuple[int, ...], end: int) -> np.ndarray:
    values = np.random.default_rng(rng.getrandbits(32)).integers(0, end, shape)
    array = np.asarray(values).astype(rng.choice(DTYPES))
    if array.dtype == np.int64 and array.size and rng.random() < 0.2:
        array.flat[rng.randrange(array.size)] = rng.choice((-1, end, -(2**63), 2**63 - 1, 2**31, -(2**31)))
    return array


def strided(array: np.ndarray) -> np.ndarray:
    """Return the same values in memory that is not contiguous."""
    return np.asfortranarray(np.repeat(array, 2, axis=-1))[..., ::2]


def random_inputs(rng: random.Random, method: str) -> list[np.ndarray]:
    """Return arrays that fit in about a third of the cases."""
    count = (2 if method == "forward" else 3) + rng.choice((0, 0, 0, 0, 0, 0, 0, -1, 1))
    shape = random_shape(rng)
    shapes = [shape if rng.random() < 0.95 else random_shape(rng) for _ in range(count)]
    arrays = [random_array(rng, own_shape, VOCAB if i == 0 else 2) for i, own_shape in enumerate(shapes)]
    if rng.random() < 0.5:
        arrays = [array.astype(np.int64) if array.dtype.kind in "iub" else array for array in arrays]
    if rng.random() < 0.2:
        arrays = [
            np.asfortranarray(np.repeat(array, 2, axis=-1))[..., ::2] if array.ndim else array for array in arrays
        ]
    return arrays


def expected_status(arrays: Sequence[np.ndarray], method: str) -> set[str]:
    """Return the verdicts that the rules allow."""
    shape_error, range_error = "LINNET_INPUT_SHAPE", "LINNET_INPUT_OUT_OF_RANGE"
    rows, needed = (1, 2) if method == "forward" else (BATCH, 3)
    found: set[str] = set()
    if len(arrays) != needed:
        found.add(shape_error)
    for i, array in enumerate(arrays):
        fits = array.ndim == 2 and 1 <= array.shape[0] <= rows and 1 <= array.shape[1] <= LENGTH
        if array.dtype != np.int64 or not fits or array.shape != arrays[0].shape:
            found.add(shape_error)
        elif array.min() < 0 or array.max() >= (VOCAB if i == 0 else 2):
            found.add(range_error)
    return found or {"LINNET_OK"}


def try_run(model: Model, arrays: Sequence[np.ndarray], method: str) -> str:
    try:
        (logits,) = model.run(method, list(arrays))
    except LinnetError as error:
        return error.status_name
    return "LINNET_OK" if logits.shape == (arrays[0].shape[0], 3) else f"wrong shape {logits.shape}"


def random_text(rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(60))
    text = "".join(chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000)))) for _ in range(20))
    data = (text if kind == 1 else "turn up the lights, " * 3).encode()
    if kind == 3 and data:
        at = rng.randrange(len(data))
        data = data[:at] + rng.randbytes(1) + data[at + rng.randrange(2) :]
    return data


def valid_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def try_encode(library: ctypes.CDLL, tokenizer: ctypes.c_void_p, rng: random.Random) -> tuple[str, set[str]]:
    """Encode random bytes through the C ABI; return the verdict and the allowed ones."""
    text, pair = random_text(rng), random_text(rng) if rng.random() < 0.3 else None
    options = Options(
        rng.choice((0, 0, 2, 3, 8, 24, -1)), rng.randrange(-1, 4), rng.choice((-1, -1, 0, 2, 50)), rng.randrange(2)
    )
    encoding = ctypes.c_void_p()
    status = library.linnet_tokenizer_encode(
        tokenizer, text, ctypes.c_size_t(len(text)), pair, ctypes.c_size_t(len(pair or b"")),
        ctypes.byref(options), ctypes.byref(encoding),
    )  # fmt: skip
    allowed = {"LINNET_OK", "LINNET_INVALID_ARGUMENT", "LINNET_TEXT_TOO_LONG"}
    if not valid_utf8(text) or not valid_utf8(pair or b""):
        allowed = {"LINNET_INVALID_UTF8", "LINNET_INVALID_ARGUMENT", "LINNET_TEXT_TOO_LONG"}
    if status == 0:
        library.linnet_encoding_free(encoding)
    return library.linnet_status_name(status).decode(), allowed


def load_library() -> ctypes.CDLL:
    folder = Path(linnet_runtime.__file__).parent / "lib"
    library = ctypes.CDLL(str(folder / ("liblinnet.dylib" if sys.platform == "darwin" else "liblinnet.so")))
    library.linnet_status_name.restype = ctypes.c_char_p
    library.linnet_encoding_free.argtypes = [ctypes.c_void_p]
    return library


def open_tokenizer(library: ctypes.CDLL, blob: bytes) -> ctypes.c_void_p:
    tokenizer = ctypes.c_void_p()
    status = library.linnet_tokenizer_create(blob, ctypes.c_size_t(len(blob)), ctypes.byref(tokenizer))
    assert status == 0, status
    return tokenizer


def main(file: str, seed: int, count: int) -> None:
    """Try ``count`` random inputs and as many random texts."""
    rng, model, library = random.Random(seed), Model(file), load_library()
    tokenizer = open_tokenizer(library, bytes(model.manifest["tokenizer"]))  # type: ignore[arg-type]
    verdicts: collections.Counter[str] = collections.Counter()
    for case in range(count):
        method = rng.choice(("forward", "forward", "forward_batch"))
        arrays = random_inputs(rng, method)
        got, allowed = try_run(model, arrays, method), expected_status(arrays, method)
        verdicts[f"run {got}"] += 1
        if got not in allowed:
            print("wrong", case, method, [(a.dtype, a.shape) for a in arrays], got, allowed)
        got, allowed = try_encode(library, tokenizer, rng)
        verdicts[f"encode {got}"] += 1
        if got not in allowed:
            print("wrong", case, "encode", got, allowed)
    print(json.dumps(verdicts))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
