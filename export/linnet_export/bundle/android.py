"""Target android: Gradle modules, one with linnet's sources and one for each file; ExecuTorch's package computes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from linnet_export.bundle.constants import constant_names, quoted
from linnet_export.bundle.content import Content, collect
from linnet_export.bundle.guide import Guide
from linnet_export.bundle.kernels import kernel_sources
from linnet_export.bundle.notices import notices
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.support import app_sources, require_core
from linnet_export.tasks.base import SampleValues

__all__ = ["content", "guide"]

_MAIN = "src/main"
_LIBRARY = f"linnet/{_MAIN}"
_PACKAGE = "dev.linnet.model"
# linnet_jni_model.c and linnet_jni_generation.c are left out: they run files with linnet's own ExecuTorch
_JNI = ("linnet_jni.c", "linnet_jni.h", "linnet_jni_classes.c", "linnet_jni_classes.h", "linnet_jni_text.c")
# what the companion object has beside the constants
_RESERVED = ("ASSET",)

_DECODER_NOTES = (
    "A decoder runs `forward` of ExecuTorch's package, whose cache is the program's own and holds one text at a time: "
    "texts that take turns are computed again from where they differ. `textFlow` and `chat().textFlow` stop with their "
    "collector.",
)

_quoted = functools.partial(quoted, language="kotlin")


def content(subjects: Sequence[Subject], settings: BundleSettings) -> Content:
    """Return the modules."""
    for subject in subjects:
        require_core(subject, "android")
    sources = app_sources("android")
    jvm, cpp = sources / "jvm", sources / "cpp"
    android = jvm / "android"
    files: Content = {
        "linnet/build.gradle.kts": android / "build.gradle.kts",
        "linnet/consumer-rules.pro": android / "consumer-rules.pro",
        f"{_LIBRARY}/AndroidManifest.xml": android / "AndroidManifest.xml",
        f"{_LIBRARY}/cpp/CMakeLists.txt": android / "cpp" / "CMakeLists.txt",
        f"{_LIBRARY}/cpp/jni/linnet_kernels_jni.c": android / "cpp" / "linnet_kernels_jni.c",
        **{f"{_LIBRARY}/cpp/jni/{name}": jvm / "jni" / name for name in _JNI},
        **collect(jvm / "kotlin", f"{_LIBRARY}/kotlin"),
        **collect(jvm / "coroutines", f"{_LIBRARY}/kotlin"),
        **collect(android / "kotlin", f"{_LIBRARY}/kotlin"),
        **collect(cpp / "text", f"{_LIBRARY}/cpp/runtime/text"),
        **collect(cpp / "c_api", f"{_LIBRARY}/cpp/runtime/c_api"),
        **collect(cpp / "include", f"{_LIBRARY}/cpp/include"),
        **kernel_sources(cpp, f"{_LIBRARY}/cpp"),
        **notices(subjects),
    }
    build = (android / "model" / "build.gradle.kts").read_text(encoding="utf-8")
    for subject in subjects:
        main, package = f"{subject.name}/{_MAIN}", _package(subject)
        folder = f"{main}/kotlin/{package.replace('.', '/')}"
        files[f"{subject.name}/build.gradle.kts"] = build.replace(f"{_PACKAGE}.name", package).encode()
        files[f"{main}/AndroidManifest.xml"] = android / "AndroidManifest.xml"
        files[f"{main}/assets/{subject.asset}"] = subject.path
        files[f"{folder}/{subject.type_name}.kt"] = _constants(subject).encode()
        files[f"{folder}/Sample.kt"] = _sample(subject).encode()
    return files


def guide(subjects: Sequence[Subject], settings: BundleSettings) -> Guide:
    """Return what to do with the modules."""
    names = [subject.name for subject in subjects]
    modules = ("linnet", *names)
    included = "\n".join(
        [
            f"include({', '.join(_quoted(f':{name}') for name in modules)})",
            *(f'project(":{name}").projectDir = file("FOLDER/{name}")' for name in modules),
        ]
    )
    app = "\n".join(
        [
            'android { androidResources { noCompress += "pte" } }',
            f"dependencies {{ {'; '.join(map(_dependency, names))} }}",
        ]
    )
    return Guide(
        parts=(
            ("linnet/", "module `:linnet`: Kotlin API, tokenizer and decoding, the dependency on ExecuTorch's package"),
            *(
                (f"{name}/", f"module `:{name}`: its asset, its labels and sample, in `{_PACKAGE}.{name}`")
                for name in names
            ),
        ),
        steps=(
            f"In `settings.gradle.kts` of the app, with the path of this folder:\n```kotlin\n{included}\n```",
            f"In the app's `build.gradle.kts`:\n```kotlin\n{app}\n```\nWithout `noCompress` the asset is compressed, "
            "which `LinnetAndroid.load` refuses with that line in its message.",
            "Build with Kotlin 2.0 or newer, Android's Gradle plugin 8, CMake and an NDK. Plugin 9 has Kotlin "
            "built in: with it, set `android.builtInKotlin=false` in `gradle.properties`.",
        ),
        language="kotlin",
        uses=tuple(map(_use, subjects)),
        notes=(
            "`AndroidViewModel` and `viewModelScope` are in `androidx.lifecycle:lifecycle-viewmodel-ktx`.",
            "`close()` frees the model and ExecuTorch's module; keep a model open as long as it is used, and close it "
            "in `onCleared` or `onDestroy`.",
            "Calls block. `model.ask { classify(...) }` and `model.flow(texts) { classify(it) }` run them away from "
            "the main thread; a coroutine that is cancelled while it waits never asks. A text that ExecuTorch is "
            "computing is computed to its end.",
            *(_DECODER_NOTES if any(subject.task.generates for subject in subjects) else ()),
            "linnet's kernels run in ExecuTorch's own runtime; `LinnetAndroid.load(..., fused = false)` leaves them "
            "out, `Kernels.name` says which run. They keep to the ExecuTorch version of `linnet/build.gradle.kts`.",
            "The first load of a version copies the asset to the app's files; later ones open the copy. Each load "
            "checks the hash of what ExecuTorch parses.",
            "Never run on a device by linnet's authors: LinnetAndroid.kt was compiled against the classes of Android "
            "and of ExecuTorch's package and run against stand-ins for them; the Gradle files were not tried.",
        ),
    )


def _dependency(module: str) -> str:
    return f'implementation(project(":{module}"))'


def _package(subject: Subject) -> str:
    return f"{_PACKAGE}.{subject.name}"


def _constants(subject: Subject) -> str:
    name, labels = subject.type_name, subject.manifest.labels
    asset = f"const val ASSET = {_quoted(subject.asset)}"
    lines = [
        f"// {subject.asset}: {subject.manifest.task}. Written by linnet bundle.",
        f"package {_package(subject)}",
        "",
    ]
    if not labels:
        return "\n".join([*lines, f"object {name} {{", f"    {asset}", "}", ""])
    lines += ["/** The classes, in the order of the file. */", f"enum class {name}(val label: String) {{"]
    lines += [
        f"    {constant}({_quoted(label)}),"
        for constant, label in zip(constant_names(labels, _RESERVED), labels, strict=True)
    ]
    lines += [
        "    ;",
        "",
        "    companion object {",
        f"        {asset}",
        "",
        "        /** The constant of a label, null if the file has another. */",
        f"        fun of(label: String): {name}? = entries.firstOrNull {{ it.label == label }}",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _call(subject: Subject) -> str:
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), subject.type_name, subject.embedding_size)
    return subject.task.kotlin_sample(values)


def _sample(subject: Subject) -> str:
    options = "import dev.linnet.GenerationOptions\n" if subject.task.generates else ""
    return f"""\
