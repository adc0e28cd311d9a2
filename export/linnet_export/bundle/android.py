"""Target android: a Gradle library module with linnet's sources; ExecuTorch's official package runs the program."""

from __future__ import annotations

import functools

from linnet_export.bundle.constants import constant_names, quoted, type_name
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.notices import notices
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import app_sources, require_core
from linnet_export.tasks.base import SampleValues

__all__ = ["content"]

_MAIN = "src/main"
_PACKAGE = "dev.linnet.model"
# linnet_jni_model.c is left out: it opens files with linnet's own ExecuTorch
_JNI = ("linnet_jni.c", "linnet_jni.h", "linnet_jni_classes.c", "linnet_jni_classes.h")
# what the companion object has beside the constants
_RESERVED = ("ASSET",)


_quoted = functools.partial(quoted, language="kotlin")


def content(subject: Subject) -> Content:
    """Return the module."""
    require_core(subject, "android")
    sources = app_sources("android")
    jvm = sources / "jvm"
    android = jvm / "android"
    package = f"{_MAIN}/kotlin/{_PACKAGE.replace('.', '/')}"
    files: Content = {
        "build.gradle.kts": android / "build.gradle.kts",
        "consumer-rules.pro": android / "consumer-rules.pro",
        f"{_MAIN}/AndroidManifest.xml": android / "AndroidManifest.xml",
        f"{_MAIN}/assets/{subject.asset}": subject.path,
        f"{_MAIN}/cpp/CMakeLists.txt": android / "cpp" / "CMakeLists.txt",
        **{f"{_MAIN}/cpp/jni/{name}": jvm / "jni" / name for name in _JNI},
        f"{package}/{type_name(subject.name)}.kt": _constants(subject).encode(),
        f"{package}/Sample.kt": _sample(subject).encode(),
        **collect(jvm / "kotlin", f"{_MAIN}/kotlin"),
        **collect(android / "kotlin", f"{_MAIN}/kotlin"),
        **collect(sources / "cpp" / "text", f"{_MAIN}/cpp/runtime/text"),
        **collect(sources / "cpp" / "c_api", f"{_MAIN}/cpp/runtime/c_api"),
        **collect(sources / "cpp" / "include", f"{_MAIN}/cpp/include"),
        **notices(subject),
    }
    return files


def _constants(subject: Subject) -> str:
    name, labels = type_name(subject.name), subject.manifest.labels
    lines = [f"// {subject.asset}: {subject.manifest.task}. Written by linnet bundle.", f"package {_PACKAGE}", ""]
    if not labels:
        return "\n".join([*lines, f"object {name} {{", f"    const val ASSET = {_quoted(subject.asset)}", "}", ""])
    lines += ["/** The classes, in the order of the file. */", f"enum class {name}(val label: String) {{"]
    lines += [
        f"    {constant}({_quoted(label)}),"
        for constant, label in zip(constant_names(labels, _RESERVED), labels, strict=True)
    ]
    lines += [
        "    ;",
        "",
        "    companion object {",
        f"        const val ASSET = {_quoted(subject.asset)}",
        "",
        "        /** The constant of a label, null if the file has another. */",
        f"        fun of(label: String): {name}? = entries.firstOrNull {{ it.label == label }}",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _sample(subject: Subject) -> str:
    name = type_name(subject.name)
    text, question = _quoted(subject.text), _quoted(QUESTION)
    values = SampleValues(text, question, name, subject.embedding_size)
    return f"""\
package {_PACKAGE}

import dev.linnet.Linnet

/** On Android: `LinnetAndroid.load(context, {name}.ASSET).use(::sample)`, from a background thread. */
fun sample(model: Linnet): String = {subject.task.kotlin_sample(values)}
"""
