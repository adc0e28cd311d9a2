"""Health, list of models, metrics and replacement of files."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from linnet.monitoring import prometheus
from linnet_serve.errors import ServiceError
from linnet_serve.exchange import Exchange, Reply, Route, json_reply
from linnet_serve.interfaces.forms import openai_error, plain_error

__all__ = ["ROUTES"]


class ModelEntry(msgspec.Struct):
    """One model in the list of OpenAI's interface."""

    id: str
    created: int
    owned_by: str = "linnet"
    object: str = "model"


class ModelList(msgspec.Struct):
    """All models that the key is for."""

    data: list[ModelEntry]
    object: str = "list"


async def live(exchange: Exchange) -> Reply:
    """Say that the service runs."""
    return json_reply({"status": "live"})


async def ready(exchange: Exchange) -> Reply:
    """Say whether every model can answer."""
    service = exchange.service
    states = {name: model.ready for name, model in service.models.items()}
    good = service.ready
    return json_reply({"status": "ready" if good else "not ready", "models": len(states)}, 200 if good else 503)


async def models(exchange: Exchange) -> Reply:
    """List the models."""
    service = exchange.service
    usable = [name for name in service.models if exchange.principal.may_use(name)]
    return json_reply(ModelList([ModelEntry(name, int(service.started)) for name in usable]))


async def model(exchange: Exchange) -> Reply:
    """Describe a model as OpenAI does."""
    found = exchange.hosted(exchange.path["name"])
    return json_reply(ModelEntry(found.name, int(exchange.service.started)))


async def metrics(exchange: Exchange) -> Reply:
    """Return all metrics in the text format of Prometheus; the scope "metrics" is needed unless they are public."""
    service = exchange.service
    settings = service.settings.monitoring
    if not settings.metrics:
        raise ServiceError("metrics are switched off", http_status=404, code="not_found")
    if not settings.public:
        exchange.authenticate()
        exchange.principal.require("metrics", None)
    text = prometheus(await service.snapshot())
    return Reply(text.encode(), content_type=b"text/plain; version=0.0.4; charset=utf-8")


async def reload(exchange: Exchange) -> Reply:
    """Replace every model whose file has changed and passes its golden cases."""
    begun = time.monotonic()
    outcomes = await exchange.service.reload()
    return json_reply({"models": outcomes, "seconds": round(time.monotonic() - begun, 3)})


def _route(method: str, path: str, handle: Any, summary: str, answer: Any, **more: Any) -> Route:
    form = more.pop("form", plain_error)
    name = next(name for name in ("health", "metrics", "admin", "models") if name in path)
    return Route(
        name=name,
        method=method,
        path=path,
        handle=handle,
        summary=summary,
        tag="Service",
        form=form,
        answer=answer,
        **more,
    )


ROUTES = (
    _route("GET", "/health/live", live, "Say that the service runs", dict[str, str], open=True),
    _route("GET", "/health/ready", ready, "Say whether every model can answer", dict[str, Any], open=True),
    _route("GET", "/health", ready, "The same, as text-embeddings-inference names it", dict[str, Any], open=True),
    _route("GET", "/v1/models", models, "List the models", ModelList, form=openai_error),
    _route("GET", "/v1/models/{name}", model, "Describe a model", ModelEntry, form=openai_error),
    _route("GET", "/metrics", metrics, "Return all metrics for Prometheus", None, open=True),
    _route("POST", "/admin/reload", reload, "Replace changed files", dict[str, Any], scope="admin"),
)
