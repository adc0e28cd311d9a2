"""Loading of linnet files: ``linnet.load`` with its settings, self-test and signature check."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.assets import default_model
from linnet.errors import FileDamagedError, GoldenMismatchError, InvalidArgumentError
from linnet.format.footer import file_identity
from linnet.model import Model
from linnet.runtime import Runtime, open_runtime
from linnet.self_test import is_wanted, run_self_test

if TYPE_CHECKING:
    from linnet.monitoring.metrics import Metrics

__all__ = ["MOST_THREADS", "load"]

MOST_THREADS = 1024
_MOST_SESSIONS = 64


def load(
    source: str | Path | bytes | None = None,
    *,
    threads: int = 0,
    sessions: int = 1,
    self_test: bool | None = None,
    fused: bool | None = None,
    activation_bits: int | None = None,
    profile: str | os.PathLike[str] | None = None,
    require_signature: str | Path | None = None,
    watch: Metrics | None = None,
) -> Model:
    """Load a linnet file; on its first load on a machine, check that its golden cases give the recorded outputs.

    Args:
        source: path of the file (mapped), or its bytes (copied); None: the model that linnet ships with, see
            :func:`linnet.default_model`.
        threads: number of threads of the whole process; the first model fixes it. 0: the fixed number, else all
            CPUs, or 1 with several sessions.
        sessions: number of texts of a list that run at the same time. Each session prepares the weights again, so
            memory grows with their number. For lists ``threads=1, sessions=n`` is faster than ``threads=n``
            (measured by ``make bench``, part encode). A single text uses one session. From ``threads=3`` on the
            sessions take turns.
        self_test: repeat golden cases of the file, unless they passed on this machine before. None: True, unless
            the environment variable LINNET_SELF_TEST is 0.
        fused: use linnet's custom kernels (``forward_fused``) if the file has them. None: where they are faster;
            False: run ``forward``, as a stock ExecuTorch runtime does.
        activation_bits: round activations to 8 or 7 bits in ``forward_fused``. None: 7 where the processor multiplies
            them faster and the proof of the file holds with them, else 8.
        profile: tuned setting of ``linnet tune``: the path of its file, or "auto" for the one stored for this file
            and machine, if there is one. It sets ``threads`` and ``fused`` unless they are given here, and binds
            the calling thread, and the threads that the first model starts, to its CPUs.
        require_signature: path of an Ed25519 public key (PEM) that must have signed the file. ``source`` must then
            be a path. Needs the extra ``sign``.
        watch: count what the model does, see :meth:`linnet.Model.watch`; a copy of the model is not watched.

    Raises:
        SignatureError: the file has no signature, or a signature by another key.
        GoldenMismatchError: the self-test failed: kernels, processor or emulator compute wrongly on this machine.
        FileError: the file is missing, damaged, too new or not a linnet file.
        BuildError: this build lacks a backend or an operator that the program needs.
        ThreadsFixedError: the process already runs with another number of threads.
        InvalidArgumentError: ``source``, ``threads``, ``sessions``, ``fused`` or ``activation_bits`` has an invalid
            value.
    """
    _check_settings(threads, sessions, fused, activation_bits)
    given = {
        "threads": threads, "sessions": sessions, "self_test": self_test, "fused": fused,
        "activation_bits": activation_bits, "profile": profile,
    }  # fmt: skip
    tested = is_wanted(self_test)
    opened, path = _source(default_model() if source is None else source)
    if require_signature is not None:
        opened = _signed(path, require_signature)
    if profile is not None:
        threads, fused = _tuned(opened, profile, threads, fused, sessions)
    model = _open(opened, path, threads, sessions, fused, activation_bits)
    identity = _identified(model, opened, tested=tested, watch=watch)
    if path is not None:
        key = None if require_signature is None else Path(require_signature).absolute()
        model.reopening = _reopen, (str(Path(path).absolute()), identity, {**given, "require_signature": key})
    return model


def _reopen(path: str, identity: str, settings: Mapping[str, Any]) -> Model:
    """Open the file of a copied or unpickled model again.

    Raises:
        FileDamagedError: the file at the path is another one than the model's.
    """
    model = load(path, **settings)
    if model.reopening is None or model.reopening[1][1] != identity:
        model.close()
        raise FileDamagedError(f"{path} is another file than when the model was loaded; load it again")
    return model


def _check_settings(threads: int, sessions: int, fused: bool | None, activation_bits: int | None) -> None:
    if isinstance(threads, bool) or not isinstance(threads, int) or not 0 <= threads <= MOST_THREADS:
        raise InvalidArgumentError(f"threads is {threads!r}, expected an int of 0 to {MOST_THREADS}")
    if isinstance(sessions, bool) or not isinstance(sessions, int) or not 1 <= sessions <= _MOST_SESSIONS:
        raise InvalidArgumentError(f"sessions is {sessions!r}, expected an int of 1 to {_MOST_SESSIONS}")
    if fused is not None and not isinstance(fused, bool):
        raise InvalidArgumentError(f"fused is {fused!r}, expected a bool or None")
    if activation_bits not in (None, 7, 8):
        raise InvalidArgumentError(f"activation_bits is {activation_bits!r}, expected 7, 8 or None")


def _source(source: str | Path | bytes) -> tuple[str | bytes, str | None]:
    """Return the path or the bytes for the runtime, and the path or None."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), None
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return path, path
    raise InvalidArgumentError(f"source is a {type(source).__name__}, expected a path or the file's bytes")


def _signed(path: str | None, key: str | Path) -> bytes:
    """Check the signature and return the checked bytes, since the file at the path could be replaced afterwards."""
    if path is None:
        raise InvalidArgumentError("require_signature needs the path of a file, not its bytes")
    from linnet.format.signature import read_signed

    return read_signed(path, key)


def _tuned(
    opened: str | bytes, profile: str | os.PathLike[str], threads: int, fused: bool | None, sessions: int
) -> tuple[int, bool | None]:
    from linnet.tuning import apply_profile  # rarely needed, and its import costs start-up time

    return apply_profile(opened, profile, threads=threads, fused=fused, sessions=sessions)


def _identified(model: Model, opened: str | bytes, *, tested: bool, watch: Metrics | None) -> str:
    """Return the identity of a model's file, after its self-test if that is wanted; close the model if it fails."""
    try:
        identity = file_identity(opened)
        if tested:
            run_self_test(model, identity)
    except BaseException as error:
        if watch is not None and isinstance(error, GoldenMismatchError):
            model.watch(watch).self_tested(False)
        model.close()
        raise
    if watch is not None:  # from here on: the self-test is no answer
        watching = model.watch(watch)
        if tested:
            watching.self_tested(True)
    return identity


def _open(
    source: str | bytes, path: str | None, threads: int, sessions: int, fused: bool | None, activation_bits: int | None
) -> Model:
    if sessions > 1 and threads == 0:
        threads = 1
    runtimes: list[Runtime] = []
    try:
        for _ in range(sessions):
            runtime = open_runtime(source, threads)
            runtimes.append(runtime)
            if fused is not None:
                runtime.set_fused(fused)
            if activation_bits is not None:
                runtime.set_activation_bits(activation_bits)
        return Model(runtimes[0], path=path, more=runtimes[1:])
    except BaseException:
        for opened in runtimes:
            opened.close()
        raise
