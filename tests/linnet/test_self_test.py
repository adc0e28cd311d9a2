"""The self-test of linnet.load: golden cases once for each file and machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.errors import GoldenMismatchError, InvalidArgumentError, TrailerDamagedError
from linnet.format.evidence import GoldenCase
from linnet.format.footer import file_identity
from linnet.format.json_objects import write_object
from linnet.format.trailer import build_trailer, read_trailer
from tests.support.golden_cases import record_case
from tests.support.sdk_fakes import FakeRuntime, Program, fake_model, hashed_program, make_manifest

TEXTS = (
    "a",
    "the cat",
    "the cat sat",
    "the cat sat on the mat",
    "the cat sat on the mat and the dog sat in london town",
    "the cat sat on the mat and the dog sat in london and the sun and the rain and the river and the old house",
)
CASES = 2
FILE = bytes(200)
Opener = Callable[..., FakeRuntime]


def recorded(task: str = "text-classification", program: Program | None = None, **more: Any) -> str:
    """Return the evidence of a proven file."""
    model = fake_model(task, program or hashed_program(3))
    return proven([record_case(model, text) for text in TEXTS], **more)


def proven(cases: list[GoldenCase], **more: Any) -> str:
    return json.dumps({"golden": write_object(cases), **more})


def broken(program: Program) -> Program:
    """A program on a processor whose multiplication is wrong."""
    return lambda ids, types: [output + np.float32(0.2) for output in program(ids, types)]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LINNET_SELF_TEST", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def opens(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Let linnet.load open this runtime, whatever the bytes."""

    def opens(program: Program, evidence: str, task: str = "text-classification") -> FakeRuntime:
        runtime = FakeRuntime(make_manifest(task), program, evidence=evidence)
        monkeypatch.setattr("linnet.loading.open_runtime", lambda source, threads: runtime)
        return runtime

    return opens


def test_the_first_load_runs_cases_and_the_next_only_reads_the_note(opens: Opener, cache: Path) -> None:
    runtime = opens(hashed_program(3), recorded())
    linnet.load(FILE)
    lengths = [tokens for _, _, tokens in runtime.calls]
    assert lengths == [3, 17]  # with [CLS] and [SEP]: the shortest, and the shortest beyond a tile of 16 rows
    assert len(lengths) == CASES
    linnet.load(FILE)
    assert len(runtime.calls) == CASES
    linnet.load(bytes(99) + b"another file's hash" * 9)
    assert len(runtime.calls) == 2 * CASES
    assert len(list((cache / "self-test").iterdir())) == 2


@pytest.mark.parametrize(("texts", "lengths"), [(TEXTS[:4], [3, 8]), (TEXTS[:1], [3]), (TEXTS[5:], [24])])
def test_fewer_or_other_lengths_take_what_there_is(opens: Opener, texts: tuple[str, ...], lengths: list[int]) -> None:
    model = fake_model("text-classification", hashed_program(3))
    runtime = opens(hashed_program(3), proven([record_case(model, text) for text in texts]))
    linnet.load(FILE)
    assert [tokens for _, _, tokens in runtime.calls] == lengths


