"""feature-extraction: the program's first output as nested lists; sentence embeddings are in ``encode``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.inputs import TextInput, read_sentences, read_texts
from linnet.manifest import Manifest
from linnet.runtime import DecodableArray, FloatArray
from linnet.session import RunOptions, Session
from linnet.tasks.base import read_options
from linnet.truncation import warn_user

__all__ = ["TASK", "FeatureExtraction", "choose_prompt", "cosine_similarity", "embed"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureOptions:
    """Options of a call.

    Attributes:
        return_tensors: give a float32 array instead of nested lists.
    """

    return_tensors: bool = False


class FeatureExtraction:
    """The task."""

    name: ClassVar[str] = "feature-extraction"
    abilities: ClassVar[str] = "encode(texts), similarity(a, b), and model(text) with the raw output"

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return the output with its batch axis of 1: [1, size] if the program pools, else [1, tokens, size].

        No prompt is added, as in the pipeline; :func:`embed` adds it.
        """
        options, run = read_options(FeatureOptions, given)
        batch = read_texts(inputs, pairs=False)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
        read = _as_array if options.return_tensors else _as_lists
        answers = session.decode(encodings, lambda _, outputs: read(outputs[0]), batch_size=run.batch_size)
        return answers[0] if batch.single else answers


def _as_lists(output: DecodableArray) -> list[Any]:
    return memoryview(output).tolist()


def _as_array(output: DecodableArray) -> FloatArray:
    import numpy as np

    return np.array(output, dtype=np.float32)


def embed(
    session: Session,
    texts: object,
    *,
    normalize: bool,
    prompt_name: str | None,
    prompt: str | None,
    run: RunOptions,
) -> FloatArray:
    """Return sentence embeddings: float32 [texts, size], [size] for a plain str.

    Raises:
        TaskMismatchError: the program gives one vector a token.
        InvalidArgumentError: there is no prompt of that name.
    """
    manifest = session.manifest
    if "embedding" not in manifest.outputs:
        raise TaskMismatchError(
            f"encode() needs one embedding a text, this file gives {', '.join(manifest.outputs)} "
            "(pooling none); export it with a pooling, or use model(text)"
        )
    before = choose_prompt(manifest, prompt_name, prompt)
    batch = read_sentences(texts)
    items = [TextInput(before + item.text) for item in batch.items]
    encodings = session.encode_all(items, truncation=run.truncation, strategy="longest_first")
    import numpy as np

    vectors = np.empty((len(items), manifest.embedding_size), dtype=np.float32)

    def keep(index: int, outputs: dict[str, FloatArray]) -> None:
        vectors[index] = outputs["embedding"]

    session.map(encodings, keep, batch_size=run.batch_size)
    if normalize:
        vectors /= _lengths(vectors)
    return vectors[0] if batch.single else vectors


def choose_prompt(manifest: Manifest, prompt_name: str | None, prompt: str | None) -> str:
    """Return the text to put before each text: ``prompt``, the one named, the default, or "".

    Raises:
        InvalidArgumentError: there is no prompt of that name.
    """
    if prompt is not None:
        if prompt_name is not None:
            warn_user(UserWarning("prompt_name is not used because prompt is given"))
        return prompt
    name = manifest.default_prompt if prompt_name is None else prompt_name
    if not name and prompt_name is None:
        return ""
    prompts = dict(zip(manifest.prompt_names, manifest.prompts, strict=True))
    if name not in prompts:
        known = ", ".join(prompts) or "no prompt"
        raise InvalidArgumentError(f"prompt_name is {name!r}, this file has {known}")
    return prompts[name]


def cosine_similarity(left: object, right: object) -> FloatArray:
    """Return the cosine of each row of ``left`` with each of ``right``: float32 [left, right].

    Raises:
        InvalidArgumentError: the widths differ, or an array has more than two axes.
    """
    import numpy as np

    a, b = (np.atleast_2d(np.asarray(each, dtype=np.float32)) for each in (left, right))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise InvalidArgumentError(f"embeddings have the shapes {a.shape} and {b.shape}, needed one width")
    return np.asarray((a / _lengths(a)) @ (b / _lengths(b)).T, dtype=np.float32)


def _lengths(vectors: FloatArray) -> FloatArray:
    import numpy as np

    # a zero vector stays zero; 1e-12 as torch.nn.functional.normalize
    return np.asarray(np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12)))


TASK = FeatureExtraction()
