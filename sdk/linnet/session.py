"""Inference session: encodes texts, runs them sorted by length, and returns results in the order of the call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from linnet.errors import InvalidArgumentError, InvalidTextError, ManifestInvalidError, TextTooLongError
from linnet.format.manifest import Manifest
from linnet.inputs import TextInput
from linnet.parallel_map import parallel_map
from linnet.prompt_tokens import count_prompt_tokens
from linnet.runtime import (
    DecodableArray,
    Encoding,
    FloatArray,
    GeneratingRuntime,
    IntArray,
    Runtime,
    TextState,
)
from linnet.tokenization import OpenedTokenizer, Vocabulary, open_tokenizer
from linnet.tokenization.truncation import warn_truncated

if TYPE_CHECKING:
    from linnet.runtime import Constraint, CoreEncoding, CoreTask

__all__ = ["Outputs", "RunOptions", "Session"]

Outputs: TypeAlias = dict[str, FloatArray]
"""Outputs of one text by name, float32, without the batch axis."""

T = TypeVar("T")
Ran = TypeVar("Ran")

_KEPT_CONSTRAINTS = 8
# outputs with one row per token; "logits" has a token axis for the tasks below only
_TOKEN_OUTPUTS = frozenset({"start_logits", "end_logits", "token_embeddings"})
_TOKEN_TASKS = frozenset({"fill-mask", "token-classification"})
# inputs that the core can read from an encoding of its own tokenizer
_ENCODED_INPUTS = frozenset({"input_ids", "token_type_ids"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a call that all tasks share.

    Attributes:
        batch_size: largest number of texts in one run; None: the largest batch of the file, or 1 if it has no
            batch method. Larger values are reduced to the largest batch of the file.
        truncation: if False, a text over the maximum length of the file is an error.
    """

    batch_size: int | None = None
    truncation: bool = True

    def __post_init__(self) -> None:
        size = self.batch_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise InvalidArgumentError(f"batch_size is {size!r}, expected an int of at least 1")
        if not isinstance(self.truncation, bool):
            raise InvalidArgumentError(f"truncation is {self.truncation!r}, expected True or False")


