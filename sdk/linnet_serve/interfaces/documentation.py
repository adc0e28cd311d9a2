"""OpenAPI document of the service, and a page to try it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from linnet.version import version
from linnet_serve.errors import ServiceError
from linnet_serve.exchange import Exchange, Reply, Route
from linnet_serve.interfaces.forms import plain_error
from linnet_serve.interfaces.try_page import page

__all__ = ["ROUTES", "openapi_document"]

_ERRORS = {
    "400": "a parameter is wrong or not supported",
    "401": "no valid key",
    "403": "the key is not for this",
    "404": "there is no such model",
    "408": "the body came too slowly",
    "413": "the body is too large",
    "429": "the queue is full, or the quota is used up",
    "500": "a defect of the service",
    "503": "no worker is running",
    "504": "the answer took too long",
}
_JSON = "application/json"


def openapi_document(routes: Iterable[Route], models: Sequence[str] = ()) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of routes.

    Args:
        routes: of the application.
        models: names of models, for the parameters of paths; none: they are not told.
    """
    listed = list(routes)
    types = [kind for route in listed for kind in (route.body, route.answer) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    shown = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        body = None if route.body is None else next(shown)
        answer = None if route.answer is None else next(shown)
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, body, answer, models)
    return {
        "openapi": "3.1.0",
        "info": {"title": "linnet", "version": version(), "description": "Small language models as a service."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route, body: Any, answer: Any, models: Sequence[str]) -> dict[str, Any]:
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": _parameter(part[1:-1], models)}
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    content = {_JSON: {"schema": answer}} if answer is not None else {"*/*": {"schema": {"type": "string"}}}
    if route.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    error = {"content": {_JSON: {"schema": _error_schema(route)}}}
    operation: dict[str, Any] = {
        "summary": route.summary,
        "tags": [route.tag],
        "operationId": f"{route.method.lower()}{route.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": parameters,
        "responses": {
            "200": {"description": "the answer", "content": content},
            **{status: {"description": text, **error} for status, text in _ERRORS.items()},
        },
        "security": [] if route.open else [{}, {"key": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
    return operation


def _parameter(name: str, models: Sequence[str]) -> dict[str, Any]:
    values = {"version": ["1"], "name": list(models)}.get(name)
    return {"type": "string", "enum": values} if values else {"type": "string"}


def _error_schema(route: Route) -> dict[str, Any]:
    """Return the schema of a route's errors: the names that its form writes."""
    example = route.form(ServiceError("message", http_status=400, code="code"))
    return {"type": "object", "required": list(example), "properties": {name: {} for name in example}}


async def document(exchange: Exchange) -> Reply:
    """Return the OpenAPI document."""
    return Reply(exchange.service.openapi)


async def root(exchange: Exchange) -> Reply:
    """Return the page to try the interfaces."""
    if not exchange.service.settings.docs:
        raise ServiceError("there is no page here", http_status=404, code="not_found")
    headers = (
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
         b"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
    )  # fmt: skip
    return Reply(page(), content_type=b"text/html; charset=utf-8", headers=headers)


def _route(path: str, handle: Any, summary: str) -> Route:
    return Route(
        name="openapi",
        method="GET",
        path=path,
        handle=handle,
        summary=summary,
        tag="Service",
        form=plain_error,
        open=True,
    )


ROUTES = (
    _route("/openapi.json", document, "Return this document"),
    _route("/", root, "Return the page to try the interfaces"),
)