package {_package(subject)}

{options}import dev.linnet.Linnet

/** On Android: `LinnetAndroid.load(context, {subject.type_name}.ASSET).use(::sample)`, from a background thread. */
fun sample(model: Linnet): String = {_call(subject)}
"""


def _use(subject: Subject) -> str:
    if subject.task.generates:
        return _use_decoder(subject)
    return f"""\
import android.app.Application
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import dev.linnet.android.LinnetAndroid
import dev.linnet.ask
import {_package(subject)}.{subject.type_name}
import kotlinx.coroutines.async

class {subject.type_name}ViewModel(application: Application) : AndroidViewModel(application) {{
    private val model = viewModelScope.async {{ LinnetAndroid.open(application, {subject.type_name}.ASSET) }}

    suspend fun answer(): String = model.await().ask {{ {_call(subject).replace("model.", "", 1)} }}
}}
"""


def _use_decoder(subject: Subject) -> str:
    return f"""\
import android.app.Application
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import dev.linnet.android.LinnetAndroid
import dev.linnet.textFlow
import {_package(subject)}.{subject.type_name}
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow

class {subject.type_name}ViewModel(application: Application) : AndroidViewModel(application) {{
    private val model = viewModelScope.async {{ LinnetAndroid.open(application, {subject.type_name}.ASSET) }}

    /** Pieces of the text as it is written; it stops with its collector. */
    fun continuation(): Flow<String> = flow {{ emitAll(model.await().textFlow({_quoted(subject.text)})) }}
}}
"""
