"""Session of a watched model: inference that calls the watch at each stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from linnet.errors import LinnetError
from linnet.inputs import TextInput
from linnet.monitoring.watch import Watch
from linnet.runtime import Encoding, Runtime, TextState
from linnet.session import Outputs, Session

if TYPE_CHECKING:
    from linnet.runtime import CoreTask

__all__ = ["WatchedSession"]

T = TypeVar("T")
Ran = TypeVar("Ran")


class WatchedSession(Session):
    """A session that tells a watch what it does; a session without a watch has none of this code in its way.

    Attributes:
        watch: the watch.
    """

    def __init__(self, runtime: Runtime, manifest: Any, more: Sequence[Runtime], watch: Watch) -> None:
        super().__init__(runtime, manifest, more)
        self.watch = watch

    def windows(self, item: TextInput, *, truncation: str, max_length: int, stride: int) -> Sequence[Encoding]:
        """Encode like :meth:`Session.windows`, and count the time."""
        start = perf_counter()
        with self._errors():
            windows = super().windows(item, truncation=truncation, max_length=max_length, stride=stride)
        self.watch.stage("tokenize", perf_counter() - start, [max(map(len, windows), default=0)])
        return windows

    def run(self, encoding: Encoding, prompt_tokens: int = 0) -> Outputs:
        """Run like :meth:`Session.run`, and count the input and the time."""
        self.watch.encoded([encoding])
        start = perf_counter()
        with self._errors():
            outputs = super().run(encoding, prompt_tokens)
        self.watch.stage("run", perf_counter() - start, [len(encoding)])
        return outputs

    def new_text(self, capacity: int = 0, path: str | None = None) -> TextState:
        """Make a text like :meth:`Session.new_text`, whose tokens are counted."""
        with self._errors():
            return cast("TextState", _WatchedText(super().new_text(capacity, path), self.watch))

    @cached_property
    def task(self) -> CoreTask:
        """Decoder of the core, whose answers are counted."""
        return cast("CoreTask", _WatchedTask(self._runtime.task, self.watch))

    def _share(
        self,
        encodings: Sequence[Encoding],
        run: Callable[[Sequence[Encoding], Runtime], Sequence[Ran]],
        handle: Callable[[int, Ran], T],
        batch_size: int | None,
    ) -> list[T]:
        watch = self.watch
        watch.encoded(encodings)

        def timed(group: Sequence[Encoding], runtime: Runtime) -> Sequence[Ran]:
            start = perf_counter()
            outputs = run(group, runtime)
            watch.stage("run", perf_counter() - start, [len(encoding) for encoding in group])
            return outputs

        def handled(index: int, output: Ran) -> T:
            start = perf_counter()
            result = handle(index, output)
            watch.stage("decode", perf_counter() - start, [len(encodings[index])])
            self._embedded(output)
            return result

        with self._errors():
            return super()._share(encodings, timed, handled, batch_size)

    def _embedded(self, output: object) -> None:
        """Give the embedding of an input to the comparison with the reference, if there is one."""
        if self.watch.features is None or "embedding" not in self.manifest.outputs:
            return
        place = self.manifest.outputs.index("embedding")
        vector = output["embedding"] if isinstance(output, dict) else cast("Sequence[Any]", output)[place]
        self.watch.embedded(vector)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (LinnetError, MemoryError) as error:
            self.watch.error(error)
            raise


class _WatchedTask:
    """The core's decoder of outputs, whose answers a watch counts."""

    def __init__(self, task: CoreTask, watch: Watch) -> None:
        self._task, self._watch = task, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def classes(self, logits: Any, *, top_k: int = 0, score_function: str = "") -> Sequence[Any]:
        """Return the classes, best first; two are read to know the margin."""
        scored = self._task.classes(logits, top_k=top_k and max(top_k, 2), score_function=score_function)
        if scored:
            second = scored[1].score if len(scored) > 1 else None
            usual = score_function != "none"
            self._watch.classified(scored[0].label_index, scored[0].score, second, probabilities=usual)
        return scored[: top_k or None]

    def entities(self, *given: Any, **options: Any) -> Sequence[Any]:
        """Return the entities of a window."""
        entities = self._task.entities(*given, **options)
        self._watch.tagged((entity.label, entity.score) for entity in entities)
        return entities

    def spans(self, *given: Any, **options: Any) -> Sequence[Any]:
        """Return the answers to a question, best first."""
        spans = self._task.spans(*given, **options)
        if spans:
            self._watch.confident(spans[0].score)
        return spans

    def masks(self, *given: Any, **options: Any) -> Sequence[Any]:
        """Return the proposals for each mask, best first."""
        proposals = self._task.masks(*given, **options)
        best = {proposal.index: proposal.score for proposal in reversed(proposals)}
        for score in best.values():
            self._watch.confident(score)
        return proposals


class _WatchedText:
    """A decoder's text, whose tokens a watch counts with their time."""

    def __init__(self, text: TextState, watch: Watch) -> None:
        self._text, self._watch = text, watch
        self._first, self._spent = True, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._text, name)

    def append(self, ids: Sequence[int]) -> None:
        """Run tokens behind the others; before the first generated one they are the prompt."""
        start = perf_counter()
        try:
            self._text.append(ids)
        except LinnetError as error:
            self._watch.error(error)
            raise
        self._spent += perf_counter() - start
        if self._first and len(ids):
            self._watch.prompted(len(ids))

    def rewind(self, length: int) -> None:
        """Forget tokens; what comes next is another prompt."""
        self._text.rewind(length)
        self._first, self._spent = True, 0.0

    def sample(self, **settings: Any) -> tuple[int, float]:
        """Return the next token; the time since the last one counts without that of the reader."""
        start = perf_counter()
        drawn = self._text.sample(**settings)
        self._watch.generated(self._spent + perf_counter() - start, first=self._first)
        self._first, self._spent = False, 0.0
        return drawn

    def fork(self) -> TextState:
        """Return a copy that goes on alone."""
        return cast("TextState", _WatchedText(self._text.fork(), self._watch))
