"""What only Android runs, compiled against the real interfaces: Android's classes and jni.h, ExecuTorch's classes."""

from __future__ import annotations

import re
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
KERNEL_LIBRARY = ROOT / "runtime_bindings" / "kernel_library"
SOURCES = sorted([*JNI.glob("*.c"), *(ANDROID / "cpp").glob("*.c")])
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
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_the_jni_code_compiles_with_androids_header(found: Any, source: Path, compiler: str) -> None:
    """Android's jni.h has other types than the JDK's for the same calls."""
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")
    headers = (ROOT / "runtime_bindings" / "include", KERNEL_LIBRARY)
    command = [compiler, *STRICT, "-isystem", str(found.jni), *(f"-I{folder}" for folder in headers), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", sorted(ANDROID.rglob("*.gradle.kts")), ids=lambda path: str(path.relative_to(ANDROID))
)
def test_the_gradle_scripts_have_nothing_that_kotlin_2_3_refuses(script: Path) -> None:
    """Kotlin 2.3's plugin makes `kotlinOptions` an error, in favour of `compilerOptions`."""
    assert "kotlinOptions" not in script.read_text(encoding="utf-8")


def test_executorchs_android_library_exports_what_the_kernels_need(found: Any) -> None:
    """Without one of these symbols, Android refuses liblinnet_kernels.so and the app runs `forward`."""
    listing = ["nm", "-D", "--defined-only", "--format=posix", str(found.library)]
    lines = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    exported = {line.split()[0].split("@")[0] for line in lines}
    symbols = set(
        re.findall(r"SYMBOL\((_\w+)\)", (KERNEL_LIBRARY / "executorch_symbols.c").read_text(encoding="utf-8"))
    )
    of_x86 = {name for name in symbols if name.endswith("__va_list_tag")}
    assert len(of_x86) == 1
    assert symbols - of_x86 <= exported
    dynamic = subprocess.run(["readelf", "-dW", str(found.library)], check=True, capture_output=True, text=True).stdout
    assert "Library soname: [libexecutorch_jni.so]" in dynamic
