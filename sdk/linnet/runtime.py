"""Interface to the compiled runtime: protocols of its classes, and the function that opens a file.

The SDK uses the runtime only through these protocols, so a test can use another runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from linnet.errors import BuildError, FileMissingError
from linnet.format.manifest import RawValue
from linnet.suggestions import similar_model

# the import of numpy takes longer than opening a model, and most answers do not need it
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from linnet_runtime import Constraint, Event
    from linnet_runtime import Encoding as CoreEncoding
    from linnet_runtime import Entity as CoreEntity
    from linnet_runtime import Proposal as CoreProposal
    from linnet_runtime import Task as CoreTask

__all__ = [
    "Constraint",
    "CoreEncoding",
    "CoreEntity",
    "CoreProposal",
    "CoreTask",
    "DecodableArray",
    "Encoding",
    "FloatArray",
    "GeneratingRuntime",
    "IntArray",
    "ProfilingRuntime",
    "Runtime",
    "TextState",
    "Tokenizer",
    "core",
    "open_runtime",
    "runtime_info",
    "verify_file",
]

FloatArray: TypeAlias = "npt.NDArray[np.float32]"
IntArray: TypeAlias = "npt.NDArray[np.int64]"

DecodableArray: TypeAlias = Any
"""A float32 output in the form that :class:`CoreTask` decodes, with or without a batch axis of 1.

It supports the buffer protocol, so memoryview and numpy can read it.
"""


class Encoding(Protocol):
    """One window of an encoded text; arrays have ``len(self)`` entries."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> IntArray:
        """Token ids, int64 [tokens]."""

    @property
    def type_ids(self) -> IntArray:
        """Token type ids: 0 in the first text, 1 in the second, int64 [tokens]."""

    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        """Text of each token: 0 first, 1 second, -1 for special tokens, int32 [tokens]."""

    @property
    def offsets(self) -> IntArray:
        """Start and end in code points of the original text, int64 [tokens, 2]."""

    @property
    def truncated(self) -> bool:
        """True if text was cut off that no other window contains."""


class Tokenizer(Protocol):
    """Tokenizer of a file: text to token ids."""

    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        max_length: int = 0,
        truncation: str = "longest_first",
        stride: int = -1,
        add_special_tokens: bool = True,
    ) -> Sequence[Encoding]:
        """Encode a text or a pair.

        Args:
            text: the first text.
            pair: the second text.
            max_length: largest number of tokens of a window, including special tokens; 0: no limit.
            truncation: never, longest_first or only_second, as in Hugging Face tokenizers.
            stride: overlap in tokens of consecutive windows, for a text with longest_first or a pair with only_second;
                -1: one window.
            add_special_tokens: add the special tokens of the model around the texts.

        Raises:
            InvalidTextError: a text cannot be written as UTF-8.
            TextTooLongError: the text has too many tokens, and truncation is off or not possible.
            InvalidArgumentError: ``max_length``, ``truncation`` or ``stride`` is invalid.
        """


class TextState(Protocol):
    """A text that a decoder writes, and what the model remembers of it: ``linnet_generation`` in ``linnet.h``."""

    @property
    def tokens(self) -> Sequence[int]:
        """Token ids so far."""

    @property
    def capacity(self) -> int:
        """Most tokens."""

    def append(self, ids: Sequence[int]) -> None:
        """Run tokens behind the others.

        Raises:
            ContextFullError: there is no room for all of them.
            CancelledError: :meth:`cancel` was called.
        """

    def score(self, ids: Sequence[int]) -> FloatArray:
        """Append tokens; return the logits behind each of them, float32 [tokens, vocabulary]."""

    def sample(self, **settings: Any) -> tuple[int, float]:
        """Return the next token and its log probability, without appending it; see ``_core.pyi``."""

    def logits(self) -> FloatArray:
        """Return the logits behind the last token, float32 [vocabulary]."""

    def set_lookup(self, tokens: int) -> None:
        """Let each later :meth:`append` of one token run up to ``tokens`` guessed ones in the same pass; 0: none.

        Raises:
            InvalidArgumentError: the file does not give the logits of so many in one pass.
        """

    @property
    def lookup(self) -> tuple[int, int]:
        """How many tokens were guessed so far, and how many of them were appended."""

    def rewind(self, length: int) -> None:
        """Forget all tokens from number ``length`` on."""

    def remove(self, start: int, count: int) -> None:
        """Forget ``count`` tokens from number ``start`` on, and run those behind them again.

        Raises:
            InvalidArgumentError: there are fewer.
            CancelledError: :meth:`cancel` was called; the tokens that ran are the text.
        """

    def fork(self) -> TextState:
        """Return a copy that goes on alone."""

    def save(self, path: str) -> None:
        """Write the text, and what the model remembers of it, to a file."""

    def cancel(self) -> None:
        """Stop the :meth:`append` of another thread before its next chunk."""


