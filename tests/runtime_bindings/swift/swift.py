"""Builds the Swift package that `linnet bundle` writes once, and runs its XCTest cases."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from linnet.assets import default_model
from linnet.cli import main as cli
from tests.conformance.runners import Counts, MissingReader
from tests.support.build_tools import build_tool

__all__ = ["EXECUTORCH", "PACKAGE", "build", "run_swift", "run_tests", "swift", "toolchain"]

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "build" / "swift" / "package"
EXECUTORCH = {"LINNET_EXECUTORCH": str(Path(__file__).parent / "executorch")}
"""Environment with the stand-in of ExecuTorch's Swift package."""


@functools.cache
def toolchain() -> ModuleType:
    """Return tools/swift_toolchain.py."""
    return build_tool("swift_toolchain")


def swift(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the compiler or one of its tools.

    Raises:
        MissingReader: it was never fetched (`make test-swift` does).
    """
    try:
        command = toolchain().command(*map(str, arguments), **environment)
    except toolchain().UnavailableError as error:
        raise MissingReader(str(error)) from error
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Tests that run side by side share one package."""
    with (ROOT / "build" / "swift" / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def package() -> Path:
    """Write the package with the model that comes with linnet, and compile it and its tests."""
    swift("--version")
    with _alone(), contextlib.redirect_stdout(sys.stderr):
        written = cli.main(["bundle", str(default_model()), "--target", "ios", "-o", str(PACKAGE)])
        assert written == 0
        build(PACKAGE, "--build-tests")
    return PACKAGE


def build(package: Path, *options: str) -> None:
    """Compile a package, warnings as errors, with a stand-in of ExecuTorch's Swift package."""
    built = swift("build", "--package-path", package, "-Xswiftc", "-warnings-as-errors", *options, **EXECUTORCH)
    assert built.returncode == 0, built.stdout[-6000:] + built.stderr[-4000:]


def run_tests(*names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run test cases of the package, all of them if none is named."""
    options = [part for name in names for part in ("--filter", name)]
    folder = package()
    with _alone():
        options = ["-Xswiftc", "-warnings-as-errors", *options]
        return swift("test", "--package-path", folder, *options, **EXECUTORCH, **environment)


def run_swift(cases: Path) -> Counts:
    """The Swift API over the cases of a file, as counts by kind."""
    counts = ROOT / "build" / "swift" / f"counts-{os.getpid()}.txt"
    counts.unlink(missing_ok=True)
    done = run_tests("ConformanceTests", LINNET_CASES=str(cases), LINNET_COUNTS=str(counts))
    assert counts.exists(), done.stdout[-4000:] + done.stderr[-4000:]
    rows = [line.split() for line in counts.read_text(encoding="utf-8").splitlines()]
    counts.unlink()
    found = {kind: (int(passed), int(failed)) for kind, passed, failed in rows}
    assert (done.returncode == 0) == (not any(failed for _, failed in found.values())), done.stdout[-4000:]
    return found
