"""Who sends a request: name, scopes, models and quotas."""

from __future__ import annotations

import dataclasses

from linnet_serve.errors import forbidden

__all__ = ["ANONYMOUS", "DEFAULT_SCOPES", "SCOPES", "Principal"]

SCOPES: dict[str, str] = {
    "embed": "embeddings and similarity",
    "generate": "completions and chat",
    "predict": "all other tasks, tokenization and raw inference",
    "metrics": "the metrics",
    "admin": "replacement of files",
}
"""Scopes with what they allow."""

DEFAULT_SCOPES = ("embed", "generate", "predict")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Principal:
    """The holder of a key or of a token.

    Attributes:
        id: id of the key, or the subject of a token; it is not secret.
        scopes: of :data:`SCOPES`.
        models: names of models; "*": all.
        requests_per_minute, tokens_per_day: quotas; 0: none.
    """

    id: str
    scopes: frozenset[str]
    models: frozenset[str] = frozenset({"*"})
    requests_per_minute: int = 0
    tokens_per_day: int = 0

    def may_use(self, model: str) -> bool:
        """Return whether a model may be used."""
        return "*" in self.models or model in self.models

    def require(self, scope: str, model: str | None) -> None:
        """Check a scope and a model.

        Raises:
            ServiceError: one of them is missing (403).
        """
        if scope and scope not in self.scopes:
            raise forbidden(f"the key has no scope {scope!r}, which this route needs")
        if model is not None and not self.may_use(model):
            raise forbidden(f"the key is not for the model {model!r}")


ANONYMOUS = Principal(id="anonymous", scopes=frozenset(SCOPES))
"""Everybody, of a service without keys."""
