"""Open Inference Protocol, version 2 (KServe): metadata, health and inference over JSON.

Source: https://github.com/kserve/open-inference-protocol (inference_rest.md).
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from linnet.version import version
from linnet_serve.errors import invalid, missing_model
from linnet_serve.exchange import Exchange, Reply, Route, json_reply
from linnet_serve.interfaces.forms import plain_error
from linnet_serve.models.hosting import HostedModel
from linnet_serve.models.messages import Infer, Inferred, Tensor
from linnet_serve.models.sharing import check_texts, floats

__all__ = ["ROUTES"]

_VERSION = "1"


class RequestInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An input: ``text`` of BYTES [texts], or ``input_ids`` and ``token_type_ids`` of INT64 [texts, tokens]."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class RequestOutput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A request for inference."""

    inputs: list[RequestInput]
    id: str | None = None
    outputs: list[RequestOutput] | None = None
    parameters: dict[str, Any] = {}


class ResponseOutput(msgspec.Struct):
    """An output, in C order."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class InferAnswer(msgspec.Struct, omit_defaults=True):
    """Outputs of a program."""

    model_name: str
    model_version: str
    outputs: list[ResponseOutput]
    id: str | None = None


class ServerMetadata(msgspec.Struct):
    """What the service is."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(msgspec.Struct):
    """An input or output; -1 is any size."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(msgspec.Struct):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class Health(msgspec.Struct):
    """Whether a model or the service is ready."""

    ready: bool


async def metadata(exchange: Exchange) -> Reply:
    """Describe the service."""
    return json_reply(ServerMetadata("linnet", version(), []))


async def live(exchange: Exchange) -> Reply:
    """Say that the service runs."""
    return json_reply({"live": True})


async def ready(exchange: Exchange) -> Reply:
    """Say whether every model can answer."""
    state = exchange.service.ready
    return json_reply(Health(state), 200 if state else 503)


async def model_ready(exchange: Exchange) -> Reply:
    """Say whether a model can answer."""
    state = _model(exchange).ready
    return json_reply(Health(state), 200 if state else 503)


async def model_metadata(exchange: Exchange) -> Reply:
    """Describe a model."""
    model = _model(exchange)
    info = model.info
    inputs = [TensorMetadata("text", "BYTES", [-1])]
    inputs += [TensorMetadata(name, "INT64", [-1, -1]) for name in info.inputs if name in _ID_INPUTS]
    outputs = [TensorMetadata(name, "FP32", [-1]) for name in info.outputs]
    return json_reply(ModelMetadata(model.name, [_VERSION], "executorch_linnet", inputs, outputs))


def _model(exchange: Exchange) -> HostedModel:
    """Return the model of the path.

    Raises:
        ServiceError: there is no such model, or no such version of it (404).
    """
    if exchange.path.get("version", _VERSION) != _VERSION:
        raise missing_model(f"there is no such version; every model has the version {_VERSION} alone")
    return exchange.hosted(exchange.path["name"])


_ID_INPUTS = ("input_ids", "token_type_ids")


async def infer(exchange: Exchange) -> Reply:
    """Run the program of a model on texts or on token ids."""
    body: InferRequest = exchange.body
    model = _model(exchange)
    if model.info.task == "text-generation":
        raise invalid("a decoder answers at /v1/completions, not here", "model")
    if body.parameters or any(given.parameters for given in (*body.inputs, *(body.outputs or ()))):
        raise invalid("parameters are not supported, expected none", "parameters")
    inferred = await model.do(await _work(exchange, body.inputs), Inferred, timeout=model.settings.timeout)
    exchange.tokens = inferred.tokens
    for tensor in inferred.tensors:
        exchange.testify(tensor.data)
    wanted = None if body.outputs is None else [output.name for output in body.outputs]
    outputs = _chosen(inferred.tensors, wanted)
    return json_reply(InferAnswer(model.name, _VERSION, outputs, body.id))


async def _work(exchange: Exchange, inputs: list[RequestInput]) -> Infer:
    names = [given.name for given in inputs]
    if names == ["text"]:
        texts = _texts(inputs[0])
        check_texts(len(texts), exchange.service.settings.limits.texts)
        return Infer(await exchange.masked(texts), [])
    if exchange.service.masking is not None:
        raise invalid("expected the input text: token ids cannot be masked, and this service masks", "inputs")
    if "text" in names or len(set(names)) < len(names) or not names:
        raise invalid(f"inputs are {names}, expected text alone, or input_ids and token_type_ids", "inputs")
    return Infer([], [_tensor(given) for given in inputs])


def _texts(given: RequestInput) -> list[str]:
    if given.datatype != "BYTES" or given.shape not in ([len(given.data)], [len(given.data), 1]):
        raise invalid(f"text is {given.datatype} {given.shape}, expected BYTES [{len(given.data)}]", "inputs")
    if not all(isinstance(text, str) for text in given.data):
        raise invalid("the data of text holds something else than texts", "inputs")
    return given.data


def _tensor(given: RequestInput) -> Tensor:
    numbers = _flat(given.data)
    size = 1
    for axis in given.shape:
        size *= max(axis, 0)
    if given.datatype != "INT64" or len(given.shape) != 2 or size != len(numbers) or not size:
        raise invalid(
            f"{given.name} is {given.datatype} {given.shape} with {len(numbers)} numbers, expected INT64 "
            "[texts, tokens]",
            "inputs",
        )
    try:
        data = struct.pack(f"<{len(numbers)}q", *numbers)
    except struct.error:
        raise invalid(f"the data of {given.name} holds something else than int64", "inputs") from None
    return Tensor(given.name, "INT64", given.shape, data)


def _flat(data: list[Any]) -> list[Any]:
    """Return the numbers of a list, or of a list of lists, as the protocol allows both."""
    if any(isinstance(row, list) for row in data):
        return [number for row in data for number in (row if isinstance(row, list) else [row])]
    return data


def _chosen(tensors: list[Tensor], wanted: list[str] | None) -> list[ResponseOutput]:
    known = {tensor.name: tensor for tensor in tensors}
    for name in wanted or ():
        if name not in known:
            raise invalid(f"there is no output {name!r}; known are {', '.join(known)}", "outputs")
    return [
        ResponseOutput(name, known[name].shape, "FP32", floats(known[name].data))
        for name in (known if wanted is None else wanted)
    ]


def _route(method: str, path: str, handle: Any, summary: str, answer: Any, **more: Any) -> Route:
    tag = "Open Inference Protocol"
    name = "infer" if method == "POST" else "health" if "health" in path else "models"
    return Route(
        name=name,
        method=method,
        path=path,
        handle=handle,
        summary=summary,
        tag=tag,
        form=plain_error,
        answer=answer,
        **more,
    )


_INFERENCE = {"body": InferRequest, "scope": "predict"}

ROUTES = (
    _route("GET", "/v2", metadata, "Describe the service", ServerMetadata, open=True),
    _route("GET", "/v2/health/live", live, "Say that the service runs", dict[str, bool], open=True),
    _route("GET", "/v2/health/ready", ready, "Say whether every model can answer", Health, open=True),
    _route("GET", "/v2/models/{name}", model_metadata, "Describe a model", ModelMetadata),
    _route("GET", "/v2/models/{name}/ready", model_ready, "Say whether a model can answer", Health),
    _route("POST", "/v2/models/{name}/infer", infer, "Run a model", InferAnswer, **_INFERENCE),
    _route("GET", "/v2/models/{name}/versions/{version}", model_metadata, "Describe a version", ModelMetadata),
    _route("GET", "/v2/models/{name}/versions/{version}/ready", model_ready, "Say whether it can answer", Health),
    _route("POST", "/v2/models/{name}/versions/{version}/infer", infer, "Run a version", InferAnswer, **_INFERENCE),
)
