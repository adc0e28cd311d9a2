"""Bundles of `linnet bundle`, written, built and run from their folder alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.cli import main as cli
from linnet_export.bundle.constants import constant_names
from linnet_export.bundle.subject import QUESTION, read_subject
from tests.conformance.make_records import field_line, output_line
from tests.conformance.runners import MissingReader

__all__ = ["answer_of", "bundle", "check_android_module", "check_c_project", "run"]

_REPLAY = Path(__file__).parents[1] / "linnet_export" / "bundle" / "Replay.kt"


def bundle(file: Path, target: str, folder: Path, *more: str) -> int:
    """Run `linnet bundle` and return its exit status."""
    return cli.main(["bundle", str(file), "--target", target, "-o", str(folder), *more])


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
                return model.encode(subject.text, normalize_embeddings=True).tolist()
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
                return [(answer["label"], "", answer["score"]) for answer in model(subject.text, top_k=None)]


def check_c_project(file: Path, folder: Path) -> None:
    """Write the C project, move it, build it and compare its sample's answers with the SDK's."""
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("needs cmake and a C compiler")
    assert bundle(file, "c", folder / "first") == 0
    folder = (folder / "first").rename(folder / "moved")
    run("cmake", "-S", ".", "-B", "build", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror", folder=folder)
    run("cmake", "--build", "build", folder=folder)
    lines = [line.split("\t") for line in run("./build/sample", folder=folder).splitlines()]
    expected = answer_of(file)
    assert len(lines) == len(expected) > 0
    if isinstance(expected[0], float):
        np.testing.assert_allclose([float(line) for (line,) in lines], expected, atol=2e-6)
        return
    for (label, text, score), answer in zip(lines, expected, strict=True):
        assert (label, text, float(score)) == (*answer[:2], pytest.approx(answer[2], abs=2e-6))


def check_android_module(file: Path, folder: Path) -> None:
    """Build the module's C++ and Kotlin from its folder; the sample decodes the program's outputs as Python does.

    All but LinnetAndroid.kt, which needs Android's classes (tests/runtime_bindings/jvm/test_android.py).
    """
    from tests.runtime_bindings.jvm.jvm import BUILD, builder, java_command

    try:
        java_command()
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")
    tool = builder()
    assert bundle(file, "android", folder) == 0
    sources = folder / "src" / "main"
    run(
        "cmake",
        "-S",
        "cpp",
        "-B",
        folder / "native",
        f"-DLINNET_JNI_INCLUDE={tool.java_home() / 'include'}",
        folder=sources,
    )
    run("cmake", "--build", folder / "native", "-j2", folder=sources)
    kotlin = [path for path in sources.rglob("*.kt") if path.parent.name != "android"]
    jar = tool.compile_kotlin(BUILD / "kotlin", [*kotlin, _REPLAY], folder / "sample.jar")
    subject = read_subject(file)
    with linnet.load(file) as model:
        pair = (QUESTION, subject.text) if subject.manifest.task == "question-answering" else (subject.text, None)
        outputs = model.run(model.tokenize(*pair))
    records = [field_line(name, value) for name, value in subject.manifest.to_raw().items()]
    records += [output_line(outputs[name][np.newaxis]) for name in subject.manifest.outputs]
    (folder / "records.tsv").write_text("\n".join(records), encoding="utf-8")
    classpath = f"{tool.fetch_compiler(BUILD / 'kotlin')[1]}:{jar}"
    said = run("java", f"-Dlinnet.library.path={folder / 'native'}", "-cp", classpath,
               "tests.linnet_export.bundle.ReplayKt", folder / "records.tsv", folder=folder)  # fmt: skip
    if subject.manifest.task == "feature-extraction":
        shown = [float(number) for number in said.split(",")[:5]]
        np.testing.assert_allclose(shown, outputs["embedding"].reshape(-1)[:5], atol=2e-6)
        return
    expected = answer_of(file)
    if subject.manifest.task == "question-answering":
        assert said.strip() == expected[0][1]
        return
    for line, (label, _, score) in zip(said.splitlines(), expected, strict=True):
        assert line.split() == [constant_names([label])[0], line.split()[1]]
        assert float(line.split()[1]) == pytest.approx(score, abs=2e-6)
