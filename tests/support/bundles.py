"""Bundles of `linnet bundle`, written, built and run from their folder alone."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.cli import main as cli
from linnet_export.bundle import get_target
from linnet_export.bundle.constants import constant_names, identifier
from linnet_export.bundle.content import Kind, write
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import QUESTION, Subject, read_subject, read_subjects
from tests.conformance.make_records import field_line, output_line
from tests.conformance.runners import MissingReader

__all__ = [
    "AWKWARD",
    "answer_of",
    "awkward_part",
    "bundle",
    "check_android_module",
    "check_c_answer",
    "check_c_project",
    "check_sample",
    "executorch_stand_in",
    "kotlin_compiler",
    "records_of",
    "run",
]

_ANDROID = Path(__file__).parents[1] / "linnet_export" / "bundle" / "android"


def bundle(files: Path | Sequence[Path], target: str, folder: Path, *more: str) -> int:
    """Run `linnet bundle` and return its exit status."""
    given = [files] if isinstance(files, Path) else files
    return cli.main(["bundle", *map(str, given), "--target", target, "-o", str(folder), *more])


def run(*command: object, folder: Path, **environment: str) -> str:
    """Run a command in a folder, which must succeed, and return its output."""
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answer_of(file: Path) -> Any:
    """Return what the SDK answers to the text of the sample."""
    subject = read_subject(file)
    with linnet.load(file) as model:
        match subject.manifest.task:
            case "feature-extraction":
                return model.encode(subject.text).tolist()
            case "text-generation":
                return model.generate(subject.text, max_new_tokens=60).text
            case "text-ranking":
                return model.predict([(QUESTION, subject.text)]).tolist()
            case "question-answering":
                found = [model(question=QUESTION, context=subject.text)]
                return [("", answer["answer"], answer["score"]) for answer in found]
            case "token-classification":
                found = model(subject.text, aggregation_strategy="simple")
                return [(entity["entity_group"], entity["word"], entity["score"]) for entity in found]
            case "fill-mask":
                return [("", proposal["token_str"], proposal["score"]) for proposal in model(subject.text)]
            case _:
                return [(answer["label"], "", answer["score"]) for answer in model(subject.text, top_k=3)]


AWKWARD = (
    *("C++", "C#", "a b", "a-b", "class", "1", "", "1.0", "10", "a_2", "a", "a!", "asset", "file", "self", "init", "h"),
    *("日本", '"$\\{x}\\(y)', "raw value", "all cases", "hash value", "type", "name", "value", "none", "\x01", "1?\n"),
)
"""Labels that need care in one language or another."""


def awkward_part(file: Path, target: str, folder: Path) -> Subject:
    """Write the bundle of a classifier named ``class`` with awkward labels, and return what was bundled."""
    subject = read_subject(file)
    named = dataclasses.replace(
        subject, name=identifier("class"), manifest=dataclasses.replace(subject.manifest, labels=AWKWARD)
    )
    content = get_target(target).content([named], BundleSettings())
    write(content, folder, Kind(target, (named.name,)))
    return named


def check_c_project(files: Sequence[Path], folder: Path) -> None:
    """Write the C project, move it, build it and compare its samples' answers with the SDK's, from another folder."""
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("needs cmake and a C compiler")
    assert bundle(files, "c", folder / "first") == 0
    project = (folder / "first").rename(folder / "moved")
    run("cmake", "-S", ".", "-B", "build", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", folder=project)
    run("cmake", "--build", "build", folder=project)
    for subject in read_subjects(files):
        check_c_answer(subject, run(project / "build" / f"{subject.name}_sample", folder=folder))


def check_c_answer(subject: Subject, said: str) -> None:
    """Compare what a C sample printed with the SDK's answers."""
    expected = answer_of(subject.path)
    if subject.task.generates:
        assert said == _as_read(expected) + "\n"
        return
    lines = [line.split("\t") for line in said.splitlines()]
    assert len(lines) == len(expected) > 0
    if isinstance(expected[0], float):
        np.testing.assert_allclose([float(line) for (line,) in lines], expected, atol=2e-6)
        return
    for (label, text, score), answer in zip(lines, expected, strict=True):
        assert (label, text, float(score)) == (*answer[:2], pytest.approx(answer[2], abs=2e-6))


def kotlin_compiler() -> tuple[ModuleType, Path]:
    """Return tools/build_jvm.py and the folder with the Kotlin compiler; skip the test where there is none."""
    from tests.runtime_bindings.jvm.jvm import BUILD, builder, java_command

    try:
        java_command()
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")
    return builder(), BUILD / "kotlin"


EXECUTORCH_JNI = "libexecutorch_jni.so"
"""Name of the library in ExecuTorch's Android package."""


def executorch_stand_in(folder: Path) -> Path:
    """Make a library that gives the stock ExecuTorch of the Python package under the Android package's name."""
    spec = importlib.util.find_spec("executorch")
    assert spec is not None
    assert spec.submodule_search_locations
    stock = Path(next(iter(spec.submodule_search_locations))) / "lib"
    folder.mkdir(exist_ok=True)
    run("cc", "-shared", "-o", EXECUTORCH_JNI, f"-Wl,-soname,{EXECUTORCH_JNI},--no-as-needed,-rpath,{stock}",
        f"-L{stock}", "-lexecutorch", "-lexecutorch_threadpool", folder=folder)  # fmt: skip
    return folder / EXECUTORCH_JNI


