"""The Swift package of `linnet bundle`, compiled on Linux from the written folder: its XCTest cases, its samples.

The conformance cases one by one are in tests/conformance.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from linnet.assets import default_model
from linnet_export.bundle.subject import read_subjects
from tests.conformance.runners import MissingReader
from tests.runtime_bindings.swift.swift import EXECUTORCH, build, run_tests, swift, toolchain
from tests.support.bundles import AWKWARD, awkward_part, bundle, check_sample, records_of
from tests.support.decoder_file import decoder_file

TASKS = (
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-ranking",
    "token-classification",
)


@pytest.fixture(autouse=True, scope="module")
def _compiler() -> None:
    try:
        swift("--version")
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")


@pytest.mark.slow
def test_every_xctest_case_passes() -> None:
    done = run_tests()
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    executed = [
        int(number) for number in re.findall(r"Executed (\d+) tests?, with 0 failures", done.stdout + done.stderr)
    ]
    assert max(executed) == 27
    assert "IntentsTests.testTheFileIsThereAndWhole" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_package_of_all_tasks_answers_through_the_engine(files: Path, tmp_path: Path) -> None:
    """Its own sample, over a stand-in of ExecuTorch's package that answers with what the program answered before."""
    package = tmp_path / "models"
    paths = [*(files / f"{task}.pte" for task in TASKS), decoder_file()]  # whose text has any characters, so it is last
    assert bundle(paths, "ios", package) == 0
    build(package, "--product", "Sample")
    subjects = read_subjects(paths)
    for subject in subjects:
        (tmp_path / f"{subject.asset}.tsv").write_text(records_of(subject), encoding="utf-8")
    options = ("--package-path", package, "--skip-build", "Sample")
    done = swift("run", *options, **EXECUTORCH, LINNET_RECORDS=str(tmp_path))
    assert done.returncode == 0, done.stderr[-4000:]
    said = done.stdout.split("\n", len(TASKS))
    assert len(said) == len(subjects)
    for subject, line in zip(subjects, said, strict=True):
        check_sample(subject, line)


@pytest.mark.slow
def test_awkward_labels_are_code(files: Path, tmp_path: Path) -> None:
    awkward_part(files / "text-classification.pte", "ios", tmp_path / "part")
    source = (tmp_path / "part" / "Sources" / "ClassModelModel" / "ClassModel.swift").read_text(encoding="utf-8")
    body = source[source.index("public enum") : source.index("    /// The file")]
    main = tmp_path / "main.swift"
    main.write_text(f"import Foundation\n{body}}}\nprint(ClassModel.allCases.count)\n", encoding="utf-8")
    done = swift("-typecheck", "-warnings-as-errors", main)
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(re.findall(r"^    case `", body, re.MULTILINE)) == len(AWKWARD)


@pytest.mark.slow
def test_without_executorch_the_package_is_whole(tmp_path: Path) -> None:
    """As on Linux, where ExecuTorch's package has no binaries: all but its engine is there."""
    assert bundle(default_model(), "ios", tmp_path) == 0
    done = swift("package", "--package-path", tmp_path, "describe", "--type", "json")
    assert done.returncode == 0, done.stderr[-4000:]
    names = {target["name"] for target in json.loads(done.stdout)["targets"]}
    assert names == {"CLinnet", "Linnet", "IntentsModel", "Sample", "LinnetTests"}


def test_without_a_compiler_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = toolchain()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tool, "READY", tmp_path / "nothing")
    with pytest.raises(tool.UnavailableError, match="make test-swift fetches"):
        tool.command("test")
    with pytest.raises(tool.UnavailableError, match=r"Linux with unshare \(util-linux\)"):
        tool.fetch()
