"""Errors of the service with their HTTP status, independent of the form in which an interface writes them."""

from __future__ import annotations

from linnet.errors import LinnetError

__all__ = [
    "ServiceError",
    "forbidden",
    "invalid",
    "missing_model",
    "over_quota",
    "overloaded",
    "timed_out",
    "too_large",
    "unauthorized",
    "unavailable",
]


class ServiceError(LinnetError):
    """A request that is not answered.

    Attributes:
        http_status: status code.
        code: short name for programs, e.g. "model_not_found".
        param: field of the request that is wrong, or None.
        retry_after: seconds after which it may work, or None.
    """

    def __init__(
        self, message: str, *, http_status: int, code: str, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.http_status, self.code, self.param, self.retry_after = http_status, code, param, retry_after


def invalid(message: str, param: str | None = None, code: str = "invalid_request") -> ServiceError:
    """Return the error of a request with a wrong field (400)."""
    return ServiceError(message, http_status=400, code=code, param=param)


def unauthorized() -> ServiceError:
    """Return the error of a missing, wrong, expired or revoked key (401), the same for all of them."""
    message = "expected a valid key as 'Authorization: Bearer KEY', got none or one that is not valid"
    return ServiceError(message, http_status=401, code="invalid_api_key")


def forbidden(message: str) -> ServiceError:
    """Return the error of a key without the scope (403)."""
    return ServiceError(message, http_status=403, code="forbidden")


def missing_model(message: str) -> ServiceError:
    """Return the error of a model that the service does not have (404)."""
    return ServiceError(message, http_status=404, code="model_not_found", param="model")


def too_large(message: str) -> ServiceError:
    """Return the error of a body over the limit (413)."""
    return ServiceError(message, http_status=413, code="request_too_large")


def over_quota(message: str, retry_after: float) -> ServiceError:
    """Return the error of a key over its quota (429)."""
    return ServiceError(message, http_status=429, code="quota_exceeded", retry_after=retry_after)


def overloaded(retry_after: float) -> ServiceError:
    """Return the error of a full queue (429)."""
    message = "the queue of the model is full; try again later"
    return ServiceError(message, http_status=429, code="overloaded", retry_after=retry_after)


def unavailable(message: str, retry_after: float = 1.0) -> ServiceError:
    """Return the error of a model without a running worker, or of a service that ends (503)."""
    return ServiceError(message, http_status=503, code="unavailable", retry_after=retry_after)


def timed_out(seconds: float) -> ServiceError:
    """Return the error of a request over its time limit (504)."""
    return ServiceError(f"the answer took more than {seconds:g} s", http_status=504, code="timeout")