def check_android_module(files: Sequence[Path], folder: Path, *, kernels: bool) -> list[str]:
    """Build the modules' C++ and Kotlin from their folder, and run an app of all of them over stand-ins of Android.

    The first file is a classifier. Each sample decodes the program's outputs as Python does. Without ``kernels`` there
    is no ExecuTorch whose symbols linnet's kernels could take.

    Returns:
        What the app says beside the samples' answers.
    """
    tool, kept = kotlin_compiler()
    assert bundle(files, "android", folder / "models") == 0
    models, sources = folder / "models", folder / "models" / "linnet" / "src" / "main" / "cpp"
    java = f"-DLINNET_JNI_INCLUDE={tool.java_home() / 'include'}"
    run("cmake", "-S", sources, "-B", folder / "native", java, folder=folder)
    run("cmake", "--build", folder / "native", "-j2", folder=folder)
    subjects = read_subjects(files)
    (folder / "Samples.kt").write_text(_samples(subjects), encoding="utf-8")
    compiler, standard = tool.fetch_compiler(kept)
    jar = tool.compile_kotlin(
        kept,
        [*models.glob("*/src/main/kotlin"), _ANDROID, folder / "Samples.kt"],
        folder / "app.jar",
        compiler,  # has coroutines too
    )
    assets = folder / "assets"
    assets.mkdir()
    for subject in subjects:
        (asset,) = models.rglob(subject.asset)
        shutil.copy(asset, assets)
        (assets / f"{subject.asset}.tsv").write_text(records_of(subject), encoding="utf-8")
    package = executorch_stand_in(folder / "package")
    said = run("java", f"-Dlinnet.library.path={folder / 'native'}",
               f"-Djava.library.path={folder / 'native' / 'kernel_library'}", "--add-opens",
               "java.base/java.io=ALL-UNNAMED", "-cp", f"{standard}:{compiler}:{jar}",
               "tests.linnet_export.bundle.MainKt", assets, folder / "files", folder=folder,
               LD_LIBRARY_PATH=str(package.parent) if kernels else "", LC_ALL="C.UTF-8")  # fmt: skip
    parts = [part.partition("\n") for part in said.split("== ")[1:]]
    answers = {head: rest for head, _, rest in parts if rest}
    for subject in subjects:
        check_sample(subject, answers[subject.asset])
    return [head for head, _, rest in parts if not rest]


def _samples(subjects: Sequence[Subject]) -> str:
    """Return Kotlin source with the samples by their assets."""
    packages = {subject: f"dev.linnet.model.{subject.name}" for subject in subjects}
    imports = [f"import {package}.sample as {subject.name}" for subject, package in packages.items()]
    entries = [f"    {package}.{subject.type_name}.ASSET to ::{subject.name}," for subject, package in packages.items()]
    lines = ["package tests.linnet_export.bundle", "", *imports, "", "val samples = mapOf(", *entries, ")", ""]
    return "\n".join(lines)


def records_of(subject: Subject) -> str:
    """Return the manifest of a file, and the outputs of its program for the sample's text, as records."""
    if subject.task.generates:
        return "\n".join([*fields_of(subject), *_steps_of(subject)])
    with linnet.load(subject.path) as model:
        paired = subject.task.needs_pairs
        outputs = model.run(model.tokenize(QUESTION, subject.text) if paired else model.tokenize(subject.text))
    return "\n".join(
        [*fields_of(subject), *(output_line(outputs[name][np.newaxis]) for name in subject.manifest.outputs)]
    )


def fields_of(subject: Subject) -> list[str]:
    """Return the manifest of a file as records."""
    return [field_line(name, value) for name, value in subject.manifest.to_raw().items()]


def _steps_of(subject: Subject) -> list[str]:
    """Return the logits behind the prompt of a decoder's sample, then behind each token, as records."""
    with linnet.load(subject.path) as model:
        completion = model.generate(subject.text, max_new_tokens=60)
        state = model.new_text()
        lines = []
        for ids in (model.tokenize(subject.text).ids.tolist(), *([token] for token in completion.ids[:-1])):
            state.append(ids)
            lines.append(output_line(state.logits()[np.newaxis]))
        return lines


def check_sample(subject: Subject, said: str) -> None:
    """Compare what a sample of Kotlin or Swift printed with the SDK's answers."""
    expected = answer_of(subject.path)
    match subject.manifest.task:
        case "text-generation":
            assert said == _as_read(expected) + "\n"
        case "feature-extraction":
            shown = [float(number) for number in re.findall(r"-?\d+\.\d+(?:[eE]-?\d+)?", said)[:5]]
            with linnet.load(subject.path) as model:
                np.testing.assert_allclose(shown, model.encode(subject.text)[:5], atol=2e-6)
        case "question-answering":
            assert said.strip() == expected[0][1]
        case "text-classification":
            best = constant_names([expected[0][0]])[0]
            assert best.lower().replace("_", "") in said.splitlines()[0].lower().replace("_", "")
            if len(said.splitlines()) > 1:
                scores = [float(line.split()[1]) for line in said.splitlines() if line]
                np.testing.assert_allclose(scores, [score for _, _, score in expected], atol=2e-6)
        case _:
            assert said.strip()


def _as_read(text: str) -> str:
    """Return what Python reads of a text that a program printed: its ends of lines are one character."""
    return str(text).replace("\r\n", "\n").replace("\r", "\n")
