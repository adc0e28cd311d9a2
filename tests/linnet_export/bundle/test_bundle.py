"""`linnet bundle`: what it writes is built and run from the written folder alone."""

from __future__ import annotations

import ast
import errno
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import linnet
from linnet.assets import default_model
from linnet.errors import BuildError, InvalidArgumentError
from linnet_export.bundle import TARGETS, get_target
from linnet_export.bundle.constants import camel_names, constant_names, identifier, quoted, type_name
from linnet_export.bundle.subject import QUESTION, read_subject, read_subjects
from linnet_export.bundle.support import app_notes, app_sources
from linnet_export.bundle.wheel_backend import build_wheel, python_of
from linnet_export.tasks import get_task
from linnet_runtime import runtime_info
from tests.conformance.reader import CASES
from tests.support.bundles import (
    AWKWARD,
    answer_of,
    awkward_part,
    bundle,
    check_android_module,
    check_c_answer,
    check_c_project,
    kotlin_compiler,
    run,
)
from tests.support.decoder_file import decoder_file

TASKS = (
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-ranking",
    "token-classification",
)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of every file."""
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


# -- the folder ------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_twice_changes_nothing(files: Path, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "part"
    assert bundle(files / "text-classification.pte", target, folder) == 0
    before = state(folder)
    assert bundle(files / "text-classification.pte", target, folder) == 0
    assert state(folder) == before
    named = json.loads((folder / "linnet-bundle.json").read_text())["files"]
    assert {*named, "linnet-bundle.json"} == {str(Path(path).relative_to(folder)) for path in before}


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


def test_what_is_there_is_read_once(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    read: list[Path] = []
    whole = Path.read_bytes

    def noted(path: Path) -> bytes:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    assert read.count(tmp_path / "fill_mask" / "fill_mask.pte") == 1


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
    kept = 5  # LICENSES/, README.md and SIZE.txt are part of every bundle
    assert f"{written - kept} removed" in capsys.readouterr().out
    assert (tmp_path / "fill_mask" / "fill_mask.pte").exists()
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"fill_mask", "LICENSES", "linnet", "wheels"}
    assert [path.name for path in (tmp_path / "linnet").iterdir()] == ["mine.txt"]


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


def test_a_full_disk_leaves_nothing_behind(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same command works afterwards, in a new folder and in one that has an older bundle."""
    folder = tmp_path / "part"
    write = Path.write_bytes

    def no_space(path: Path, data: bytes) -> int:
        if path.suffix == ".pte":
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)

    for task in ("text-classification", "fill-mask"):
        before = state(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", no_space)
            assert bundle(files / f"{task}.pte", "python", folder, "--force") == 5
        assert state(tmp_path) == before
        assert folder.exists() == bool(before)
        assert re.search(rf"{folder} cannot be written: .*, at least \d+ bytes are needed; ", capsys.readouterr().err)
        assert bundle(files / f"{task}.pte", "python", folder, "--force") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_a_folder_that_was_left_half_way_is_completed(files: Path, tmp_path: Path) -> None:
    """As after an end of the process between two files: the mark is there, files are missing."""
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    before = state(tmp_path)
    (tmp_path / "sample.py").unlink()
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    assert {name: data for name, (data, _) in state(tmp_path).items()} == {
        name: data for name, (data, _) in before.items()
    }


@pytest.mark.parametrize("target", TARGETS)
def test_sizes_and_licences_are_there(files: Path, tmp_path: Path, target: str) -> None:
    assert bundle(files / "fill-mask.pte", target, tmp_path) == 0
    lines = (tmp_path / "SIZE.txt").read_text().splitlines()
    sizes = {name: int(size) for name, size, _ in (line.split() for line in lines[2:])}
    assert sizes["total"] == sum(size for name, size in sizes.items() if name != "total")
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert written - sizes["total"] == sum(
        (tmp_path / name).stat().st_size for name in ("SIZE.txt", "linnet-bundle.json")
    )
    assert "Apache License" in (tmp_path / "LICENSES" / "linnet.txt").read_text()
    attribution = (tmp_path / "LICENSES" / "ATTRIBUTION.txt").read_text()
    assert read_subject(files / "fill-mask.pte").manifest.source in attribution


# -- constants -------------------------------------------------------------------------------------


def test_names_of_constants() -> None:
    labels = ["volume_down", "volume down", "3 stars", "è più", "日本", "a-b", ""]
    names = ["VOLUME_DOWN", "VOLUME_DOWN_2", "LABEL_3_STARS", "E_PIU", "LABEL_4", "A_B", "LABEL_6"]
    assert constant_names(labels) == names
    assert type_name("home_intents") == "HomeIntents"


@pytest.mark.parametrize(
    ("labels", "constants", "cases"),
    [
        (["a_2", "a", "a!"], ["A_2", "A", "A_3"], ["a2", "a", "a_2"]),
        (["1.0", "10"], ["LABEL_1_0", "LABEL_10"], ["label1_0", "label10"]),
        (["C++", "C#", "C"], ["C_PLUS_PLUS", "C_SHARP", "C"], ["cPlusPlus", "cSharp", "c"]),
        (["a b", "a-b"], ["A_B", "A_B_2"], ["aB", "aB_2"]),
        (["class", "1", ""], ["CLASS", "LABEL_1", "LABEL_2"], ["class", "label1", "label2"]),
        (["日本", "0"], ["LABEL_0", "LABEL_0_2"], ["label0", "label0_2"]),
        (["asset", "file"], ["ASSET", "FILE_2"], ["asset", "file_2"]),
    ],
)
def test_names_are_distinct_in_every_language(labels: list[str], constants: list[str], cases: list[str]) -> None:
    assert constant_names(labels, ("FILE",)) == constants
    assert camel_names(labels, ("file",)) == cases


@pytest.mark.parametrize("name", ["class", "json", "int", "linnet", "3x", "when", "wheels", "licenses"])
def test_a_model_is_not_named_as_a_word_of_a_language(name: str) -> None:
    found = identifier(name)
    assert found != name
    assert found.isidentifier()


def test_literals_are_read_back_by_each_language(tmp_path: Path) -> None:
    text = 'a"\\$\n\x01\x7f9é\u2028${b}'
    assert ast.literal_eval(quoted(text, "python")) == text
    assert quoted(text, "kotlin") == '"a\\"\\\\\\$\\n\\u0001\\u007f9é\u2028\\${b}"'
    assert quoted(text, "swift") == '"a\\"\\\\$\\n\\u{1}\\u{7f}9é\u2028${b}"'
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    (tmp_path / "say.c").write_text(f"#include <stdio.h>\nint main(void) {{ fputs({quoted(text, 'c')}, stdout); }}\n")
    run("cc", "-Wall", "-Werror", "-o", "say", "say.c", folder=tmp_path)
    assert subprocess.run(["./say"], cwd=tmp_path, capture_output=True, check=True).stdout.decode() == text


def test_awkward_labels_are_code_in_c_and_python(files: Path, tmp_path: Path) -> None:
    for target in ("c", "python"):
        subject = awkward_part(files / "text-classification.pte", target, tmp_path / target)
        assert subject.type_name == "ClassModel"
    ask = "import class_model, json; print(json.dumps([each.value for each in class_model.ClassModel]))"
    assert tuple(json.loads(run(sys.executable, "-c", ask, folder=tmp_path / "python"))) == AWKWARD
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    names = re.findall(r"^  (CLASS_MODEL_\w+) = (\d+),$", (tmp_path / "c" / "class_model.h").read_text(), re.MULTILINE)
    assert [int(index) for _, index in names] == list(range(len(AWKWARD)))
    (tmp_path / "all.c").write_text(f'#include "class_model.h"\nint all[] = {{{", ".join(dict(names))}}};\n')
    run("cc", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{tmp_path / 'c'}", "all.c", folder=tmp_path)


@pytest.mark.slow
def test_awkward_labels_are_code_in_kotlin(files: Path, tmp_path: Path) -> None:
    tool, kept = kotlin_compiler()
    awkward_part(files / "text-classification.pte", "android", tmp_path / "part")
    (labels,) = (tmp_path / "part").rglob("ClassModel.kt")
    main = tmp_path / "Main.kt"
    main.write_text(
        "import dev.linnet.model.class_model.ClassModel\n"
        'fun main() = ClassModel.entries.forEach { println(it.label.map { it.code }.joinToString(" ")) }\n'
    )
    jar = tool.compile_kotlin(kept, [labels, main], tmp_path / "labels.jar")
    said = run("java", "-cp", f"{tool.fetch_compiler(kept)[1]}:{jar}", "MainKt", folder=tmp_path)
    assert tuple("".join(chr(int(code)) for code in line.split()) for line in said.splitlines()) == AWKWARD


@pytest.mark.parametrize(
    ("target", "name", "pin"),
    [("android", "linnet/build.gradle.kts", "executorch-android:"), ("ios", "Package.swift", "swiftpm-")],
)
def test_the_parts_take_the_executorch_that_the_files_are_made_with(
    files: Path, tmp_path: Path, target: str, name: str, pin: str
) -> None:
    file = files / "fill-mask.pte"
    assert bundle(file, target, tmp_path) == 0
    assert f'{pin}{read_subject(file).manifest.executorch_version}"' in (tmp_path / name).read_text(encoding="utf-8")


# -- what the export says of apps --------------------------------------------------------------------


def placeholders(*labels: str) -> list[str]:
    """What the report says of a classifier with these labels."""
    checkpoint: Any = SimpleNamespace(task=get_task("text-classification"), labels=labels)
    return list(app_notes(checkpoint, ("logits",)))


def test_the_export_says_what_an_app_will_lack() -> None:
    (note,) = placeholders("LABEL_0", "LABEL_1")
    assert "LABEL_0 ... LABEL_1" in note
    assert "--labels" in note
    assert placeholders("off", "LABEL_") == []
    embedder: Any = SimpleNamespace(task=get_task("feature-extraction"), labels=())
    (note,) = app_notes(embedder, ("token_embeddings",))
    assert "--pooling mean" in note
    assert list(app_notes(embedder, ("token_embeddings", "embedding"))) == []


# -- several models, wheels ------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_a_model_is_added_to_a_bundle(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    """Nothing of the first model's part changes, and the next steps name both."""
    first, both = tmp_path / "first", [files / "fill-mask.pte", files / "text-ranking.pte"]
    assert bundle(both[0], target, first) == 0
    named = [path for path in first.rglob("*") if "fillmask" in path.name.replace("_", "").lower()]
    own = {path: path.read_bytes() for path in named if path.is_file()}
    assert own
    capsys.readouterr()
    assert bundle(both, target, first) == 0
    steps = capsys.readouterr().out.split("\nnext (")[1].splitlines()[1:]
    assert {path: path.read_bytes() for path in own} == own
    assert bundle(both, target, tmp_path / "both") == 0
    assert {path.relative_to(first) for path in first.rglob("*")} == {
        path.relative_to(tmp_path / "both") for path in (tmp_path / "both").rglob("*")
    }
    text = (first / "README.md").read_text(encoding="utf-8")
    assert steps
    for line in steps:
        assert re.sub(r"^\d+\. ", "", line.strip()) in text.replace("`", "")
    for part in ("fill_mask.pte", "text_ranking.pte", "LICENSES/", "SIZE.txt"):
        assert part in text
    assert bundle(both[1], target, first) == 2  # one would go


@pytest.mark.parametrize("other", ["FILL-mask", "fillmask", "fill_mask_model"])
def test_files_of_one_name_are_refused(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    shutil.copy(files / "fill-mask.pte", tmp_path / f"{other}.pte")
    assert bundle([files / "fill-mask.pte", tmp_path / f"{other}.pte"], "python", tmp_path / "part") == 2
    assert "expected files whose names differ in code" in capsys.readouterr().err
    assert not (tmp_path / "part").exists()


def test_the_python_folder_installs_without_an_index(files: Path, tmp_path: Path) -> None:
    both = [files / "text-classification.pte", files / "fill-mask.pte"]
    assert bundle(both, "python", tmp_path / "part") == 0
    install = ("-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-index", "--no-deps")
    run(sys.executable, *install, "--target", tmp_path / "site", "-r", "requirements.txt", folder=tmp_path / "part")
    names = {path.name for path in (tmp_path / "site").iterdir()}
    assert {"linnet", "linnet_runtime", "text_classification", "fill_mask"} <= names
    ask = "import fill_mask, linnet; print(linnet.__file__); print(fill_mask.load().manifest.task)"
    said = run(sys.executable, "-c", ask, folder=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert said.split() == [str(tmp_path / "site" / "linnet" / "__init__.py"), "fill-mask"]
    wanted = [line for line in (tmp_path / "part" / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert all(line.startswith(".") for line in wanted)  # paths, no name that somebody else could register


def make_wheel(folder: Path, name: str) -> Path:
    """Write a wheel of linnet whose library is three bytes."""
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("linnet_runtime/lib/liblinnet.so", b"arm")
        archive.writestr("linnet_runtime/include/linnet.h", b"header")
        archive.writestr("linnet_runtime/sources/cpp/text.cpp", b"")
        archive.writestr("linnet_runtime/lib/../../../outside", b"never written")
    return folder / name


def test_a_wheel_of_another_machine_is_taken(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, version = files / "fill-mask.pte", linnet.__version__
    wheel = make_wheel(tmp_path, f"linnet-{version}-cp312-abi3-manylinux_2_34_aarch64.whl")
    assert bundle(file, "c", tmp_path / "c", "--wheel", str(wheel), "--arch", "aarch64") == 0
    assert (tmp_path / "c" / "linnet" / "lib" / "liblinnet.so").read_bytes() == b"arm"
    assert {path.name for path in (tmp_path / "c" / "linnet").iterdir()} == {"lib", "include"}
    assert not list(tmp_path.rglob("outside"))
    shown = "aarch64-linux-gnu-gcc" in (tmp_path / "c" / "README.md").read_text(encoding="utf-8")
    assert shown == (platform.machine() != "aarch64")
    assert bundle(file, "python", tmp_path / "python", "--wheel", str(wheel)) == 0
    assert (tmp_path / "python" / "wheels" / wheel.name).read_bytes() == wheel.read_bytes()
    capsys.readouterr()
    old = make_wheel(tmp_path, "linnet-0.0.1-cp312-abi3-manylinux_2_34_aarch64.whl")
    other = "x86_64" if platform.machine() == "aarch64" else "aarch64"
    refused = {
        ("--arch", other): "give one with --wheel",
        ("--wheel", str(wheel), "--arch", "x86_64"): "is for aarch64, expected x86_64",
        ("--wheel", str(old)): f"has linnet 0.0.1, expected {version}",
        ("--wheel", str(file)): "is no wheel of linnet",
    }
    for options, said in refused.items():
        assert bundle(file, "c", tmp_path / "refused", *options) == 2
        assert said in capsys.readouterr().err
    assert bundle(file, "ios", tmp_path / "refused", "--wheel", str(wheel)) == 2
    assert "built from sources" in capsys.readouterr().err
    assert not (tmp_path / "refused").exists()


# -- built and run from the folder -----------------------------------------------------------------


def test_the_c_project_builds_and_answers_alone(files: Path, tmp_path: Path) -> None:
    """One project of all tasks."""
    check_c_project([*(files / f"{task}.pte" for task in TASKS), decoder_file()], tmp_path)


def snippets(folder: Path, language: str) -> list[str]:
    """Return the code blocks of "Use it" in README.md."""
    used = (folder / "README.md").read_text(encoding="utf-8").partition("## Use it")[2].partition("## What is here")[0]
    return re.findall(rf"```{language}\n(.*?)```", used, re.DOTALL)


def test_the_c_code_of_the_readme_compiles_and_answers(files: Path, tmp_path: Path) -> None:
    """For every task, in C and in C++; every status is looked at."""
    if shutil.which("pkg-config") is None or shutil.which("c++") is None:
        pytest.skip("needs pkg-config and a C compiler")
    subjects = read_subjects([*(files / f"{task}.pte" for task in TASKS), decoder_file()])
    assert bundle([subject.path for subject in subjects], "c", tmp_path) == 0
    path = str(tmp_path / "linnet" / "lib" / "pkgconfig")
    flags = run("pkg-config", "--cflags", "--libs", "linnet", folder=tmp_path, PKG_CONFIG_PATH=path).split()
    strict = ("-Wall", "-Wextra", "-Werror")
    for subject, code in zip(subjects, snippets(tmp_path, "c"), strict=True):
        main = f"int main(int count, char** words) {{ return count > 1 && ask_{subject.name}(words[1]); }}\n"
        (tmp_path / "use.c").write_text(code + main)
        run("cc", *strict, "-Werror=unused-result", "use.c", "-I.", *flags, "-o", "use", folder=tmp_path)
        check_c_answer(subject, run("./use", "model", folder=tmp_path))
        failed = subprocess.run(["./use", "nowhere"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert failed.returncode == 1
        assert failed.stderr.startswith("LINNET_FILE_NOT_FOUND: ")


@pytest.mark.parametrize(("target", "language"), [("android", "kotlin"), ("ios", "swift"), ("python", "python")])
def test_the_readme_asks_every_model(files: Path, tmp_path: Path, target: str, language: str) -> None:
    both = [files / "text-classification.pte", files / "question-answering.pte"]
    assert bundle(both, target, tmp_path) == 0
    first, second = snippets(tmp_path, language)
    assert "TextClassification" in first
    assert "question" in second.lower()
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "`question_answering.pte`, question-answering:\n\n```" in text


def test_the_code_of_the_android_readme_has_its_imports(files: Path, tmp_path: Path) -> None:
    assert bundle([files / "text-classification.pte", decoder_file()], "android", tmp_path) == 0
    asking, writing = snippets(tmp_path, "kotlin")
    assert {"viewModelScope", "async", "ask"} <= imports_of(asking)
    assert {"viewModelScope", "async", "textFlow", "flow", "emitAll"} <= imports_of(writing)


def imports_of(code: str) -> set[str]:
    """Return what Kotlin code imports, which has to be every type that it uses."""
    imported = {line.rsplit(".", 1)[1] for line in code.splitlines() if line.startswith("import ")}
    body = re.sub(r'"[^"]*"', "", "\n".join(line for line in code.splitlines() if "import" not in line))
    used = set(re.findall(r"\b[A-Z]\w+", body))
    own = {"TextClassificationViewModel", "DecoderViewModel", "String", "ASSET", "Pieces"}  # and what needs no import
    assert used - own <= imported
    return imported


def test_the_folder_says_which_python_it_is_for(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundle(files / "fill-mask.pte", "python", tmp_path) == 0
    (wheel,) = (tmp_path / "wheels").iterdir()
    here = python_of(wheel.name)
    assert here.startswith("CPython 3.")
    assert f"with {here}: `python -m pip install" in (tmp_path / "README.md").read_text()
    assert f"with {here}: " in (tmp_path / "requirements.txt").read_text()
    assert python_of("linnet-0.1.0-cp312-abi3-manylinux_2_34_aarch64.whl") == "CPython 3.12 or newer on aarch64 Linux"
    monkeypatch.chdir(tmp_path)
    wheel.rename(wheel.with_name("linnet-0.1.0-cp39-cp39-linux_x86_64.whl"))
    with pytest.raises(SystemExit, match=r"expected CPython 3\.9 on x86_64 Linux.*linnet bundle --wheel FILE"):
        build_wheel(str(tmp_path))


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
    swift = (tmp_path / "Sources" / "TextClassificationModel" / "TextClassification.swift").read_text()
    assert '    case `label0` = "LABEL_0"\n' in swift
    assert (tmp_path / "Sources" / "TextClassificationModel" / "Resources" / "text_classification.pte").exists()


def test_the_kernels_of_the_swift_package_compile(tmp_path: Path) -> None:
    """With the settings of Package.swift, from the written folder alone. All files are those of the Android part."""
    if shutil.which("c++") is None:
        pytest.skip("needs a C++ compiler")
    assert bundle(default_model(), "ios", tmp_path / "ios") == 0
    assert bundle(default_model(), "android", tmp_path / "android") == 0
    kernels, cpp = tmp_path / "ios" / "Sources" / "CLinnetKernels", tmp_path / "android/linnet/src/main/cpp"
    manifest = (tmp_path / "ios" / "Package.swift").read_text(encoding="utf-8")
    settings = manifest[manifest.index('name: "CLinnetKernels"') : manifest.index("let engine")]
    paths = re.findall(r'(?:headerSearchPath\(|publicHeadersPath: )"([^"]+)"', settings)
    options = [*(f"-I{kernels / path}" for path in paths), *re.findall(r'"(-f[^"]+)"', settings)]
    options += [f"-D{name}" for name in re.findall(r'\.define\("([^"]+)"\)', settings)]
    sources = {file.relative_to(kernels) for file in kernels.rglob("*.cpp")}
    same = {file.relative_to(cpp) for part in ("runtime", "kernel_library") for file in (cpp / part).rglob("*.cpp")}
    assert sources == {file for file in same if file.parts[1] not in ("text", "c_api")}
    for source in ("kernel_library/library.cpp", "runtime/kernels/linear_backend.cpp"):
        run("c++", "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", *options, kernels / source, folder=tmp_path)
    # of the shared library for Android: in an app they would hide ExecuTorch's own functions
    assert not [*kernels.rglob("executorch_symbols.c"), *kernels.rglob("CMakeLists.txt")]


def test_the_python_packages_answer_alone(files: Path, tmp_path: Path) -> None:
    """One folder of all tasks."""
    tasks = ["text-classification", *(task for task in TASKS if task != "text-classification")]
    assert bundle([files / f"{task}.pte" for task in tasks], "python", tmp_path) == 0
    said = run(sys.executable, "-W", "error", "sample.py", folder=tmp_path)
    best = max(answer_of(files / "text-classification.pte"), key=lambda answer: answer[2])[0]
    assert said.startswith(f"TextClassification.{constant_names([best])[0]} ")
    assert len(said.splitlines()) >= len(tasks)


@pytest.mark.slow
@pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "no kernels"])
def test_an_app_of_three_models_compiles_and_answers_on_the_desktop(files: Path, tmp_path: Path, kernels: bool) -> None:
    """LinnetAndroid.kt too, over stand-ins of Android and of ExecuTorch's package."""
    models = [files / "text-classification.pte", files / "question-answering.pte", decoder_file()]
    said = check_android_module(models, tmp_path, kernels=kernels)
    compressed, missing = said.pop(1), said.pop(1)
    chosen, methods, refused = said[-3:]
    assert said[:-3] == ["open 0", "list true", "flow true", "taken 2", "cancelled", "answered true 1"]
    if kernels:
        name = runtime_info()["kernels"]
        fast = "forward" if name == "portable" else "forward_fused"
        assert (chosen, methods) == (f"kernels {name} null", f"methods {fast} forward forward_fused")
    else:
        assert chosen.startswith("kernels null java.lang.UnsatisfiedLinkError")
        assert methods == "methods forward forward UNKNOWN_METHOD"
    assert refused == "refused forward UNKNOWN_METHOD"
    assert compressed.startswith("compressed FILE_UNREADABLE ")
    assert 'androidResources { noCompress += "pte" }' in compressed
    assert missing.startswith("missing FILE_NOT_FOUND ")


@pytest.mark.slow
def test_the_c_project_answers_on_aarch64(files: Path, tmp_path: Path) -> None:
    """Cross-built against the library of the wheel, installed into a folder, and run in QEMU."""
    root = Path(__file__).resolve().parents[3]
    machine = root / "build" / "aarch64"
    compiler = machine / "toolchain" / "cross-bin" / "aarch64-linux-gnu-gcc-12"
    qemu = machine / "qemu-bookworm" / "usr" / "bin" / "qemu-aarch64-static"
    wheels = sorted((root / "dist").glob(f"linnet-{linnet.__version__}-*aarch64.whl"))
    if not (compiler.exists() and qemu.exists() and wheels):
        pytest.skip("needs the machine that make test-aarch64 prepares")
    both, project = [files / "text-classification.pte", files / "question-answering.pte"], tmp_path / "part"
    assert bundle(both, "c", project, "--wheel", str(wheels[0])) == 0
    cross = ("-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_C_COMPILER={compiler}", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
    run("cmake", "-S", ".", "-B", "build", *cross, folder=project)
    run("cmake", "--build", "build", folder=project)
    run("cmake", "--install", "build", "--prefix", tmp_path / "there", folder=project)
    shutil.rmtree(project)
    start = (qemu, "-cpu", "cortex-a72", "-L", machine / "userland-bookworm")
    for subject in read_subjects(both):
        sample = tmp_path / "there" / "bin" / f"{subject.name}_sample"
        check_c_answer(subject, run(*start, sample, tmp_path / "there" / "model", folder=tmp_path))