class Session:
    """Tokenization and inference on one open file, without decoding of answers.

    Attributes:
        manifest: the manifest of the file.
    """

    def __init__(self, runtime: Runtime, manifest: Manifest, more: Sequence[Runtime] = ()) -> None:
        """Create a session for an open file.

        Args:
            runtime: the open file; it runs single texts.
            manifest: the manifest of the file.
            more: further runtimes with the same file; lists are distributed over all runtimes, one thread for each.
        """
        self._runtime = runtime
        self._runtimes = (runtime, *more)
        self._constraints: dict[tuple[str, tuple[str, ...]], Constraint] = {}
        self.manifest = manifest

    @cached_property
    def _opened_tokenizer(self) -> OpenedTokenizer:
        return open_tokenizer(self._runtime, self.manifest)

    @property
    def tokenizer(self) -> OpenedTokenizer:
        """Tokenizer of the file, opened on first use.

        Raises:
            BuildError: this build does not support the file's kind of tokenizer, or lacks a package for it.
            TokenizerInvalidError: the tokenizer bytes cannot be parsed.
            InvalidArgumentError: the model is closed.
        """
        _ = self._runtime.methods  # raises if the model is closed, also if the tokenizer is not part of the runtime
        return self._opened_tokenizer

    @property
    def vocabulary(self) -> Vocabulary:
        """Vocabulary of the tokenizer; raises the same errors as :attr:`tokenizer`."""
        return self.tokenizer.vocabulary

    # -- text to tokens ------------------------------------------------------------------------

    def encode(self, item: TextInput, *, truncation: str = "longest_first") -> Encoding:
        """Encode a text or a pair to one window of at most ``manifest.max_length`` tokens.

        Raises:
            TextTooLongError: the text is over the maximum length, and ``truncation`` is "never" or not possible.
        """
        return self.windows(item, truncation=truncation, max_length=self.manifest.max_length, stride=-1)[0]

    def windows(self, item: TextInput, *, truncation: str, max_length: int, stride: int) -> Sequence[Encoding]:
        """Encode a text or a pair to as many windows as it needs (see ``linnet.h``)."""
        if item.pair is not None and self.manifest.refuses_pairs:
            raise InvalidArgumentError("got a pair, this file takes single texts: its original fails on every pair")
        return self.tokenizer.encode(item.text, item.pair, max_length=max_length, truncation=truncation, stride=stride)

    def words(self, encoding: Encoding) -> IntArray:
        """Return the number of each token's word within its text, -1 for special tokens: int64 [tokens]."""
        return self.tokenizer.words(encoding)

    def pieces(self, item: TextInput) -> Encoding:
        """Encode a text or a pair without special tokens and without truncation."""
        return self.tokenizer.encode(item.text, item.pair, add_special_tokens=False)[0]

    def prompt_tokens(self, prompt: str) -> int:
        """Return how many tokens of a text behind this prompt are not pooled; 0 if the program pools all of them."""
        if not prompt or "pooling_mask" not in self.manifest.inputs:
            return 0
        encoding = self.encode(TextInput(prompt))
        special = self.manifest.special_ids.values()
        return count_prompt_tokens(encoding.ids.tolist(), encoding.sequence_ids.tolist(), special)

    def encode_all(self, items: Sequence[TextInput], *, truncation: bool, strategy: str) -> list[Encoding]:
        """Encode each item to one window; one warning lists the positions of all truncated items.

        Raises:
            TextTooLongError: ``truncation`` is False and a text is over the maximum length.
            InvalidTextError: a text cannot be written as UTF-8. Of several texts, the messages have the position.
        """
        used = strategy if truncation else "never"
        encodings = self.for_each(items, lambda item: self.encode(item, truncation=used))
        cut = [index for index, encoding in enumerate(encodings) if encoding.truncated]
        warn_truncated(cut, len(items), self.manifest.max_length)
        return encodings

    def for_each(self, items: Sequence[TextInput], encode: Callable[[TextInput], T]) -> list[T]:
        """Return ``encode(item)`` of each item; of several, an error about one has its position."""
        results = []
        for index, item in enumerate(items):
            try:
                results.append(encode(item))
            except (InvalidTextError, TextTooLongError) as error:
                if len(items) == 1:
                    raise
                raise type(error)(f"inputs[{index}]: {error}") from error
        return results

    def new_text(self, capacity: int = 0, path: str | None = None) -> TextState:
        """Make an empty text of a decoder, or read a saved one.

        Args:
            capacity: most tokens; 0: as many as the file can.
            path: file that :meth:`linnet.runtime.TextState.save` wrote.

        Raises:
            InvalidArgumentError: the file generates no text, or cannot have so many tokens.
            StateInvalidError: the saved text is damaged, or belongs to another model.
        """
        return cast("GeneratingRuntime", self._runtime).generation(capacity, path)

    def constraint(self, kind: str, texts: tuple[str, ...]) -> Constraint:
        """Return a constraint of generated texts, at its beginning; the last ones are kept.

        Args:
            kind: ``regex``, ``json_schema`` or ``choices``.
            texts: the expression, the schema as JSON, or the choices.

        Raises:
            InvalidArgumentError: it is not supported, too large, or cannot be written with the file's vocabulary.
        """
        kept = self._constraints.pop((kind, texts), None)
        made = self.task.constraint(kind, texts) if kept is None else kept
        self._constraints[kind, texts] = made
        for oldest in list(self._constraints)[:-_KEPT_CONSTRAINTS]:
            self._constraints.pop(oldest, None)
        return made.fork()

    # -- outputs to answers --------------------------------------------------------------------

    @cached_property
    def task(self) -> CoreTask:
        """Decoder of the core, which turns outputs into answers; it is the same in every language.

        Raises:
            ManifestInvalidError: fields of the manifest contradict each other.
        """
        return self._runtime.task

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None = None) -> CoreEncoding:
        """Convert an encoding to the form of the core. A text that is not part of the answer may be None."""
        return self.tokenizer.decodable(encoding, text, pair)

    # -- tokens to outputs ---------------------------------------------------------------------

    def map(
        self,
        encodings: Sequence[Encoding],
        handle: Callable[[int, Outputs], T],
        *,
        batch_size: int | None = None,
        prompt_tokens: int = 0,
    ) -> list[T]:
        """Run all encodings sorted by length; return ``handle(position, outputs)`` of each in the order of the call.

        ``handle`` is called for each text directly after its run, so that only results stay in memory.
        ``prompt_tokens`` is the number of first tokens that are not pooled.
        """
        return self._share(encodings, partial(self._run, prompt_tokens=prompt_tokens), handle, batch_size)

    def decode(
        self,
        encodings: Sequence[Encoding],
        handle: Callable[[int, Sequence[DecodableArray]], T],
        *,
        batch_size: int | None = None,
    ) -> list[T]:
        """Run like :meth:`map`, with outputs as :attr:`task` reads them: in manifest order, with a batch axis of 1.

        A single text with a tokenizer of the core does not import numpy.
        """
        return self._share(encodings, self._run_for_decoding, handle, batch_size)

    def _share(
        self,
        encodings: Sequence[Encoding],
        run: Callable[[Sequence[Encoding], Runtime], Sequence[Ran]],
        handle: Callable[[int, Ran], T],
        batch_size: int | None,
    ) -> list[T]:
        groups = _groups([len(encoding) for encoding in encodings], self._batch(batch_size))
        results: dict[int, T] = {}

        def work(runtime: Runtime, group: Sequence[int]) -> Callable[[], None]:
            outputs = run([encodings[index] for index in group], runtime)

            def keep() -> None:
                for index, output in zip(group, outputs, strict=True):
                    results[index] = handle(index, output)

            return keep

        parallel_map(self._runtimes, groups, work)
        return [results[index] for index in range(len(encodings))]

    def run(self, encoding: Encoding, prompt_tokens: int = 0) -> Outputs:
        """Run ``forward`` on one encoding; a decoder gives the logits behind each token."""
        if self.manifest.cache_layers:
            return {"logits": self.new_text(len(encoding)).score([int(token) for token in encoding.ids])}
        return self._run([encoding], self._runtime, prompt_tokens)[0]

    def _batch(self, wanted: int | None) -> int:
        largest = self.manifest.max_batch if "forward_batch" in self._runtime.methods else 1
        return max(1, min(largest, largest if wanted is None else wanted))

    def _run(self, group: Sequence[Encoding], runtime: Runtime, prompt_tokens: int = 0) -> list[Outputs]:
        if len(group) == 1:
            names, method = self.manifest.inputs, "forward"
        else:
            names, method = self.manifest.batch_inputs, "forward_batch"
        arrays = runtime.run(method, [self._input(name, group, prompt_tokens) for name in names])
        self._check_count(arrays, method)
        named = dict(zip(self.manifest.outputs, arrays, strict=True))
        return [self._row(named, row, len(encoding)) for row, encoding in enumerate(group)]

    def _run_for_decoding(self, group: Sequence[Encoding], runtime: Runtime) -> list[Sequence[DecodableArray]]:
        direct = self.manifest.has_core_tokenizer and _ENCODED_INPUTS.issuperset(self.manifest.inputs)
        if len(group) > 1 or not direct:
            return [[named[name][None] for name in self.manifest.outputs] for named in self._run(group, runtime)]
        outputs = runtime.run_encoding(cast("CoreEncoding", group[0]), self.manifest.inputs)
        self._check_count(outputs, "forward")
        return [outputs]

    def _check_count(self, outputs: Sequence[DecodableArray], method: str) -> None:
        if len(outputs) != len(self.manifest.outputs):
            raise ManifestInvalidError(
                f"{method} gave {len(outputs)} outputs, the manifest names {', '.join(self.manifest.outputs)}"
            )

    def _input(self, name: str, group: Sequence[Encoding], prompt_tokens: int) -> IntArray:
        import numpy as np

        readers: Mapping[str, tuple[Callable[[Encoding], IntArray], int]] = {
            "input_ids": (lambda encoding: encoding.ids, max(self.manifest.pad_id, 0)),
            "token_type_ids": (lambda encoding: encoding.type_ids, 0),
            "pooling_mask": (lambda encoding: (np.arange(len(encoding)) >= prompt_tokens).astype(np.int64), 0),
            "attention_mask": (lambda encoding: np.ones(len(encoding), dtype=np.int64), 0),
        }
        if name not in readers:
            raise ManifestInvalidError(f"the program wants {name!r}, this linnet gives {', '.join(readers)}")
        read, padding = readers[name]
        array = np.full((len(group), max(map(len, group))), padding, dtype=np.int64)
        for row, encoding in enumerate(group):
            array[row, : len(encoding)] = read(encoding)
        return array

    def _row(self, named: Mapping[str, FloatArray], row: int, length: int) -> Outputs:
        return {
            name: array[row, :length] if self._has_token_axis(name) else array[row] for name, array in named.items()
        }

    def _has_token_axis(self, name: str) -> bool:
        return name in _TOKEN_OUTPUTS or self.manifest.task in _TOKEN_TASKS


def _groups(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Return positions sorted by length, in groups of ``size``.

    Texts of similar length in one group need little padding, and the runtime seldom plans for a new length.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[start : start + size] for start in range(0, len(order), size)]
