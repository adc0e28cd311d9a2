"""Forms in which the interfaces write errors."""

from __future__ import annotations

from typing import Any

from linnet_serve.errors import ServiceError

__all__ = ["openai_error", "plain_error", "tei_error"]

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}
_TEI_TYPES = {"text_too_long": "Validation", "overloaded": "Overloaded", "unavailable": "Unhealthy"}


def openai_error(error: ServiceError) -> dict[str, Any]:
    """Write an error as OpenAI does."""
    kind = _OPENAI_TYPES.get(error.http_status, "server_error")
    return {"error": {"message": str(error), "type": kind, "param": error.param, "code": error.code}}


def tei_error(error: ServiceError) -> dict[str, Any]:
    """Write an error as text-embeddings-inference does."""
    default = "Validation" if error.http_status < 500 else "Backend"
    return {"error": str(error), "error_type": _TEI_TYPES.get(error.code, default)}


def plain_error(error: ServiceError) -> dict[str, Any]:
    """Write an error as the inference API of Hugging Face and the Open Inference Protocol do."""
    return {"error": str(error)}
