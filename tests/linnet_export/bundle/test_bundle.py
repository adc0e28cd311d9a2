"""`linnet bundle`: what it writes is built and run from the written folder alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.cli import main as cli
from linnet.errors import BuildError, InvalidArgumentError
from linnet_export.bundle import TARGETS, get_target
from linnet_export.bundle.constants import constant_names, quoted, type_name
from linnet_export.bundle.subject import QUESTION, read_subject
from linnet_export.bundle.support import app_sources
from tests.conformance.make_records import field_line, output_line
from tests.conformance.reader import CASES
from tests.conformance.runners import MissingReader

TASKS = (
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-ranking",
    "token-classification",
)


def bundle(file: Path, target: str, folder: Path, *more: str) -> int:
    return cli.main(["bundle", str(file), "--target", target, "-o", str(folder), *more])


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file."""
    return {str(each): (each.read_bytes(), each.stat().st_mtime_ns) for each in folder.rglob("*") if each.is_file()}


def run(*command: object, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- the folder ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_twice_changes_nothing(files: Path, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "part"
    assert bundle(files / "text-classification.pte", target, folder) == 0
    before = state(folder)
    assert bundle(files / "text-classification.pte", target, folder) == 0
    assert state(folder) == before
    named = json.loads((folder / "linnet-bundle.json").read_text())["files"]
    assert {*named, "linnet-bundle.json"} == {str(Path(each).relative_to(folder)) for each in before}


def test_the_bundle_of_another_model_or_target_is_left_alone(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bundle(files / "text-classification.pte", "python", tmp_path) == 0
    before = state(tmp_path)
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 2
    assert bundle(files / "text-classification.pte", "c", tmp_path) == 2
    assert state(tmp_path) == before
    for line in capsys.readouterr().err.splitlines():
        assert f"{tmp_path} has the bundle of text_classification for python, not of " in line
        assert "--force" in line


def test_force_replaces_what_was_written_and_nothing_else(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bundle(files / "text-classification.pte", "c", tmp_path) == 0
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "linnet" / "mine.txt").write_text("mine")
    written = len(json.loads((tmp_path / "linnet-bundle.json").read_text())["files"])
    capsys.readouterr()
    assert bundle(files / "fill-mask.pte", "python", tmp_path, "--force") == 0
    now = json.loads((tmp_path / "linnet-bundle.json").read_text())
    assert (now["target"], now["model"]) == ("python", "fill_mask")
    kept = 4  # LICENSES/ and SIZE.txt are part of every bundle
    assert f"{written - kept} removed" in capsys.readouterr().out
    assert (tmp_path / "fill_mask" / "fill_mask.pte").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert {each.name for each in tmp_path.iterdir() if each.is_dir()} == {"fill_mask", "LICENSES", "linnet"}
    assert [each.name for each in (tmp_path / "linnet").iterdir()] == ["mine.txt"]


def test_force_does_not_overwrite_a_changed_file(files: Path, tmp_path: Path) -> None:
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    (tmp_path / "sample.py").write_text("mine")
    before = state(tmp_path)
    assert bundle(files / "text-ranking.pte", "python", tmp_path, "--force") == 2
    assert state(tmp_path) == before


def test_a_bundle_that_names_no_target_is_replaced(files: Path, tmp_path: Path) -> None:
    """As the bundles are that were written before the target was noted."""
    assert bundle(files / "text-classification.pte", "python", tmp_path) == 0
    mark = tmp_path / "linnet-bundle.json"
    mark.write_text(json.dumps({"files": json.loads(mark.read_text())["files"]}))
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    assert not (tmp_path / "text_classification").exists()
    assert json.loads(mark.read_text())["target"] == "python"


def test_a_folder_with_other_content_is_left_alone(files: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    before = state(tmp_path)
    assert bundle(files / "fill-mask.pte", "c", tmp_path) == 2
    assert state(tmp_path) == before


def test_a_changed_file_is_not_overwritten(files: Path, tmp_path: Path) -> None:
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    (tmp_path / "sample.py").write_text("mine")
    before = state(tmp_path)
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 2
    assert state(tmp_path) == before


def test_what_cannot_be_bundled_is_refused(tmp_path: Path) -> None:
    assert bundle(tmp_path / "nothing.pte", "c", tmp_path / "part") == 3
    with pytest.raises(InvalidArgumentError, match="known are android, c, ios, python"):
        get_target("toaster")
    assert not (tmp_path / "part").exists()


def test_a_build_without_the_sources_for_apps_says_so(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="target ios needs the sources for apps"):
        app_sources("ios", tmp_path / "sources")


@pytest.mark.parametrize("target", TARGETS)
def test_sizes_and_licences_are_there(files: Path, tmp_path: Path, target: str) -> None:
    assert bundle(files / "fill-mask.pte", target, tmp_path) == 0
    lines = (tmp_path / "SIZE.txt").read_text().splitlines()
    sizes = {name: int(size) for name, size, _ in (line.split() for line in lines[2:])}
    assert sizes["total"] == sum(size for name, size in sizes.items() if name != "total")
    written = sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file())
    assert written - sizes["total"] == sum(
        (tmp_path / name).stat().st_size for name in ("SIZE.txt", "linnet-bundle.json")
    )
    assert "Apache License" in (tmp_path / "LICENSES" / "linnet.txt").read_text()
    attribution = (tmp_path / "LICENSES" / "ATTRIBUTION.txt").read_text()
    assert read_subject(files / "fill-mask.pte").manifest.source in attribution


# -- constants -------------------------------------------------------------------------------------


def test_names_of_constants() -> None:
    labels = ["volume_down", "volume down", "3 stars", "è più", "日本", "a-b", ""]
    names = ["VOLUME_DOWN", "VOLUME_DOWN_1", "LABEL_3_STARS", "E_PIU", "LABEL_4", "A_B", "LABEL_6"]
    assert constant_names(labels) == names
    assert type_name("home_intents") == "HomeIntents"
    assert quoted('a"\\$\n', dollar=True) == '"a\\"\\\\\\$\\n"'


# -- built and run from the folder -----------------------------------------------------------------


def answer_of(file: Path) -> Any:
    """What the SDK says to the sample's text."""
    subject = read_subject(file)
    with linnet.load(file) as model:
        match subject.manifest.task:
            case "feature-extraction":
                return model.encode(subject.text, normalize_embeddings=True).tolist()
            case "text-ranking":
                return model.predict([(QUESTION, subject.text)]).tolist()
            case "question-answering":
                found = [model(question=QUESTION, context=subject.text)]
                return [("", each["answer"], each["score"]) for each in found]
            case "token-classification":
                found = model(subject.text, aggregation_strategy="simple")
                return [(each["entity_group"], each["word"], each["score"]) for each in found]
            case "fill-mask":
                return [("", each["token_str"], each["score"]) for each in model(subject.text)]
            case _:
                return [(each["label"], "", each["score"]) for each in model(subject.text, top_k=None)]


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


@pytest.mark.parametrize("task", TASKS)
def test_the_c_project_builds_and_answers_alone(files: Path, tmp_path: Path, task: str) -> None:
    check_c_project(files / f"{task}.pte", tmp_path)


def test_pkg_config_gives_what_a_compiler_needs(files: Path, tmp_path: Path) -> None:
    if shutil.which("pkg-config") is None or shutil.which("cc") is None:
        pytest.skip("needs pkg-config and a C compiler")
    assert bundle(files / "question-answering.pte", "c", tmp_path) == 0
    path = str(tmp_path / "linnet" / "lib" / "pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", "linnet", folder=tmp_path, PKG_CONFIG_PATH=path).split()
    example = Path(__file__).resolve().parents[3] / "examples" / "c" / "answer_question.c"
    run("cc", "-Wall", "-Wextra", "-Werror", example, *flags, "-o", "answer", folder=tmp_path)
    subject = read_subject(files / "question-answering.pte")
    said = run("./answer", f"model/{subject.asset}", QUESTION, subject.text, folder=tmp_path)
    ((_, answer, score),) = answer_of(files / "question-answering.pte")
    assert said.startswith(f"{answer}  (score {score:.3f}")


def test_the_c_target_of_the_swift_package_compiles(files: Path, tmp_path: Path) -> None:
    """Its C++ sources with its search paths, its header, its labels; the rest needs a Swift compiler."""
    if shutil.which("c++") is None:
        pytest.skip("needs a C++ compiler")
    assert bundle(files / "text-classification.pte", "ios", tmp_path) == 0
    target = tmp_path / "Sources" / "CLinnet"
    source = target / "text" / "file" / "trailer.cpp"
    run(
        "c++", "-std=c++17", "-fsyntax-only", f"-I{target / 'include'}", f"-I{target / 'text'}", source, folder=tmp_path
    )
    assert 'header "linnet.h"' in (target / "include" / "module.modulemap").read_text()
    assert (tmp_path / "Tests" / "LinnetTests" / "cases.tsv").read_bytes() == CASES.read_bytes()
    swift = (tmp_path / "Sources" / "Linnet" / "TextClassification.swift").read_text()
    assert '    case `label0` = "LABEL_0"\n' in swift
    assert (tmp_path / "Sources" / "Linnet" / "Resources" / "text_classification.pte").exists()


@pytest.mark.parametrize("task", TASKS)
def test_the_python_package_answers_alone(files: Path, tmp_path: Path, task: str) -> None:
    assert bundle(files / f"{task}.pte", "python", tmp_path) == 0
    said = run(sys.executable, "-W", "error", "sample.py", folder=tmp_path)
    assert said.strip()
    if task == "text-classification":
        best = max(answer_of(files / f"{task}.pte"), key=lambda each: each[2])[0]
        assert said.startswith(f"TextClassification.{constant_names([best])[0]} ")


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
    kotlin = [each for each in sources.rglob("*.kt") if each.parent.name != "android"]
    replay = Path(__file__).parent / "Replay.kt"
    jar = tool.compile_kotlin(BUILD / "kotlin", [*kotlin, replay], folder / "sample.jar")
    subject = read_subject(file)
    with linnet.load(file) as model:
        pair = (QUESTION, subject.text) if subject.manifest.task == "question-answering" else (subject.text, None)
        outputs = model.run(model.tokenize(*pair))
    records = [field_line(*each) for each in subject.manifest.to_raw().items()]
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


@pytest.mark.slow
@pytest.mark.parametrize("task", ["text-classification", "question-answering"])
def test_the_android_module_compiles_and_answers_on_the_desktop(files: Path, tmp_path: Path, task: str) -> None:
    check_android_module(files / f"{task}.pte", tmp_path)
