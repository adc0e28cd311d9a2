"""Bootstrap on a device without linnet: finds and stores files, builds the environment, starts the measurement.

The text of this module is sent through ``python -c``, so it imports only the standard library, and nothing of linnet
until linnet is installed there. After it, stdin has one line of JSON (``op`` and its arguments), then the bytes of a
file for ``put``; end of input means that the controlling host is gone. Events go to stdout, one JSON object a line.

Everything is stored below ``~/.cache/linnet/devices`` (or ``$XDG_CACHE_HOME/linnet/devices``) on the device::

    files/<sha256>.pte        measured files
    wheels/<name>             wheels waiting to be installed into an environment
    environments/<key>/       linnet and its dependencies, one for each wheel and Python
    lock                      held while an environment is built or something is measured
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__: list[str] = []

KEPT = 3  # number of environments and files of earlier measurements to keep, the last used ones
GRACE_SECONDS = 10.0  # time to end by itself once the controlling host is gone
PIECE = 1 << 18


class Refusal(Exception):
    """A request failed; the host raises the error class of that name from ``linnet.errors``."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def base() -> Path:
    """Return the folder of all files that linnet stores on this machine when it is used as a device."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "linnet" / "devices"


# ---- one function for each request ---------------------------------------------------------------------------


def look(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Report which files and environments are here already."""
    folder = base()
    folder.mkdir(parents=True, exist_ok=True)
    emit(
        event="found",
        base=str(folder),
        environment=(folder / "environments" / request["environment"] / "ready").exists(),
        files=[(folder / "files" / name).exists() for name in request["files"]],
        free=shutil.disk_usage(folder).free,
    )


