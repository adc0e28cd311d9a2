"""Build of linnet for the JVM: linnet.jar (Kotlin) and liblinnet_jni.so (plain C), beside the installed liblinnet.so.

    python tools/build_jvm.py build/jvm [MORE.kt ...]

The Kotlin compiler is the one in the PyPI package kotlin-jupyter-kernel, fetched once into build/jvm/kotlin. A JDK of
version 17 or newer must be on the path, or in JAVA_HOME.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPILER = "kotlin-jupyter-kernel==0.19.0.944"
COMPILER_CLASS = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
_JAVA_VERSION = 17


def java_home() -> Path:
    """Return the folder of a JDK with jni.h.

    Raises:
        SystemExit: there is none.
    """
    java = shutil.which("java")
    candidates = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    candidates += [Path(java).resolve().parents[1]] if java else []
    for folder in candidates:
        if (folder / "include" / "jni.h").exists():
            return folder
    raise SystemExit(
        f"no JDK was found, expected version {_JAVA_VERSION} or newer: set JAVA_HOME, or apt-get install openjdk-17-jdk"
    )


def fetch_compiler(folder: Path) -> tuple[Path, Path]:
    """Return the jars of the compiler and of Kotlin's standard library, fetched if need be."""
    if not list(folder.glob("*-all.jar")):
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "download", "--no-deps"]
        subprocess.run([*pip, "--dest", str(folder), COMPILER], check=True)
        (wheel,) = folder.glob("kotlin_jupyter_kernel-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith("-all.jar") or "/kotlin-stdlib-" in name:
                    (folder / Path(name).name).write_bytes(archive.read(name))
        wheel.unlink()
    (compiler,) = folder.glob("*-all.jar")
    (standard,) = folder.glob("kotlin-stdlib-*.jar")
    return compiler, standard


def compile_kotlin(
    folder: Path, sources: list[Path], output: Path, *libraries: Path, options: Sequence[str] = ()
) -> Path:
    """Compile Kotlin sources to a jar, unless it was made of the same sources.

    Args:
        folder: where the compiler is kept.
        sources: files and folders.
        output: the jar.
        libraries: jars that the sources need beside the standard library.
        options: more options of the compiler.

    Raises:
        SystemExit: they do not compile.
    """
    compiler, standard = fetch_compiler(folder)
    stamp = output.with_suffix(".sha256")
    files = sorted(path for source in sources for path in (source.rglob("*.kt") if source.is_dir() else [source]))
    wanted = hashlib.sha256(b"\0".join(path.read_bytes() for path in [*files, *libraries])).hexdigest()
    if output.exists() and stamp.exists() and stamp.read_text() == wanted:
        return output
    classpath = ":".join(map(str, [standard, *libraries]))
    java = [
        str(java_home() / "bin" / "java"),
        "-Xmx768m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        str(compiler),
        COMPILER_CLASS,
    ]
    fixed = ["-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", str(_JAVA_VERSION), "-cp", classpath]
    done = subprocess.run(
        [*java, *fixed, *options, "-d", str(output), *map(str, sources)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"Kotlin sources do not compile:\n{done.stderr}")
    stamp.write_text(wanted)
    return output


def compile_jni(library: Path, header: Path, output: Path) -> Path:
    """Compile the JNI code against ``library`` (liblinnet.so), which it finds there at run time."""
    java = java_home() / "include"
    sources = sorted((ROOT / "runtime_bindings" / "jvm" / "jni").glob("*.c"))
    output.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow"]
    flags += [
        "-Wconversion",
        "-Werror",
        f"-I{header}",
        f"-I{java}",
        f"-I{java / 'linux'}",
        f"-Wl,-rpath,{library.parent}",
    ]
    command = [os.environ.get("CC", "cc"), *flags, *map(str, sources), str(library), "-o", str(output)]
    subprocess.run(command, check=True)
    return output


def installed_runtime() -> Path:
    """Return the folder of the installed package linnet_runtime."""
    import linnet_runtime

    return Path(linnet_runtime.__file__).parent


def build(folder: Path) -> dict[str, Path]:
    """Build everything into ``folder``: ``jar``, ``jni``, ``stdlib``, ``kotlin`` (where the compiler is)."""
    runtime = installed_runtime()
    jni = compile_jni(runtime / "lib" / "liblinnet.so", runtime / "include", folder / "native" / "liblinnet_jni.so")
    kotlin = folder / "kotlin"
    jar = compile_kotlin(kotlin, [ROOT / "runtime_bindings" / "jvm" / "kotlin"], folder / "linnet.jar")
    return {"jar": jar, "jni": jni, "stdlib": fetch_compiler(kotlin)[1], "kotlin": kotlin}


if __name__ == "__main__":
    for name, path in build(Path(sys.argv[1])).items():
        print(f"{name}\t{path}")
