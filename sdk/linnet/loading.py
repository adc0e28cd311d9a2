"""Opening a linnet file: ``linnet.load``, its settings and the self-test."""

from __future__ import annotations

import os
from pathlib import Path

from linnet.assets import default_model
from linnet.errors import InvalidArgumentError
from linnet.format.footer import file_identity
from linnet.model import Model
from linnet.runtime import Runtime, open_runtime
from linnet.self_test import is_wanted, run_self_test

__all__ = ["load"]

_MOST_SESSIONS = 64


def load(
    source: str | Path | bytes | None = None,
    *,
    threads: int = 0,
    sessions: int = 1,
    self_test: bool | None = None,
    fused: bool | None = None,
    profile: str | os.PathLike[str] | None = None,
    require_signature: str | Path | None = None,
) -> Model:
    """Open a linnet file, and see once for each machine that it answers as the file was proven to.

    Args:
        source: path of the file (mapped), or its bytes (copied); None: the model that comes with linnet, see
            :func:`linnet.default_model`.
        threads: of the whole process, fixed by the first model; 0: the fixed number, or all CPUs; with several
            sessions 1.
        sessions: how many texts of a list run at the same time. Each session prepares the weights again, so
            memory grows with it; for lists ``threads=1, sessions=n`` is faster than ``threads=n`` (measured by
            ``make bench``, part encode). A single text runs on one. From ``threads=3`` on they take turns.
        self_test: repeat golden cases of the file unless they were repeated on this machine before; None:
            unless the environment variable LINNET_SELF_TEST is 0.
        fused: whether linnet's own operators (``forward_fused``) are used, if the file has them; None: where they
            are faster; False: what a stock ExecuTorch runtime computes.
        profile: what ``linnet tune`` found: a path, or "auto" for what it kept about this file and machine, if it
            did. Gives ``threads`` and ``fused`` where they are not given here, and binds the calling thread, and
            the threads that the first model starts, to its CPUs.
        require_signature: an Ed25519 public key (PEM file) that must have signed the file, which is then given as a
            path; needs ``pip install "linnet[sign]"``.

    Raises:
        SignatureError: the file has no signature, or not one of the required key.
        GoldenMismatchError: the self-test failed: kernels, processor or emulator are wrong here.
        FileError: the file is missing, damaged, too new or no linnet file.
        BuildError: this build lacks a backend or an operator that the program needs.
        ThreadsFixedError: the process already runs with another number of threads.
        InvalidArgumentError: ``source``, ``threads``, ``sessions`` or ``fused`` is something else.
    """
    _check_settings(threads, sessions, fused)
    tested = is_wanted(self_test)
    opened, path = _source(default_model() if source is None else source)
    if require_signature is not None:
        opened = _signed(path, require_signature)
    if profile is not None:
        threads, fused = _tuned(opened, profile, threads, fused, sessions)
    if sessions > 1 and threads == 0:
        threads = 1
    model = _open(opened, path, threads, sessions, fused)
    if tested:
        try:
            run_self_test(model, file_identity(opened))
        except BaseException:
            model.close()
            raise
    return model


def _check_settings(threads: int, sessions: int, fused: bool | None) -> None:
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise InvalidArgumentError(f"threads is {threads!r}, needed an int of at least 0")
    if isinstance(sessions, bool) or not isinstance(sessions, int) or not 1 <= sessions <= _MOST_SESSIONS:
        raise InvalidArgumentError(f"sessions is {sessions!r}, needed an int of 1 to {_MOST_SESSIONS}")
    if fused is not None and not isinstance(fused, bool):
        raise InvalidArgumentError(f"fused is {fused!r}, needed a bool or None")


def _source(source: str | Path | bytes) -> tuple[str | bytes, str | None]:
    """Return what the runtime opens, and its path if it has one."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), None
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return path, path
    raise InvalidArgumentError(f"source is a {type(source).__name__}, needed a path or the file's bytes")


def _tuned(
    source: str | bytes, profile: str | os.PathLike[str], threads: int, fused: bool | None, sessions: int
) -> tuple[int, bool | None]:
    """Return threads and attention from a profile, where they were not given; bind to its CPUs."""
    from linnet.tuning import apply_profile  # rarely needed, and costs start-up time

    return apply_profile(source, profile, threads=threads, fused=fused, sessions=sessions)


def _signed(path: str | None, key: str | Path) -> bytes:
    """Return the bytes that were checked: a path could name another file a moment later."""
    if path is None:
        raise InvalidArgumentError("require_signature needs the path of a file, not its bytes")
    from linnet.format.signature import read_signed

    return read_signed(path, key)


def _open(source: str | bytes, path: str | None, threads: int, sessions: int, fused: bool | None) -> Model:
    runtimes: list[Runtime] = []
    try:
        for _ in range(sessions):
            runtime = open_runtime(source, threads)
            runtimes.append(runtime)
            if fused is not None:
                runtime.set_fused(fused)
        return Model(runtimes[0], path=path, more=runtimes[1:])
    except BaseException:
        for each in runtimes:
            each.close()
        raise
