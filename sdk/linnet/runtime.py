"""What the SDK needs of the compiled runtime, as protocols, and the one place that opens it.

Everything above this module works on these protocols, so a test can put another runtime in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from linnet.errors import BuildError
from linnet.format.manifest import RawValue

# numpy takes longer to import than a model to open, and most answers need none of it
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from linnet_runtime import Encoding as CoreEncoding
    from linnet_runtime import Entity as CoreEntity
    from linnet_runtime import Event
    from linnet_runtime import Proposal as CoreProposal
    from linnet_runtime import Task as CoreTask

__all__ = [
    "CoreEncoding",
    "CoreEntity",
    "CoreProposal",
    "CoreTask",
    "DecodableArray",
    "Encoding",
    "FloatArray",
    "IntArray",
    "ProfilingRuntime",
    "Runtime",
    "Tokenizer",
    "core",
    "open_runtime",
    "runtime_info",
    "verify_file",
]

FloatArray: TypeAlias = "npt.NDArray[np.float32]"
IntArray: TypeAlias = "npt.NDArray[np.int64]"

DecodableArray: TypeAlias = Any
"""An output as :class:`CoreTask` takes it: float32, perhaps with a batch axis of 1. A memoryview or numpy reads it."""


class Encoding(Protocol):
    """One window of an encoded text; arrays have ``len(self)`` entries."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> IntArray:
        """Token ids, int64 [tokens]."""

    @property
    def type_ids(self) -> IntArray:
        """0 in the first text, 1 in the second, int64 [tokens]."""

    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        """-1 special token, 0 first text, 1 second text, int32 [tokens]."""

    @property
    def offsets(self) -> IntArray:
        """Start and end in code points of the original text, int64 [tokens, 2]."""

    @property
    def truncated(self) -> bool:
        """True if text was left out that no other window holds."""


class Tokenizer(Protocol):
    """From text to token ids."""

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
        """Encode a text or a pair; ``max_length`` 0 means no bound."""


class Runtime(Protocol):
    """One opened file."""

    @property
    def manifest(self) -> Mapping[str, RawValue]:
        """Raw values of the constant methods."""

    @property
    def evidence(self) -> str:
        """JSON of the trailer."""

    @property
    def tokenizer(self) -> Tokenizer:
        """The file's tokenizer."""

    @property
    def task(self) -> CoreTask:
        """The manifest as the core's decoding reads it."""

    @property
    def methods(self) -> Sequence[str]:
        """Names of the methods that compute: ``forward``, perhaps ``forward_batch`` and ``forward_fused``."""

    def run(self, method: str, inputs: Sequence[IntArray]) -> Sequence[FloatArray]:
        """Run a method; each output has the batch axis first."""

    def run_encoding(self, encoding: CoreEncoding, names: Sequence[str]) -> Sequence[DecodableArray]:
        """Run ``forward`` on an encoding of :attr:`tokenizer`; ``names`` are the inputs in the program's order."""

    def close(self) -> None:
        """Free everything."""


class ProfilingRuntime(Runtime, Protocol):
    """One opened file whose runs can be profiled."""

    def set_fused(self, fused: bool | None) -> None:
        """Whether ``forward`` is the file's ``forward_fused``: ``linnet_model_set_fused`` in ``linnet.h``."""

    def set_profiling(self, on: bool) -> None:
        """Profile from now on, or no more; loaded methods are loaded again by their next run."""

    def profile(self) -> Sequence[Event]:
        """Return the events of all runs since the last call."""


def open_runtime(source: str | bytes, threads: int) -> ProfilingRuntime:
    """Open a file by path (mapped) or by its bytes (copied).

    Raises:
        FileError: the file is missing, damaged or not a linnet file.
        BuildError: this build lacks what the program needs, or the compiled runtime is missing.
        ThreadsFixedError: the process already runs with another number of threads.
    """
    return cast(ProfilingRuntime, core().Model(source, threads=threads))


def core() -> ModuleType:
    """Return the compiled module.

    Raises:
        BuildError: it is missing.
    """
    try:
        from linnet_runtime import _core
    except ImportError as error:
        raise _missing(error) from error
    return _core


def runtime_info() -> dict[str, str]:
    """Return facts about the compiled runtime: version, executorch, backends, cpu and so on.

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
    core().verify_file(path)


def _missing(error: ImportError) -> BuildError:
    return BuildError(
        f"the compiled part of linnet cannot be imported ({error}); "
        "install linnet from a wheel for this machine: pip install --force-reinstall linnet"
    )
