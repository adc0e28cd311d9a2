"""Task feature-extraction: the raw output of the program; sentence embeddings are in :mod:`linnet.embeddings`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import Manifest
from linnet.inputs import read_texts
from linnet.runtime import DecodableArray, FloatArray
from linnet.session import Session
from linnet.tasks.base import AnsweringModel, Task, read_options
from linnet.tokenization.truncation import warn_user

__all__ = ["TASK", "FeatureExtraction", "choose_prompt"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureOptions:
    """Options of a call.

    Attributes:
        return_tensors: return a float32 array instead of nested lists.
    """

    return_tensors: bool = False


class FeatureExtraction(Task):
    """The task feature-extraction."""

    name: ClassVar[str] = "feature-extraction"
    abilities: ClassVar[str] = "encode(texts), similarity(a, b), and model(text) with the raw output"

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return the output with its batch axis of 1: [1, size] if the program pools, else [1, tokens, size].

        Like the Hugging Face pipeline, this adds no prompt; :func:`linnet.embeddings.embed` does.
        """
        options, run = read_options(FeatureOptions, given)
        batch = read_texts(inputs, pairs=False)
        encodings = session.encode_all(batch.items, truncation=run.truncation, strategy="longest_first")
        read = _as_array if options.return_tensors else _as_lists
        answers = session.decode(encodings, lambda _, outputs: read(outputs[0]), batch_size=run.batch_size)
        return answers[0] if batch.single else answers

    def run_options(self, manifest: Manifest) -> frozenset[str]:
        """Return ``prompt_name`` if the program pools."""
        return frozenset({"prompt_name"}) if "embedding" in manifest.outputs else frozenset()

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Return the sentence embedding as a list, or the output of the pipeline if the program does not pool."""
        if "embedding" not in model.manifest.outputs:
            return super().answer_row(model, row, options)
        return model.encode(row["text"], **options).tolist()


def _as_lists(output: DecodableArray) -> list[Any]:
    return memoryview(output).tolist()


def _as_array(output: DecodableArray) -> FloatArray:
    import numpy as np

    return np.array(output, dtype=np.float32)


def choose_prompt(manifest: Manifest, prompt_name: str | None, prompt: str | None) -> str:
    """Return the prompt to put before each text: ``prompt``, else the named one, else the default, else "".

    Raises:
        InvalidArgumentError: the file has no prompt of that name.
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


TASK = FeatureExtraction()
