"""Watch of one model: what its answers tell, as counts of the model's share of the metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol

from linnet.format.manifest import Manifest
from linnet.monitoring.metrics import MOST_CLASSES, Metrics, class_name
from linnet.monitoring.table import error_name, length_bucket

if TYPE_CHECKING:
    from linnet.runtime import Encoding

__all__ = ["Features", "Watch", "model_name"]

_OUT_OF_SCOPE = frozenset({"oos", "out_of_scope", "out-of-scope", "out of scope", "none_of_the_above"})
_PROBABILITIES = frozenset({"softmax", "sigmoid"})


class Features(Protocol):
    """What takes the features of each input: a sketch, or a comparison with one."""

    def add(self, feature: str, value: float) -> None:
        """Take one value of a feature of :data:`linnet_monitor.drift.EDGES`."""

    def embedded(self, vector: Any) -> None:
        """Take an embedding, float32 [size] or [1, size]."""


class Watch:
    """Watch of one model; :meth:`linnet.Model.watch` makes one and calls it.

    Attributes:
        metrics: where the numbers go.
        name: value of the label ``model``.
        features: takes length, unknown tokens, confidence and class of each input; None: nobody does.
    """

    def __init__(self, metrics: Metrics, manifest: Manifest, name: str) -> None:
        """Register the model and its classes.

        Raises:
            InvalidArgumentError: the name has characters that no model's name has, or there are too many models.
        """
        metrics.register_model(name, manifest.labels)
        self.metrics, self.name = metrics, name
        self.features: Features | None = None
        self._unknown = manifest.unk_id
        self._classes = [class_name(number, label) for number, label in enumerate(manifest.labels[:MOST_CLASSES])]
        self._numbers = {label: number for number, label in enumerate(manifest.labels)}
        self._outside = {number for number, label in enumerate(manifest.labels) if label.lower() in _OUT_OF_SCOPE}
        self._scored = manifest.task != "text-classification" or manifest.score_function in _PROBABILITIES

    # -- inputs --------------------------------------------------------------------------------

    def encoded(self, encodings: Iterable[Encoding]) -> None:
        """Count inputs that a model answers, with their tokens."""
        metrics, name = self.metrics, self.name
        for encoding in encodings:
            length = len(encoding)
            metrics.count("inferences", model=name)
            metrics.count("tokens", length, model=name, direction="input")
            metrics.observe("text_length", length, model=name)
            unknown = 0
            if self._unknown >= 0 and length:
                unknown = encoding.ids.tolist().count(self._unknown)
                metrics.observe("unknown_share", unknown / length, model=name)
            if unknown:
                metrics.count("unknown_tokens", unknown, model=name)
            if encoding.truncated:
                metrics.count("truncated", model=name)
            if self.features is not None and length:
                self.features.add("length", length)
                self.features.add("unknown", unknown / length)

    def stage(self, stage: str, seconds: float, lengths: Sequence[int]) -> None:
        """Count the time of a stage once for each input that it worked on.

        Args:
            stage: queue, tokenize, run, decode or total.
            seconds: wall-clock time.
            lengths: tokens of the inputs.
        """
        for length in lengths:
            self.metrics.observe("latency", seconds, model=self.name, stage=stage, length=length_bucket(length))

    def error(self, error: BaseException) -> None:
        """Count an error by its name; one that passes here again, or was raised from one that did, is not counted."""
        cause: BaseException | None = error
        while cause is not None:
            if getattr(cause, "_linnet_counted", False):
                return
            cause = cause.__cause__
        error._linnet_counted = True  # type: ignore[attr-defined]
        self.metrics.count("errors", model=self.name, error=error_name(error))

    # -- answers -------------------------------------------------------------------------------

    def classified(self, best: int, score: float, second: float | None, *, probabilities: bool = True) -> None:
        """Count an answer by its best class.

        Args:
            best: index of the class.
            score: its score.
            second: score of the second class; None: there is one class.
            probabilities: the scores are from 0 to 1; others have no confidence.
        """
        self._label(best)
        if best in self._outside:
            self.metrics.count("out_of_scope", model=self.name)
        if probabilities and self._scored:
            self.confident(score)
            if second is not None:
                self.metrics.observe("margin", score - second, model=self.name)

    def tagged(self, entities: Iterable[tuple[str, float]]) -> None:
        """Count entities by label and score; a group ``PER`` counts as the class ``B-PER`` or ``I-PER``."""
        for label, score in entities:
            number = next((self._numbers[each] for each in (label, f"B-{label}", f"I-{label}")
                           if each in self._numbers), None)  # fmt: skip
            if number is not None:
                self._label(number)
            self.confident(score)

    def confident(self, score: float) -> None:
        """Count the score of a best answer, from 0 to 1."""
        self.metrics.observe("confidence", score, model=self.name)
        if self.features is not None:
            self.features.add("confidence", score)

    def _label(self, number: int) -> None:
        label = self._classes[number] if number < len(self._classes) else "other"
        self.metrics.count("labels", model=self.name, label=label)
        if self.features is not None:
            self.features.add("labels", number)

    def embedded(self, vector: Any) -> None:
        """Take an embedding, for the comparison with the reference of the file."""
        if self.features is not None:
            self.features.embedded(vector)

    # -- generation ----------------------------------------------------------------------------

    def prompted(self, tokens: int) -> None:
        """Count a prompt with those of its tokens that were computed."""
        self.metrics.count("inferences", model=self.name)
        self.metrics.count("tokens", tokens, model=self.name, direction="input")
        self.metrics.observe("text_length", tokens, model=self.name)

    def generated(self, seconds: float, *, first: bool) -> None:
        """Count one generated token, with the time that it took."""
        self.metrics.count("tokens", model=self.name, direction="output")
        self.metrics.observe("time_to_first_token" if first else "time_per_token", seconds, model=self.name)

    # -- other ---------------------------------------------------------------------------------

    def self_tested(self, passed: bool) -> None:
        """Set the result of the golden cases on this machine."""
        self.metrics.set("self_test", int(passed), model=self.name)


def model_name(path: str | None, wanted: str | None, manifest: Any) -> str:
    """Return the value of the label ``model``: the wanted name, else that of the file, else the task."""
    if wanted is not None:
        return wanted
    stem = PurePath(path).stem if path else manifest.task
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "._-") else "_" for each in stem)
    return kept.lstrip("._-")[:64] or str(manifest.task)
