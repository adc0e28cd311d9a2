"""Answers in the shape of Hugging Face pipelines at /models/NAME, for every task."""

from __future__ import annotations

from typing import Any

import msgspec

from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, Reply, Route, json_reply
from linnet_serve.interfaces.forms import plain_error
from linnet_serve.models.messages import Answer, Answered
from linnet_serve.models.sharing import check_texts

__all__ = ["ROUTES"]

_WITH_PLACES = ("token-classification", "question-answering")


class PipelineRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A request to a pipeline.

    Attributes:
        inputs: what the pipeline takes: a text or a list of texts; {"text", "text_pair"} for a pair; {"question",
            "context"} for question-answering; messages for text-generation.
        parameters: options of the pipeline, as ``Model()`` of linnet takes them.
    """

    inputs: str | list[Any] | dict[str, Any]
    parameters: dict[str, Any] = {}


class ModelCard(msgspec.Struct):
    """What a model is."""

    id: str
    task: str
    model_type: str
    recipe: str
    max_length: int
    labels: list[str]
    sha256: str
    kernels: str
    ready: bool


async def answer(exchange: Exchange) -> Reply:
    """Answer as the pipeline of the model's task."""
    body: PipelineRequest = exchange.body
    model = exchange.hosted(exchange.path["name"])
    scopes = {"text-generation": "generate", "feature-extraction": "embed"}
    exchange.principal.require(scopes.get(model.info.task, "predict"), None)
    inputs, options = body.inputs, dict(body.parameters)
    if isinstance(inputs, list):
        check_texts(len(inputs), exchange.service.settings.limits.texts)
    if model.info.task == "question-answering" and isinstance(inputs, str):
        raise invalid('inputs is a text, expected {"question": ..., "context": ...}', "inputs")
    masked = await exchange.masked_value(inputs, keep_places=model.info.task in _WITH_PLACES)
    answered = await model.do(Answer(masked, options), Answered, timeout=model.settings.timeout)
    exchange.tokens = answered.tokens
    exchange.testify(answered.json)
    if exchange.mask is None:
        return Reply(answered.json)
    return json_reply(exchange.unmasked(msgspec.json.decode(answered.json)))


async def card(exchange: Exchange) -> Reply:
    """Describe a model."""
    model = exchange.hosted(exchange.path["name"])
    info = model.info
    shown = ModelCard(
        id=model.name,
        task=info.task,
        model_type=info.model_type,
        recipe=info.recipe,
        max_length=info.max_length,
        labels=info.labels,
        sha256=info.file_sha256,
        kernels=info.kernels,
        ready=model.ready,
    )
    return json_reply(shown)


ROUTES = (
    Route(
        name="pipeline",
        method="POST",
        path="/models/{name}",
        handle=answer,
        summary="Answer as the Hugging Face pipeline of the model's task",
        tag="Hugging Face pipelines",
        form=plain_error,
        body=PipelineRequest,
        answer=Any,
    ),
    Route(
        name="models",
        method="GET",
        path="/models/{name}",
        handle=card,
        summary="Describe a model",
        tag="Hugging Face pipelines",
        form=plain_error,
        answer=ModelCard,
    ),
)