def test_another_processor_or_version_is_tested_again(opens: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = opens(hashed_program(3), recorded())
    facts = {"version": "1", "executorch": "1", "cpu": "Cortex-A76", "cpu_features": "neon,dotprod"}
    for changed in ({}, {"cpu_features": "neon"}, {"version": "2"}, {"executorch": "2"}, {"cpu": "Cortex-A72"}):
        runtime.calls.clear()
        monkeypatch.setattr("linnet.self_test.runtime_info", lambda changed=changed: facts | changed)
        linnet.load(FILE)
        assert len(runtime.calls) == CASES
        linnet.load(FILE)
        assert len(runtime.calls) == CASES


def test_wrong_answers_refuse_the_file_each_time_and_close_it(opens: Opener, cache: Path) -> None:
    runtime = opens(broken(hashed_program(3)), recorded())
    for _ in range(2):
        with pytest.raises(GoldenMismatchError, match=r"self-test failed.*2 of 2 golden cases.*LINNET_SELF_TEST=0"):
            linnet.load(FILE)
    assert runtime.closed
    assert not cache.exists()


def test_the_known_fault_of_an_emulator_is_named(opens: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    opens(broken(hashed_program(3)), recorded())
    monkeypatch.setattr("linnet.self_test.runtime_info", lambda: {"cpu_features": "neon,dotprod,i8mm,sme"})
    with pytest.raises(GoldenMismatchError, match=r"QEMU 7\.2"):
        linnet.load(FILE)


def test_it_can_be_left_out(opens: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = opens(broken(hashed_program(3)), recorded())
    linnet.load(FILE, self_test=False)
    monkeypatch.setenv("LINNET_SELF_TEST", "0")
    linnet.load(FILE)
    assert runtime.calls == []
    with pytest.raises(GoldenMismatchError):
        linnet.load(FILE, self_test=True)  # the argument wins


@pytest.mark.parametrize("value", ["yes", "2", "False"])
def test_another_value_of_the_variable_is_an_error(opens: Opener, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    opens(hashed_program(3), "{}")
    monkeypatch.setenv("LINNET_SELF_TEST", value)
    with pytest.raises(InvalidArgumentError, match=rf"LINNET_SELF_TEST is '{value}', expected 0 or 1"):
        linnet.load(FILE)


def test_another_argument_is_an_error(opens: Opener) -> None:
    opens(hashed_program(3), "{}")
    with pytest.raises(InvalidArgumentError, match="self_test is 'no', expected True, False or None"):
        linnet.load(FILE, self_test="no")  # type: ignore[arg-type]


def test_the_files_own_tolerance_counts(opens: Opener) -> None:
    opens(broken(hashed_program(3)), recorded(tolerance={"absolute": 0.3}))
    linnet.load(FILE)


def test_only_the_rows_of_masks_count_for_fill_mask(opens: Opener) -> None:
    program = hashed_program(5, per_token=True)
    case = record_case(fake_model("fill-mask", program), "the [MASK] sat")
    opens(program, proven([case]), "fill-mask")
    linnet.load(FILE)
    opens(broken(program), proven([case]), "fill-mask")
    with pytest.raises(GoldenMismatchError):
        linnet.load(bytes(300) + b"1" * 128)


@pytest.mark.parametrize("evidence", ["{}", '{"golden": []}', '{"golden": null}'])
def test_a_file_without_cases_loads(opens: Opener, evidence: str) -> None:
    runtime = opens(hashed_program(3), evidence)
    linnet.load(FILE)
    assert runtime.calls == []


def test_cases_of_a_wrong_form_are_damage(opens: Opener) -> None:
    opens(hashed_program(3), '{"golden": [{"text": "a"}]}')
    with pytest.raises(TrailerDamagedError, match="wrong form"):
        linnet.load(FILE)


@pytest.mark.parametrize("kind", ["a file in the way", "a damaged note", "no home"])
def test_a_cache_that_cannot_be_used_is_no_error(
    opens: Opener, cache: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    runtime = opens(hashed_program(3), recorded())
    if kind == "a file in the way":
        cache.write_text("")
    elif kind == "a damaged note":
        linnet.load(FILE)
        (note,) = (cache / "self-test").iterdir()
        note.write_bytes(b"\xff\x00")
        runtime.calls.clear()
    else:

        def homeless() -> Path:
            raise RuntimeError("Could not determine home directory.")

        monkeypatch.delenv("LINNET_CACHE")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", homeless)
    linnet.load(FILE)
    assert len(runtime.calls) == CASES


def test_the_cache_follows_the_xdg_variable(opens: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opens(hashed_program(3), recorded())
    monkeypatch.delenv("LINNET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    linnet.load(FILE)
    assert len(list((tmp_path / "xdg" / "linnet" / "self-test").iterdir())) == 1


def test_the_identity_is_the_files_own_hash(tmp_path: Path) -> None:
    program = b"\0\0\0\0ET12" + bytes(500)
    data = program + build_trailer(program, [(0, 16)], {"golden": []})
    file = tmp_path / "file.pte"
    file.write_bytes(data)
    assert file_identity(str(file)) == file_identity(data) == read_trailer(file).file_sha256.hex()
