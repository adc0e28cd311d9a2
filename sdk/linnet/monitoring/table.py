"""Table of metrics: name, kind, unit, labels with their values, buckets and meaning of everything linnet counts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from types import MappingProxyType

from linnet import errors

__all__ = [
    "BY_NAME",
    "LABELS",
    "LENGTHS",
    "METRICS",
    "OTHER",
    "REGISTERED",
    "Metric",
    "error_name",
    "length_bucket",
    "snake_case",
]

OTHER = "other"
"""Value of a label whose real value is not in its list."""

REGISTERED = frozenset({"model", "label"})
"""Labels with values from a list that was registered: names of models, and classes of a model."""

LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
"""Bounds of the label ``length`` in tokens; a longer input has the value ``more``."""

_LENGTH_NAMES = (*map(str, LENGTHS), "more")


def length_bucket(tokens: int) -> str:
    """Return the value of the label ``length`` for a number of tokens: the smallest bound that holds it."""
    for bound, name in zip(LENGTHS, _LENGTH_NAMES, strict=False):
        if tokens <= bound:
            return name
    return "more"


def snake_case(name: str) -> str:
    """Return the name of an error class as programs read it: TextTooLongError is "text_too_long"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Error")).lower()


def error_name(error: type[BaseException] | BaseException) -> str:
    """Return the value of the label ``error``: the status of ``linnet.h`` in lower case, or the class in snake case.

    An error that is not linnet's own is "other".
    """
    kind = error if isinstance(error, type) else type(error)
    if not issubclass(kind, errors.LinnetError):
        return OTHER
    return kind.status_name.removeprefix("LINNET_").lower() or snake_case(kind.__name__)


_ERRORS = tuple(
    sorted(error_name(getattr(errors, name)) for name in errors.__all__ if name.endswith("Error") and name[0].isupper())
)

LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "route": (
            "chat", "completions", "embeddings", "embed", "rerank", "predict", "similarity", "tokenize", "info",
            "pipeline", "infer", "models", "health", "metrics", "openapi",
        ),
        "status": tuple(
            "200 204 400 401 403 404 405 406 408 409 411 413 415 422 429 431 499 500 501 503 504 507".split()
        ),
        "refusal": (
            "queue_full", "too_large", "rate", "quota", "unauthorized", "forbidden", "timeout", "draining", "cancelled",
            "invalid", "memory",
        ),
        "error": _ERRORS,
        "stage": ("queue", "tokenize", "run", "decode", "total"),
        "length": _LENGTH_NAMES,
        "direction": ("input", "output"),
        "finish": ("stop", "length", "context", "cancelled"),
        "memory": ("resident", "peak", "model"),
        "feature": (
            "length", "unknown", "confidence", "labels",
            "axis_0", "axis_1", "axis_2", "axis_3", "axis_4", "axis_5", "axis_6", "axis_7",
        ),
        "statistic": ("psi", "ks", "chi_squared", "p_value", "sequential"),
        "severity": ("info", "warning", "critical"),
        "sink": ("json_lines", "opentelemetry"),
        "entity": (
            "email", "phone", "iban", "card", "ip", "mac", "date_of_birth", "national_id", "person", "place",
            "organization", "url",
        ),
    }
)  # fmt: skip
"""Values of the labels that have a closed list; any other value is counted as "other"."""

