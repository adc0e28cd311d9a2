"""Names similar to a wrong one, for error messages that ask "did you mean"."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from linnet.errors import InvalidArgumentError

__all__ = ["MODEL_SUFFIXES", "did_you_mean", "refuse_unknown", "similar_model"]

MODEL_SUFFIXES = frozenset(
    {".pte", ".pt", ".pth", ".ptl", ".onnx", ".ort", ".tflite", ".safetensors", ".bin", ".gguf", ".mlpackage"}
)
"""Suffixes of model files, linnet's own and those of others."""

_OTHER_NAMES = {
    "ner": "token-classification",
    "sentiment-analysis": "text-classification",
    "embeddings": "feature-extraction",
    "reranking": "text-ranking",
    "qa": "question-answering",
}
"""What others call tasks."""


def did_you_mean(name: str, known: Iterable[str] | Mapping[str, str], *, cutoff: float = 0.6) -> str:
    """Return ``; did you mean 'export'?`` for the most similar known name, or "" if none is similar.

    A mapping has the forms in which a name may be written as its keys.
    """
    import difflib  # slow to import, and only errors need it

    meant = dict(known) if isinstance(known, Mapping) else {known_name: known_name for known_name in known}
    meant = {other: target for other, target in _OTHER_NAMES.items() if target in meant} | meant
    alike = difflib.get_close_matches(name, meant, n=1, cutoff=cutoff)
    return f"; did you mean {meant[alike[0]]!r}?" if alike else ""


def refuse_unknown(given: Iterable[str], known: Sequence[str]) -> None:
    """Check that all given options are known.

    Raises:
        InvalidArgumentError: one is not; the message lists those that are.
    """
    if unknown := sorted(set(given) - set(known)):
        hint = did_you_mean(unknown[0], known)
        raise InvalidArgumentError(f"unknown option {', '.join(unknown)}; known are {', '.join(known)}{hint}")


def similar_model(path: str, *, cutoff: float = 0.6) -> str:
    """Return :func:`did_you_mean` for the .pte files of the folder of a missing path, with or without their suffix."""
    folder, name = os.path.split(path)
    try:
        models = [file for file in os.listdir(folder or ".") if file.endswith(".pte")]  # noqa: PTH208
    except (OSError, ValueError):
        return ""
    forms = {form: os.path.join(folder, file) for file in models for form in (file, file[:-4])}  # noqa: PTH118
    return did_you_mean(name, forms, cutoff=cutoff)
