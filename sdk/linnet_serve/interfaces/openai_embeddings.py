"""OpenAI's /v1/embeddings."""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec

from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, Reply, Route, json_reply
from linnet_serve.interfaces.forms import openai_error
from linnet_serve.models.messages import Embed
from linnet_serve.models.sharing import Vectors, check_texts, embed, floats

__all__ = ["ROUTES"]


class EmbeddingsRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A request for embeddings.

    Attributes:
        input: a text or a list of texts. Token ids are refused: they would be those of another tokenizer.
        model: name of the model.
        encoding_format: "float", or "base64" of float32 in little endian.
        dimensions: width of the vectors; only the model's own.
        user: is not used.
        truncate: cut texts over the maximum length instead of refusing them (not in OpenAI's interface).
        normalize: scale vectors to unit length (not in OpenAI's interface).
    """

    input: str | list[Any]
    model: str
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None
    truncate: bool = False
    normalize: bool = True


class Embedding(msgspec.Struct):
    """One vector."""

    index: int
    embedding: list[float] | str
    object: str = "embedding"


class EmbeddingsUsage(msgspec.Struct):
    """Tokens of a request."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(msgspec.Struct):
    """Vectors, in the order of the texts."""

    data: list[Embedding]
    model: str
    usage: EmbeddingsUsage
    object: str = "list"


async def embeddings(exchange: Exchange) -> Reply:
    """Embed texts."""
    body: EmbeddingsRequest = exchange.body
    model = exchange.hosted(body.model, "feature-extraction")
    texts = _texts(body.input)
    check_texts(len(texts), exchange.service.settings.limits.texts, "input")
    width = model.info.embedding_size
    if body.dimensions not in (None, width):
        raise invalid(f"dimensions is {body.dimensions}, the model gives {width}; leave it out", "dimensions")
    work = Embed(await exchange.masked(texts), body.normalize, truncation=body.truncate)
    vectors = await embed(model, work)
    exchange.tokens = sum(vectors.tokens)
    exchange.testify(vectors.data)
    usage = EmbeddingsUsage(exchange.tokens, exchange.tokens)
    return json_reply(EmbeddingsAnswer(_listed(vectors, body.encoding_format), body.model, usage))


def _texts(given: str | list[Any]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not all(isinstance(text, str) for text in texts):
        raise invalid(
            "input holds token ids or other values, expected texts; with LangChain's OpenAIEmbeddings set "
            "check_embedding_ctx_length=False",
            "input",
        )
    return texts


def _listed(vectors: Vectors, encoding: str) -> list[Embedding]:
    rows = [vectors.row(index) for index in range(len(vectors.tokens))]
    if encoding == "base64":
        return [Embedding(index, base64.b64encode(row).decode()) for index, row in enumerate(rows)]
    return [Embedding(index, floats(row)) for index, row in enumerate(rows)]


ROUTES = (
    Route(
        name="embeddings",
        method="POST",
        path="/v1/embeddings",
        handle=embeddings,
        summary="Embed texts",
        tag="OpenAI",
        form=openai_error,
        body=EmbeddingsRequest,
        answer=EmbeddingsAnswer,
        scope="embed",
    ),
)
