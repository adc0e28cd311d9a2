"""ASGI application of the service: all routes of all interfaces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from linnet_serve.errors import ServiceError
from linnet_serve.exchange import Route, write_json
from linnet_serve.http import Endpoint
from linnet_serve.interfaces import (
    documentation,
    health,
    inference_protocol,
    openai_chat,
    openai_completions,
    openai_embeddings,
    pipelines,
    tei,
)
from linnet_serve.interfaces.forms import openai_error
from linnet_serve.service import Service

__all__ = ["ROUTES", "make_app"]

# the busiest first, since they are tried in this order
ROUTES: tuple[Route, ...] = (
    *openai_embeddings.ROUTES,
    *openai_chat.ROUTES,
    *openai_completions.ROUTES,
    *tei.ROUTES,
    *pipelines.ROUTES,
    *inference_protocol.ROUTES,
    *health.ROUTES,
    *documentation.ROUTES,
)
"""Routes of the service."""


def make_app(service: Service) -> ASGIApp:
    """Return the application of a service whose models are open; it closes them at its end."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await service.close()

    origins = service.settings.access.origins
    middleware = [Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"])]
    names = list(service.models) if service.gate.open else []  # else a key is needed to learn them
    service.openapi = write_json(documentation.openapi_document(ROUTES, names))
    endpoints = {(route.method, route.path): Endpoint(service, route) for route in ROUTES}
    routes: list[BaseRoute] = [
        StarletteRoute(path, endpoint, methods=[method]) for (method, path), endpoint in endpoints.items()
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=middleware if origins else [],
        exception_handlers={HTTPException: _http_error},
    )
    return app if origins else _straight(app, endpoints)


def _straight(app: ASGIApp, endpoints: Mapping[tuple[str, str], ASGIApp]) -> ASGIApp:
    """Return an application that finds paths without parameters at once; Starlette would try one after the other."""

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = endpoints.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None:
            await app(scope, receive, send)
            return
        scope["path_params"] = {}
        await endpoint(scope, receive, send)

    return dispatch


def _methods(request: Request) -> list[str]:
    """Return the methods that the path of a request takes."""
    matching = (
        route.methods or () for route in request.app.routes if route.path_regex.match(request.url.path) is not None
    )
    return sorted({method for methods in matching for method in methods if method != "HEAD"})


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer a path or a method that is not there."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 404:
        message = f"there is no {request.url.path}; /openapi.json lists what is there"
    elif error.status_code == 405:
        allowed = _methods(request)
        message = f"{request.url.path} takes {' or '.join(allowed)}, got {request.method}"
        headers["allow"] = ", ".join(allowed)
    else:
        message = error.detail
    body = write_json(openai_error(ServiceError(message, http_status=404, code="not_found")))
    return Response(body, error.status_code, media_type="application/json", headers=headers)
