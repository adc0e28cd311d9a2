"""The Swift package of `linnet bundle`, compiled on Linux from the written folder: its XCTest cases, its samples.

The conformance cases one by one are in tests/conformance.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linnet.cli import main as cli
from tests.conformance.runners import MissingReader
from tests.runtime_bindings.swift.swift import run_tests, swift, toolchain

TASKS = (
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-ranking",
    "token-classification",
)
# what an app brings: its engine, and what Xcode and `swift build` generate for resources
APP = """\
import Foundation
extension Bundle { static var module: Bundle { Bundle.main } }
final class MyEngine: Engine {
    init(_ path: String) {}
    func manifest() -> [String: ManifestValue] { [:] }
    func run(_ inputs: [[Int64]]) throws -> [Tensor] { [] }
}
func sample() throws {
"""


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
    assert max(executed) == 10
    assert "IntentsTests.testTheFileIsThereAndWhole" in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_sample_compiles(files: Path, tmp_path: Path, task: str) -> None:
    """What `swiftc` cannot know is added as an app would: the engine."""
    assert cli.main(["bundle", str(files / f"{task}.pte"), "--target", "ios", "-o", str(tmp_path)]) == 0
    app = tmp_path / "App.swift"
    app.write_text(f"{APP}{(tmp_path / 'Sample.txt').read_text(encoding='utf-8')}}}\n", encoding="utf-8")
    sources = sorted((tmp_path / "Sources" / "Linnet").glob("*.swift"))
    done = swift("-typecheck", "-I", tmp_path / "Sources" / "CLinnet" / "include", *sources, app)
    assert done.returncode == 0, done.stderr[-4000:]


def test_without_a_compiler_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = toolchain()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tool, "READY", tmp_path / "nothing")
    with pytest.raises(tool.UnavailableError, match="make test-swift fetches"):
        tool.command("test")
    with pytest.raises(tool.UnavailableError, match=r"Linux with unshare \(util-linux\)"):
        tool.fetch()
