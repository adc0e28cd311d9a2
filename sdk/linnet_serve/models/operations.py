"""Work of a worker process on an open model: one function for each kind of work but generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from linnet.errors import InputShapeError, TaskMismatchError
from linnet.format.footer import file_identity
from linnet.golden_replay import GivenIds
from linnet.model import Model
from linnet.runtime import Encoding, runtime_info
from linnet.tasks.feature_extraction import choose_prompt
from linnet_serve.models.messages import (
    Answer,
    Answered,
    Embed,
    Embedded,
    FromWorker,
    Infer,
    Inferred,
    ModelInfo,
    Score,
    Scored,
    Tensor,
    Tokenize,
)

__all__ = ["OPERATIONS", "describe"]

_JSON = msgspec.json.Encoder(enc_hook=lambda value: value.tolist())  # numpy's arrays and numbers


def describe(model: Model) -> ModelInfo:
    """Return what a worker says about its file."""
    manifest, info = model.manifest, runtime_info()
    assert model.path is not None
    decoder, kernels = manifest.task == "text-generation", info["kernels"]
    # an encoder takes linnet's kernels where the processor has fast ones, a decoder everywhere
    fused = "forward_fused" in model.methods and (decoder or kernels != "portable")
    return ModelInfo(
        task=manifest.task,
        model_type=manifest.model_type,
        recipe=manifest.recipe,
        max_length=manifest.max_length,
        labels=list(manifest.labels),
        inputs=list(manifest.inputs),
        outputs=list(manifest.outputs),
        embedding_size=manifest.embedding_size,
        context=manifest.max_length if decoder else 0,
        chat=decoder and bool(manifest.chat_user_start or manifest.chat_generation),
        file_sha256=file_identity(model.path),
        kernels=f"{kernels} {'forward_fused' if fused else 'forward'}",
        bytes=Path(model.path).stat().st_size,
    )


def embed(model: Model, number: int, work: Embed) -> Embedded:
    """Return vectors of texts, or of the tokens of texts, float32 [rows, width].

    Raises:
        TaskMismatchError: the task is not feature-extraction, or the program gives no such vectors.
        InvalidArgumentError: the file has no prompt of that name.
        TextTooLongError: a text is over the maximum length, and ``truncation`` is False.
    """
    name = _output_of(model, tokens=work.tokens)
    before = choose_prompt(model.manifest, work.prompt_name, None)
    unpooled = model.prompt_tokens(before)
    rows, tokens = [], []
    for text in work.texts:
        encoding = model.tokenize(before + text, truncation=work.truncation)
        found = model.run(encoding, prompt_tokens=unpooled)[name]
        rows.append(found if work.tokens else found[np.newaxis])
        tokens.append(len(encoding))
    vectors = np.concatenate(rows)
    if work.normalize:
        # 1e-12 is the epsilon of torch.nn.functional.normalize
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    data = vectors.astype("<f4", copy=False).tobytes()
    return Embedded(number, data, vectors.shape[1], tokens, [len(row) for row in rows])


def _output_of(model: Model, *, tokens: bool) -> str:
    outputs = model.manifest.outputs
    if model.task != "feature-extraction":
        raise TaskMismatchError(f"expected a file of the task feature-extraction, got {model.task}")
    if not tokens and "embedding" in outputs:
        return "embedding"
    if tokens and "token_embeddings" in outputs:
        return "token_embeddings"
    wanted, pooling = ("each token", "none") if tokens else ("each text", "mean")
    raise TaskMismatchError(f"the file gives no vector for {wanted}; export it again with --pooling {pooling}")


def score(model: Model, number: int, work: Score) -> Scored:
    """Return the logits of pairs, float32 [pairs, width].

    Raises:
        TextTooLongError: a pair is over the maximum length, and ``truncation`` is False.
    """
    encodings = [model.tokenize(query, passage, truncation=work.truncation) for query, passage in work.pairs]
    rows = np.stack([model.run(encoding)["logits"] for encoding in encodings])
    data = rows.astype("<f4", copy=False).tobytes()
    return Scored(number, data, rows.shape[1], [len(encoding) for encoding in encodings])


def answer(model: Model, number: int, work: Answer) -> Answered:
    """Return the answer of the pipeline as JSON; raises what calling the model raises."""
    found = model(_typed(work.inputs), **work.options)
    return Answered(number, _JSON.encode(found), sum(len(model.tokenize(text)) for text in _texts(work.inputs)))


def _typed(inputs: Any) -> Any:
    """Return inputs of a JSON body as the pipelines take them: a pair of texts is a dict there, a tuple here."""
    if isinstance(inputs, list):
        return [_typed(item) for item in inputs]
    if isinstance(inputs, Mapping) and set(inputs) == {"text", "text_pair"}:
        return inputs["text"], inputs["text_pair"]
    return inputs


def _texts(inputs: Any) -> list[str]:
    if isinstance(inputs, str):
        return [inputs]
    values = inputs.values() if isinstance(inputs, Mapping) else inputs
    return [text for value in values for text in _texts(value)] if isinstance(inputs, Mapping | list | tuple) else []


def tokenize(model: Model, number: int, work: Tokenize) -> Answered:
    """Return the tokens of texts, as text-embeddings-inference does: id, text, special, start, stop (in code points).

    Raises:
        InvalidTextError: a text cannot be written as UTF-8.
    """
    found, count = [], 0
    for text in work.texts:
        encoding = model.tokenizer.encode(text, add_special_tokens=work.special)[0]
        count += len(encoding)
        found.append(_tokens(model, encoding, text))
    return Answered(number, _JSON.encode(found), count)


def _tokens(model: Model, encoding: Encoding, text: str) -> list[dict[str, Any]]:
    vocabulary = model.tokenizer.vocabulary
    listed = []
    rows = zip(encoding.ids.tolist(), encoding.sequence_ids.tolist(), encoding.offsets.tolist(), strict=True)
    for token, sequence, (start, stop) in rows:
        special = sequence < 0
        # a special token is no part of the text, so it has no place there
        place = {"start": None, "stop": None} if special else {"start": start, "stop": stop}
        shown = vocabulary.token(token) if special else text[start:stop]
        listed.append({"id": token, "text": shown, "special": special, **place})
    return listed


def infer(model: Model, number: int, work: Infer) -> Inferred:
    """Run the program on texts, or on tensors of its inputs; outputs have the batch as their first axis.

    Raises:
        InputShapeError: the tensors are not those of the program, or outputs of several texts differ in shape.
    """
    runs = [model.tokenize(text) for text in work.texts] or _runs_of_tensors(model, work.tensors)
    outputs = [model.run(encoding) for encoding in runs]
    tensors = []
    for name in model.manifest.outputs:
        arrays = [found[name] for found in outputs]
        if len({array.shape for array in arrays}) > 1:
            raise InputShapeError(f"output {name!r} has a row for each token, expected texts of one length; send one")
        stacked = np.stack(arrays).astype("<f4", copy=False)
        tensors.append(Tensor(name, "FP32", list(stacked.shape), stacked.tobytes()))
    return Inferred(number, tensors, sum(len(encoding) for encoding in runs))


def _runs_of_tensors(model: Model, tensors: list[Tensor]) -> list[Encoding]:
    given = {tensor.name: tensor for tensor in tensors}
    wanted = [name for name in model.manifest.inputs if name in ("input_ids", "token_type_ids")]
    if "input_ids" not in given or set(given) - set(wanted):
        raise InputShapeError(f"expected the tensors {', '.join(wanted)}, got {', '.join(given) or 'none'}")
    shape = given["input_ids"].shape
    for tensor in tensors:
        if tensor.datatype != "INT64" or len(tensor.shape) != 2 or tensor.shape != shape or 0 in shape:
            raise InputShapeError(
                f"tensor {tensor.name!r} is {tensor.datatype} {tensor.shape}, expected INT64 [texts, tokens], "
                "the same for all"
            )
    arrays = {name: np.frombuffer(tensor.data, dtype="<i8").reshape(shape) for name, tensor in given.items()}
    if shape[1] > model.max_length:
        raise InputShapeError(f"input_ids has {shape[1]} tokens, expected at most {model.max_length}")
    types = arrays.get("token_type_ids", np.zeros(shape, dtype=np.int64))
    return [GivenIds(ids, kinds) for ids, kinds in zip(arrays["input_ids"], types, strict=True)]


OPERATIONS: Mapping[type, Callable[[Model, int, Any], FromWorker]] = {
    Embed: embed,
    Score: score,
    Answer: answer,
    Tokenize: tokenize,
    Infer: infer,
}
