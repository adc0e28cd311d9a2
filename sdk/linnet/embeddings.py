"""Sentence embeddings and their cosine similarity."""

from __future__ import annotations

import numpy as np

from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.inputs import TextInput, read_sentences
from linnet.runtime import FloatArray
from linnet.session import RunOptions, Session
from linnet.tasks.feature_extraction import choose_prompt

__all__ = ["cosine_similarity", "embed"]


def embed(
    session: Session, texts: object, *, normalize: bool, prompt_name: str | None, prompt: str | None, run: RunOptions
) -> FloatArray:
    """Return sentence embeddings: float32 [texts, size], [size] for a plain str.

    Raises:
        TaskMismatchError: the program returns one vector per token, as it does not pool.
        InvalidArgumentError: the file has no prompt of that name, or a text is not a str.
    """
    manifest = session.manifest
    if "embedding" not in manifest.outputs:
        raise TaskMismatchError(
            f"encode() needs one embedding a text, this file gives {', '.join(manifest.outputs)} "
            "(pooling none); export it again with --pooling mean or another, or use model(text)"
        )
    before = choose_prompt(manifest, prompt_name, prompt)
    batch = read_sentences(texts)
    items = [TextInput(before + item.text) for item in batch.items]
    encodings = session.encode_all(items, truncation=run.truncation, strategy="longest_first")
    vectors = np.empty((len(items), manifest.embedding_size), dtype=np.float32)

    def keep(index: int, outputs: dict[str, FloatArray]) -> None:
        vectors[index] = outputs["embedding"]

    session.map(encodings, keep, batch_size=run.batch_size, prompt_tokens=session.prompt_tokens(before))
    if normalize:
        vectors /= _lengths(vectors)
    return vectors[0] if batch.single else vectors


def cosine_similarity(left: object, right: object) -> FloatArray:
    """Return the cosine similarity of each row of ``left`` to each of ``right``: float32 [left, right].

    Raises:
        InvalidArgumentError: the widths differ, or an array has more than two axes.
    """
    a, b = (np.atleast_2d(np.asarray(vectors, dtype=np.float32)) for vectors in (left, right))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InvalidArgumentError(f"embeddings have the shapes {a.shape} and {b.shape}, expected one width")
    return np.asarray((a / _lengths(a)) @ (b / _lengths(b)).T, dtype=np.float32)


def _lengths(vectors: FloatArray) -> FloatArray:
    # a zero vector stays zero; 1e-12 is the epsilon of torch.nn.functional.normalize
    return np.asarray(np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12)))
