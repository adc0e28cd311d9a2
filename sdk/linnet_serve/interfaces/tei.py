"""Interface of text-embeddings-inference: /embed, /embed_all, /rerank, /predict, /similarity, /tokenize, /info."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec

from linnet.version import version
from linnet_serve.errors import invalid
from linnet_serve.exchange import Exchange, Reply, Route, json_reply
from linnet_serve.interfaces.forms import tei_error
from linnet_serve.models.messages import Answer, Answered, Embed, Score, Tokenize
from linnet_serve.models.sharing import Vectors, check_texts, embed, floats, score

__all__ = ["ROUTES"]

_EMBEDDERS = ("feature-extraction",)
_Listed = Annotated[list[str], msgspec.Meta(min_length=1)]
Texts = str | _Listed


class _Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What all bodies have: ``model`` names one of several (not in the interface of text-embeddings-inference)."""

    model: str | None = None


class EmbedRequest(_Body, frozen=True):
    """A request for embeddings.

    Attributes:
        inputs: a text or a list of texts.
        normalize: scale vectors to unit length.
        truncate: cut texts over the maximum length instead of refusing them.
        truncation_direction: only the end of a text is cut.
        prompt_name: prompt of the file before each text.
        dimensions: width of the vectors; only the model's own.
    """

    inputs: Texts
    normalize: bool = True
    truncate: bool = False
    truncation_direction: Literal["Right", "right"] = "Right"
    prompt_name: str | None = None
    dimensions: int | None = None


class EmbedAllRequest(_Body, frozen=True):
    """A request for one vector for each token, of a model that does not pool."""

    inputs: Texts
    truncate: bool = False
    truncation_direction: Literal["Right", "right"] = "Right"
    prompt_name: str | None = None


class RerankRequest(_Body, frozen=True):
    """A request for the relevance of texts for a query.

    Attributes:
        raw_scores: logits instead of their sigmoid.
        return_text: put each text into the answer.
    """

    query: str
    texts: _Listed
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False
    truncation_direction: Literal["Right", "right"] = "Right"


class Rank(msgspec.Struct, omit_defaults=True):
    """A text with its relevance."""

    index: int
    score: float
    text: str | None = None


class PredictRequest(_Body, frozen=True):
    """A request for the classes of texts: a text, a pair [text, text], or a list of [text] and [text, text]."""

    inputs: (
        str
        | Annotated[
            list[str | Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)]], msgspec.Meta(min_length=1)
        ]
    )
    raw_scores: bool = False
    truncate: bool = False
    truncation_direction: Literal["Right", "right"] = "Right"


class Prediction(msgspec.Struct):
    """A class with its score."""

    score: float
    label: str


