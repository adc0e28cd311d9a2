"""What only Android runs, compiled against the real interfaces: Android's classes and jni.h, ExecuTorch's classes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.runners import MissingReader
from tests.runtime_bindings.jvm.jvm import BUILD, ROOT, builder, java_command
from tests.support.build_tools import build_tool

ANDROID = ROOT / "runtime_bindings" / "jvm" / "android"
JNI = ROOT / "runtime_bindings" / "jvm" / "jni"
STRICT = ("-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")


@pytest.fixture(scope="module")
def found() -> Any:
    """The interfaces, once `make test-jvm` has fetched them."""
    interfaces = build_tool("android_interfaces").interfaces(BUILD / "android")
    if not interfaces.complete:
        pytest.skip("needs Android's interfaces, which make test-jvm fetches")
    return interfaces


def compile_android(found: Any, output: Path, *sources: Path) -> None:
    """Compile without the desktop's Java classes, so that nothing is taken that Android does not have."""
    try:
        java_command()
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")
    compiler, _ = builder().fetch_compiler(BUILD / "kotlin")  # which has kotlinx-coroutines in it
    libraries = (BUILD / "linnet.jar", found.executorch, found.android, compiler)
    builder().compile_kotlin(BUILD / "kotlin", [*sources], output, *libraries, options=["-no-jdk"])


def test_the_module_and_the_sample_app_compile(found: Any) -> None:
    sources = (ANDROID.parent / "coroutines", ANDROID / "kotlin", ANDROID / "sample" / "src")
    compile_android(found, BUILD / "android" / "app.jar", *sources)


def test_what_android_lacks_does_not_compile(found: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "Wrong.kt"
    wrong.write_text("fun tooNew(file: java.io.File) = java.nio.file.Files.size(file.toPath())\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="unresolved reference 'nio|unresolved reference 'file'"):
        compile_android(found, tmp_path / "wrong.jar", wrong)


@pytest.mark.parametrize("compiler", ["cc", "clang"])
@pytest.mark.parametrize("source", sorted(JNI.glob("*.c")), ids=lambda path: path.name)
def test_the_jni_code_compiles_with_androids_header(found: Any, source: Path, compiler: str) -> None:
    """Android's jni.h has other types than the JDK's for the same calls."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    header = ROOT / "runtime_bindings" / "include"
    command = [compiler, *STRICT, "-isystem", str(found.jni), f"-I{header}", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", sorted(ANDROID.rglob("*.gradle.kts")), ids=lambda path: str(path.relative_to(ANDROID))
)
def test_the_gradle_scripts_have_nothing_that_kotlin_2_3_refuses(script: Path) -> None:
    """Kotlin 2.3's plugin makes `kotlinOptions` an error, in favour of `compilerOptions`."""
    assert "kotlinOptions" not in script.read_text(encoding="utf-8")