def put(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Store the file that follows on stdin; it gets its name only when it is complete."""
    target = base() / request["name"]
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock(), unfinished(target) as aside:
        digest = hashlib.sha256()
        with aside.open("wb") as file:
            for piece in pieces(stdin, request["size"]):
                file.write(piece)
                digest.update(piece)
        if digest.hexdigest() != request["sha256"]:
            raise Refusal("DeviceError", f"{request['name']} did not arrive whole; try again")
        aside.replace(target)
    emit(event="stored")


def install(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Build an environment from wheels that are here, and from the package index for the rest."""
    watch(stdin)
    folder = base() / "environments" / request["environment"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(), unfinished(folder) as aside:
        site = aside / "site"
        for name in request["wheels"]:
            with zipfile.ZipFile(base() / "wheels" / name) as archive:
                archive.extractall(site)
        if request["needs"]:
            emit(event="progress", text=f"installing {', '.join(request['needs'])}")
            pip_install(request["needs"], site, aside)
        try_out(site)
        (aside / "ready").touch()
        aside.replace(folder)  # one rename: an environment is complete or does not exist
        for name in request["wheels"]:
            (base() / "wheels" / name).unlink()
        forget(folder.parent)
    emit(event="installed")


def run(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Run a job with the linnet that was installed here."""
    environment = base() / "environments" / request["environment"]
    files = [base() / "files" / name for name in request["files"]]
    # mark as used before forget() removes what was used least recently
    for used in (environment / "ready", *files):
        used.touch()
    forget(base() / "files", max(KEPT, len(files)))
    site = str(environment / "site")
    os.environ["PYTHONPATH"] = site  # for the measured processes
    sys.path.insert(0, site)
    with lock():
        watch(stdin)
        from linnet_bench.remote.agent import run_job

        run_job(files, request["job"], emit)


def here(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Run a job on files in place, with the linnet that this module belongs to."""
    base().mkdir(parents=True, exist_ok=True)
    with lock():
        watch(stdin)
        from linnet_bench.remote.agent import run_job

        run_job([Path(path) for path in request["paths"]], request["job"], emit)


def clean(request: Mapping[str, Any], stdin: BinaryIO, emit: Callable[..., None]) -> None:
    """Remove everything that linnet stored on this machine."""
    folder = base()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0
    if folder.exists():
        with lock():
            shutil.rmtree(folder)
    emit(event="cleaned", bytes=size)


OPERATIONS: Mapping[str, Callable[..., None]] = {
    "look": look, "put": put, "install": install, "run": run, "here": here, "clean": clean,
}  # fmt: skip


# ---- helpers of the requests ---------------------------------------------------------------------------------


def pieces(stdin: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes of ``stdin`` in pieces."""
    while size:
        piece = stdin.read(min(size, PIECE))
        if not piece:
            raise Refusal("DeviceError", "the connection ended in the middle of a file")
        size -= len(piece)
        yield piece


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; remove what is left there at the end."""
    for old in target.parent.glob(f".{target.name}.*"):  # left by a machine that was switched off
        discard(old)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield aside / target.name
    finally:
        discard(aside)


def discard(path: Path) -> None:
    """Remove a file or a folder."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def forget(folder: Path, kept: int = KEPT) -> None:
    """Remove all but the ``kept`` last used files or environments of a folder."""

    def used(path: Path) -> float:
        ready = path / "ready"
        return (ready if ready.exists() else path).stat().st_mtime

    for old in sorted((path for path in folder.iterdir() if path.name[0] != "."), key=used)[:-kept]:
        discard(old)


def pip_install(needs: Sequence[str], site: Path, work: Path) -> None:
    """Install with this Python's pip, or with that of a virtual environment made for it.

    --target, because a system's Python may be marked as managed by its distribution (PEP 668).
    """
    python = sys.executable
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        made = subprocess.run([python, "-m", "venv", str(work / "venv")], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Refusal(
                "DeviceUnsuitableError",
                f"{python} has neither pip nor venv to install {', '.join(needs)}: "
                "on Debian or Raspberry Pi OS: sudo apt install python3-venv",
            )
        python = str(work / "venv" / "bin" / "python")
    options = ["--disable-pip-version-check", "-q", "install", "--target", str(site), "--only-binary", ":all:"]
    done = subprocess.run([python, "-m", "pip", *options, *needs], capture_output=True, text=True, check=False)
    shutil.rmtree(work / "venv", ignore_errors=True)
    if done.returncode != 0:
        told = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        if os.strerror(errno.ENOSPC) in told:
            raise OSError(errno.ENOSPC, told)
        raise Refusal(
            "DeviceUnsuitableError",
            f"pip could not install {', '.join(needs)} there: {told}. Without a network there: on this machine "
            f"`{download_line(needs)}`, then give --wheel wheels too",
        )


def download_line(needs: Sequence[str]) -> str:
    """Return the pip line that fetches the wheels for this machine on another one."""
    version = f"{sys.version_info[0]}{sys.version_info[1]}"
    glibc = (os.confstr("CS_GNU_LIBC_VERSION") or "glibc 2.28").split()[-1].split(".")
    platforms = " ".join(
        f"--platform manylinux_2_{minor}_{os.uname().machine}" for minor in (28, 17) if int(glibc[1]) >= minor
    )
    quoted = " ".join(f"'{need}'" for need in needs)
    return f"pip download --only-binary :all: {platforms} --python-version {version} -d wheels {quoted}"


def try_out(site: Path) -> None:
    """Import what was installed, which also compiles its bytecode."""
    code = "import numpy, linnet_runtime; from linnet_bench.remote.agent import run_job; linnet_runtime.runtime_info()"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise Refusal(
            "DeviceUnsuitableError",
            f"linnet was unpacked there and does not run: {told}. "
            "The wheel may be older than this linnet or made for another machine: build it again",
        )


@contextmanager
def lock() -> Iterator[None]:
    """Hold the device exclusively for this process; the system releases the lock when the process ends."""
    # "a+" and not "w": the owner's line must not be lost before the lock is taken
    with (base() / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Refusal(
                "DeviceError",
                f"another linnet bench is at work there ({file.read().strip() or 'starting'}): "
                "two at once would disturb each other, wait for its end",
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        file.flush()
        yield
        file.truncate(0)


def watch(stdin: BinaryIO) -> None:
    """Stop as on Ctrl-C when the controlling host disconnects; kill this process after a grace period."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(stdin.fileno(), PIECE):  # not stdin.read, whose lock would still be held at interpreter exit
                pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(GRACE_SECONDS)
        # in a session of its own: kill the measured processes too
        if os.getpgrp() == os.getsid(0):
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    # a closed login (SIGHUP) and SIGTERM end the measurement as Ctrl-C does
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    threading.Thread(target=wait, daemon=True).start()


def teller(events: int) -> Callable[..., None]:
    """Return a function that writes an event to the file descriptor ``events`` as one whole line of JSON."""
    held = {signal.SIGINT, signal.SIGHUP, signal.SIGTERM}

    def emit(**event: Any) -> None:
        line = memoryview(json.dumps(event).encode() + b"\n")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)  # a signal in the middle would leave a partial line
        try:
            while line:
                line = line[os.write(events, line) :]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    return emit


def explain(error: OSError) -> str:
    """Return what to do about an error of the file system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(Path.home()).free if Path.home().exists() else 0
        with suppress(OSError):
            free = shutil.disk_usage(base()).free
        return f"the disk is full there: {free / 1e6:.1f} MB free for {base()}; make room, or use --clean-device"
    return f"{base()} cannot be used there: {error}"


def main() -> int:
    """Run the request from stdin."""
    sys.stdout.flush()
    emit = teller(os.dup(1))
    os.dup2(2, 1)  # other output of this process must not mix with the events
    stdin = sys.stdin.buffer
    try:
        request = json.loads(stdin.readline())
        OPERATIONS[request["op"]](request, stdin, emit)
        emit(event="done")
    except Refusal as error:
        emit(event="failed", name=error.name, message=str(error))
    except (BrokenPipeError, KeyboardInterrupt):
        return 130
    except OSError as error:
        emit(event="failed", name="DeviceError", message=explain(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