_SECONDS = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
_TOKENS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
_SHARES = tuple(number / 20 for number in range(1, 21))
_UNKNOWN = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_BATCH = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: name in the API and in snapshots.
        kind: counter, gauge or histogram.
        unit: unit as Prometheus writes it (seconds, bytes, celsius, ratio, tokens), or empty.
        labels: names of its labels.
        help: meaning, in one sentence.
        buckets: upper bounds of a histogram's buckets, each bound included; the last bucket has none.
        merge: how gauges of several sources become one: sum, max, min or last (the newest). Everything else is added.
        device: a device counts it too: ``linnet_stats`` of ``linnet.h``.
    """

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    merge: str = "sum"
    device: bool = False

    @property
    def exposed(self) -> str:
        """Name in Prometheus text, with the unit and the suffix of counters."""
        unit = f"_{self.unit}" if self.unit and not self.name.endswith(self.unit) else ""
        return f"linnet_{self.name}{unit}{'_total' if self.kind == 'counter' else ''}"


def _counter(name: str, labels: str, help: str, unit: str = "", device: bool = False) -> Metric:
    return Metric(name, "counter", unit, tuple(labels.split()), help, device=device)


def _gauge(name: str, labels: str, help: str, unit: str = "", merge: str = "sum") -> Metric:
    return Metric(name, "gauge", unit, tuple(labels.split()), help, merge=merge)


def _histogram(
    name: str, labels: str, help: str, buckets: tuple[float, ...], unit: str = "", device: bool = False
) -> Metric:
    return Metric(name, "histogram", unit, tuple(labels.split()), help, buckets, device=device)


METRICS: tuple[Metric, ...] = (
    # the service
    _counter("requests", "route status", "Requests that were answered, by route and HTTP status."),
    _histogram("request", "route", "Time from the first byte of a request to the last of its answer.", _SECONDS,
               "seconds"),
    _gauge("requests_in_flight", "", "Requests that are being answered."),
    _counter("refusals", "refusal", "Requests that were refused before a model ran, by reason."),
    _gauge("queue_length", "model", "Inputs that wait for a model."),
    _histogram("queue_wait", "model", "Time that an input waited for a model.", _SECONDS, "seconds"),
    _histogram("batch_size", "model", "Inputs of one run of a model.", _BATCH),
    _counter("masked", "entity", "Pieces of personal data that were masked, by type."),
    # the answers of a model
    _counter("inferences", "model", "Inputs that a model answered; a text in several windows counts once for each.",
             device=True),
    _counter("errors", "model error", "Errors of calls, by name.", device=True),
    _counter("tokens", "model direction", "Tokens that a model read and wrote.", device=True),
    _counter("unknown_tokens", "model", "Tokens read that the vocabulary does not have.", device=True),
    _counter("truncated", "model", "Inputs that were cut at the maximum length.", device=True),
    _histogram("text_length", "model", "Tokens of an input, special tokens included.", _TOKENS, "tokens", device=True),
    _histogram("unknown_share", "model", "Share of an input's tokens that the vocabulary does not have.", _UNKNOWN,
               "ratio"),
    _histogram("latency", "model stage length",
               "Time of a stage of an answer, by the input's length in tokens; a batch counts for each of its inputs.",
               _SECONDS, "seconds", device=True),
    _counter("labels", "model label", "Answers by their best class, or by the class of an entity.", device=True),
    _histogram("confidence", "model", "Score of the best answer, where scores are probabilities.", _SHARES, "ratio",
               device=True),
    _histogram("margin", "model", "Score of the best class less that of the second.", _SHARES, "ratio"),
    _counter("out_of_scope", "model", "Answers whose best class is the one for texts that belong to no other."),
    _histogram("time_to_first_token", "model", "Time from a prompt to the first token of a decoder.", _SECONDS,
               "seconds", device=True),
    _histogram("time_per_token", "model", "Time of each further token of a decoder.", _SECONDS, "seconds",
               device=True),
    _counter("completions", "model finish", "Completions of a decoder, by what ended them."),
    # drift and alerts
    _gauge("drift", "model feature statistic", "Difference of the last texts from the reference of the file.",
           merge="max"),
    _gauge("drift_detected", "model feature", "1 since the sequential rule told that a feature has changed.",
           merge="max"),
    _gauge("alerts_firing", "severity", "Alerts that fire."),
    # the machine
    _gauge("self_test", "model", "1 if the golden cases of the file were repeated on this machine, 0 if they differed.",
           merge="min"),
    _gauge("memory", "memory", "Memory of the process: now, at most, and of the models' files.", "bytes", "max"),
    _gauge("temperature", "", "Hottest sensor of the processor.", "celsius", "max"),
    _gauge("throttled", "", "1 if the processor is held back for its temperature or its power.", "", "max"),
    _counter("throttles", "", "Times the processor was held back since it was switched on."),
    _gauge("start_time", "", "When counting began, in seconds since 1970.", "seconds", "min"),
    # the registry itself
    _counter("export_failures", "sink", "Snapshots that could not be written or sent."),
    _counter("dropped", "", "Values that were not numbers, or came when the registry was full."),
)  # fmt: skip
"""Everything that linnet counts."""

BY_NAME: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in METRICS})
