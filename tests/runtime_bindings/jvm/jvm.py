"""Builds linnet for the JVM once, and runs the Kotlin side of the tests."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from tests.conformance.runners import MissingReader
from tests.support.build_tools import build_tool

__all__ = ["java_command", "run_java"]

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "jvm"


def builder() -> ModuleType:
    """Return tools/build_jvm.py."""
    return build_tool("build_jvm")


@functools.cache
def java_command() -> tuple[str, ...]:
    """Return the command that runs tests/runtime_bindings/jvm/Main.kt, built now if its sources changed.

    Raises:
        MissingReader: there is no JDK, or the compiler was never fetched (`make test-jvm` does).
    """
    if shutil.which("java") is None or shutil.which("cc") is None:
        raise MissingReader("a JDK and a C compiler")
    if not list((BUILD / "kotlin").glob("*-all.jar")):
        raise MissingReader("the Kotlin compiler, which make test-jvm fetches")
    tool = builder()
    built = tool.build(BUILD)
    tests = tool.compile_kotlin(
        built["kotlin"], [ROOT / "tests" / "runtime_bindings" / "jvm"], BUILD / "tests.jar", built["jar"]
    )
    classpath = ":".join(map(str, [built["stdlib"], built["jar"], tests]))
    library = f"-Dlinnet.library.path={built['jni'].parent}"
    return ("java", library, "-cp", classpath, "tests.runtime_bindings.jvm.MainKt")


def run_java(*arguments: object, timeout: int = 300, options: Sequence[str] = ("-Xmx256m", "-Xcheck:jni")) -> list[str]:
    """Run Main.kt and return the lines that it prints; ``options`` are the JVM's."""
    java, *rest = java_command()
    command = [java, *options, *rest, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()