class Runtime(Protocol):
    """One open file."""

    @property
    def manifest(self) -> Mapping[str, RawValue]:
        """Manifest fields as raw values of the constant methods."""

    @property
    def evidence(self) -> str:
        """Evidence in the trailer, as JSON text."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Tokenizer of the file."""

    @property
    def task(self) -> CoreTask:
        """Decoder of the core, set up by the manifest: turns outputs into answers."""

    @property
    def methods(self) -> Sequence[str]:
        """Names of the inference methods: ``forward``, and if present ``forward_batch`` and ``forward_fused``."""

    def run(self, method: str, inputs: Sequence[IntArray]) -> Sequence[FloatArray]:
        """Run a method; the first axis of each output is the batch."""

    def run_encoding(self, encoding: CoreEncoding, names: Sequence[str]) -> Sequence[DecodableArray]:
        """Run ``forward`` on an encoding of :attr:`tokenizer`; ``names`` are its inputs in the order of the program."""

    def close(self) -> None:
        """Free the program and its memory."""


class GeneratingRuntime(Runtime, Protocol):
    """One open file that may be a decoder."""

    def generation(self, capacity: int = 0, path: str | None = None) -> TextState:
        """Make an empty text with room for ``capacity`` tokens (0: as many as the file can), or that of a file."""


class ProfilingRuntime(Runtime, Protocol):
    """One open file that can profile its runs."""

    def set_fused(self, fused: bool | None) -> None:
        """Choose whether ``forward`` runs ``forward_fused``: ``linnet_model_set_fused`` in ``linnet.h``."""

    def set_activation_bits(self, bits: int) -> None:
        """Choose the bits of rounded activations: ``linnet_model_set_activation_bits`` in ``linnet.h``."""

    def activation_bits(self) -> int:
        """Return the bits of rounded activations in ``forward_fused``, 7 or 8."""

    def set_profiling(self, on: bool) -> None:
        """Switch profiling on or off; the next run of each method loads the method again."""

    def profile(self) -> Sequence[Event]:
        """Return the events of all runs since the last call."""


def open_runtime(source: str | bytes, threads: int) -> ProfilingRuntime:
    """Open a file from its path (memory-mapped) or its bytes (copied).

    Raises:
        FileError: the file is missing, damaged or not a linnet file.
        BuildError: this build lacks what the program needs, or the compiled runtime is missing.
        ThreadsFixedError: the process already runs with another number of threads.
    """
    try:
        return cast(ProfilingRuntime, core().Model(source, threads=threads))
    except FileMissingError as error:
        raise FileMissingError(f"{error}{similar_model(str(source))}") from None


def core() -> ModuleType:
    """Return the compiled extension module.

    Raises:
        BuildError: the compiled runtime is missing.
    """
    try:
        from linnet_runtime import _core
    except ImportError as error:
        raise BuildError(
            f"the compiled part of linnet cannot be imported ({error}); "
            "install linnet from a wheel for this machine: pip install --force-reinstall WHEEL"
        ) from error
    return _core


def runtime_info() -> dict[str, str]:
    """Return properties of the compiled runtime: version, executorch, backends, cpu and so on.

    Raises:
        BuildError: the compiled runtime is missing.
    """
    return dict(core().runtime_info())


def verify_file(path: str) -> None:
    """Check the SHA-256 of the whole file.

    Raises:
        FileError: the file is missing or damaged.
        BuildError: the compiled runtime is missing.
    """
    try:
        core().verify_file(path)
    except FileMissingError as error:
        raise FileMissingError(f"{error}{similar_model(path)}") from None