class SimilarityInputs(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A sentence and others."""

    source_sentence: str
    sentences: _Listed


class SimilarityParameters(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Options of a similarity."""

    truncate: bool = False
    truncation_direction: Literal["Right", "right"] = "Right"
    prompt_name: str | None = None


class SimilarityRequest(_Body, frozen=True):
    """A request for the cosine similarity of a sentence to others."""

    inputs: SimilarityInputs
    parameters: SimilarityParameters = SimilarityParameters()


class TokenizeRequest(_Body, frozen=True):
    """A request for the tokens of texts."""

    inputs: Texts
    add_special_tokens: bool = True


class TokenPlace(msgspec.Struct):
    """A token with its place in the text, in code points; a special token has none."""

    id: int
    text: str
    special: bool
    start: int | None
    stop: int | None


class Info(msgspec.Struct):
    """What the first model of the service is."""

    model_id: str
    model_sha: str
    model_dtype: str
    model_type: dict[str, Any]
    max_concurrent_requests: int
    max_input_length: int
    max_client_batch_size: int
    tokenization_workers: int
    version: str


async def _listed(exchange: Exchange, inputs: Texts) -> list[str]:
    texts = [inputs] if isinstance(inputs, str) else inputs
    check_texts(len(texts), exchange.service.settings.limits.texts)
    return await exchange.masked(texts)


async def embed_texts(exchange: Exchange) -> Reply:
    """Embed texts: a list of vectors."""
    body: EmbedRequest = exchange.body
    model = exchange.hosted(body.model, *_EMBEDDERS)
    if body.dimensions not in (None, model.info.embedding_size):
        raise invalid(f"dimensions is {body.dimensions}, the model gives {model.info.embedding_size}", "dimensions")
    work = Embed(await _listed(exchange, body.inputs), body.normalize, body.prompt_name, truncation=body.truncate)
    vectors = await embed(model, work)
    exchange.tokens = sum(vectors.tokens)
    exchange.testify(vectors.data)
    return json_reply([floats(vectors.row(index)) for index in range(len(vectors.tokens))])


async def embed_tokens(exchange: Exchange) -> Reply:
    """Return one vector for each token of each text."""
    body: EmbedAllRequest = exchange.body
    model = exchange.hosted(body.model, *_EMBEDDERS)
    texts = await _listed(exchange, body.inputs)
    vectors = await embed(model, Embed(texts, False, body.prompt_name, truncation=body.truncate, tokens=True))
    exchange.tokens = sum(vectors.tokens)
    exchange.testify(vectors.data)
    rows = iter(range(sum(vectors.rows)))
    return json_reply([[floats(vectors.row(next(rows))) for _ in range(count)] for count in vectors.rows])


async def rerank(exchange: Exchange) -> Reply:
    """Order texts by their relevance for a query."""
    body: RerankRequest = exchange.body
    check_texts(len(body.texts), exchange.service.settings.limits.texts, "texts")
    model = exchange.hosted(body.model, "text-ranking")
    query, *texts = await exchange.masked([body.query, *body.texts])
    scores = await score(model, Score([(query, text) for text in texts], body.truncate))
    if scores.width != 1:
        raise invalid(f"the model gives {scores.width} scores for a pair, expected one", "model")
    exchange.tokens = sum(scores.tokens)
    exchange.testify(scores.data)
    found = floats(scores.data)
    values = found if body.raw_scores else [_sigmoid(value) for value in found]
    ranks = [
        Rank(index, value, text if body.return_text else None)
        for index, (value, text) in enumerate(zip(values, body.texts, strict=True))
    ]
    return json_reply(sorted(ranks, key=lambda rank: -rank.score))


def _sigmoid(value: float) -> float:
    # the exponent is never positive, so it cannot overflow
    small = math.exp(-abs(value))
    return 1 / (1 + small) if value >= 0 else small / (1 + small)


async def predict(exchange: Exchange) -> Reply:
    """Classify texts."""
    body: PredictRequest = exchange.body
    model = exchange.hosted(body.model, "text-classification")
    options: dict[str, Any] = {"top_k": None, "truncation": body.truncate}
    if body.raw_scores:
        options["function_to_apply"] = "none"
    # a list of texts is a pair, as in text-embeddings-inference
    single = isinstance(body.inputs, str) or all(isinstance(text, str) for text in body.inputs)
    groups: list[Any] = [body.inputs] if single else list(body.inputs)
    check_texts(len(groups), exchange.service.settings.limits.texts)
    work = Answer([await _one(exchange, group) for group in groups], options)
    answered = await model.do(work, Answered, timeout=model.settings.timeout)
    exchange.tokens = answered.tokens
    exchange.testify(answered.json)
    found = msgspec.json.decode(answered.json, type=list[list[Prediction]])
    return json_reply(found[0] if single else found)


async def _one(exchange: Exchange, group: str | list[str]) -> Any:
    texts = await exchange.masked([group] if isinstance(group, str) else group)
    if not 1 <= len(texts) <= 2:
        message = f"inputs has {len(texts)} texts, expected one or a pair; a list of texts has the form [[text], ...]"
        raise invalid(message, "inputs")
    return texts[0] if len(texts) == 1 else {"text": texts[0], "text_pair": texts[1]}


async def similarity(exchange: Exchange) -> Reply:
    """Compare a sentence with others."""
    body: SimilarityRequest = exchange.body
    sentences, options = body.inputs.sentences, body.parameters
    check_texts(len(sentences), exchange.service.settings.limits.texts, "inputs.sentences")
    model = exchange.hosted(body.model, *_EMBEDDERS)
    texts = await exchange.masked([body.inputs.source_sentence, *sentences])
    vectors = await embed(model, Embed(texts, True, options.prompt_name, truncation=options.truncate))
    exchange.tokens = sum(vectors.tokens)
    exchange.testify(vectors.data)
    return json_reply(_products(vectors))


def _products(vectors: Vectors) -> list[float]:
    """Return the dot product of the first vector and each of the others."""
    first = floats(vectors.row(0))
    others = (floats(vectors.row(index)) for index in range(1, len(vectors.tokens)))
    return [math.fsum(a * b for a, b in zip(first, other, strict=True)) for other in others]


async def tokenize(exchange: Exchange) -> Reply:
    """Return the tokens of texts."""
    body: TokenizeRequest = exchange.body
    model = exchange.hosted(body.model)
    work = Tokenize(await _listed(exchange, body.inputs), body.add_special_tokens)
    answered = await model.do(work, Answered, timeout=model.settings.timeout)
    exchange.testify(answered.json)
    return Reply(answered.json)


async def info(exchange: Exchange) -> Reply:
    """Describe the first model of the service."""
    name, model = next(iter(exchange.service.models.items()))
    told = model.info
    kinds: dict[str, dict[str, Any]] = {
        "feature-extraction": {"embedding": {"pooling": "mean"}},
        "text-ranking": {"reranker": {}},
    }
    labels = {str(index): label for index, label in enumerate(told.labels)}
    classifier = {"classifier": {"id2label": labels, "label2id": {label: index for index, label in labels.items()}}}
    shown = Info(
        model_id=name,
        model_sha=told.file_sha256,
        model_dtype=told.recipe,
        model_type=kinds.get(told.task, classifier if told.labels else {told.task: {}}),
        max_concurrent_requests=model.settings.queue,
        max_input_length=told.max_length,
        max_client_batch_size=exchange.service.settings.limits.texts,
        tokenization_workers=model.settings.replicas,
        version=version(),
    )
    return json_reply(shown)


def _route(path: str, handle: Any, summary: str, body: Any, answer: Any, scope: str) -> Route:
    return Route(
        name=path.strip("/"),
        method="GET" if body is None else "POST",
        path=path,
        handle=handle,
        summary=summary,
        tag="text-embeddings-inference",
        form=tei_error,
        body=body,
        answer=answer,
        scope=scope,
    )


ROUTES = (
    _route("/embed", embed_texts, "Embed texts", EmbedRequest, list[list[float]], "embed"),
    _route("/embed_all", embed_tokens, "Embed tokens", EmbedAllRequest, list[list[list[float]]], "embed"),
    _route("/rerank", rerank, "Order texts by relevance", RerankRequest, list[Rank], "predict"),
    _route("/predict", predict, "Classify texts", PredictRequest, list[Prediction | list[Prediction]], "predict"),
    _route("/similarity", similarity, "Compare sentences", SimilarityRequest, list[float], "embed"),
    _route("/tokenize", tokenize, "Tokenize texts", TokenizeRequest, list[list[TokenPlace]], "predict"),
    _route("/info", info, "Describe the first model", None, Info, ""),
)
