"""Every reader gives the same verdict on the same table of good and bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linnet.errors import FileTruncatedError, LinnetError, NotAProgramError
from linnet.format.manifest import Manifest
from linnet.format.trailer import read_trailer
from linnet_runtime import Model, verify_file
from tests.support.mutations import CONTRACT_CASES, FILE_CASES, OK, ContractCase, FileCase, Parts


def verdict(action: object, *arguments: object) -> str:
    """Call ``action`` and return the status name of what it raises."""
    try:
        action(*arguments)  # type: ignore[operator]
    except LinnetError as error:
        return error.status_name if str(error) else "an error without a message"
    return OK


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda case: case.name)
def test_files(case: FileCase, parts: Parts, tmp_path: Path) -> None:
    data = case.make(parts)
    file = tmp_path / "case.pte"
    file.write_bytes(data)
    found = (verdict(Model, str(file)), verdict(verify_file, str(file)), verdict(read_trailer, file))
    assert found == (case.load, case.verify, case.trailer)
    if data:
        assert verdict(Model, data) == case.load


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda case: case.name)
def test_a_refusal_names_the_file_and_what_to_do(case: FileCase, parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "case.pte"
    file.write_bytes(case.make(parts))
    if case.load != OK:
        with pytest.raises(LinnetError) as raised:
            Model(str(file))
        assert str(file) in str(raised.value)


@pytest.mark.parametrize("number", range(len(CONTRACT_CASES)), ids=[case.name for case in CONTRACT_CASES])
def test_contracts(number: int, toys: Path) -> None:
    case: ContractCase = CONTRACT_CASES[number]
    file = toys / "contract" / f"{number}.pte"
    assert verdict(Model, str(file)) == case.load
    assert verdict(verify_file, str(file)) == OK
    original = Model(str(toys / "toy.pte")).manifest
    fields = {name: value for name, value in (original | dict(case.changes)).items() if value is not None}
    assert verdict(Manifest.from_raw, fields) == case.manifest


def test_an_intact_contract_reads_as_it_was_written(toy: Path) -> None:
    manifest = Manifest.from_raw(Model(str(toy)).manifest)
    assert manifest.labels == ("on", "off", "other")
    assert manifest.max_length == 24
    assert manifest.normalized is False
    assert manifest.tokenizer.startswith(b"LNWORDPC")
    assert manifest.inputs == ("input_ids", "token_type_ids")


def test_a_missing_path_and_a_folder_have_names_of_their_own(tmp_path: Path) -> None:
    assert verdict(Model, str(tmp_path / "nothing.pte")) == "LINNET_FILE_NOT_FOUND"
    assert verdict(Model, str(tmp_path)) == "LINNET_FILE_UNREADABLE"
    assert verdict(verify_file, str(tmp_path / "nothing.pte")) == "LINNET_FILE_NOT_FOUND"


def test_a_plain_program_is_refused_by_name(toys: Path) -> None:
    assert verdict(Model, str(toys / "plain.pte")) == "LINNET_NOT_A_LINNET_FILE"


ZIP_OF_NOTHING = b"PK\x03\x04" + bytes(40)


@pytest.mark.parametrize(("data", "named"), [
    (b"\n<!DOCTYPE HTML>\n<title>404</title>", "an HTML page"),
    (b"<html><head>", "an HTML page"),
    (b"\xef\xbb\xbf{\"model_type\": 1}", "JSON"),
    (b"[1, 2, 3, 4]", "JSON"),
    (b"<?xml version='1.0'?>", "XML"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "a pointer of git-lfs.*git lfs pull"),
    (ZIP_OF_NOTHING, "a zip archive"),
    (b"GGUF\x03\0\0\0" + bytes(8), "a GGUF file"),
    (b"\x1c\0\0\0TFL3" + bytes(8), "a TensorFlow Lite model"),
    (b"\x1f\x8b\x08" + bytes(8), "a gzip archive"),
    (b"\x80\x02}q\x00." + bytes(8), "a pickle"),
    (b"turn the volume down\n", "a text file"),
    (bytes(16), "ET12 at byte 4"),
])  # fmt: skip
def test_a_file_of_another_kind_is_called_what_it_is(data: bytes, named: str, tmp_path: Path) -> None:
    file = tmp_path / "other.pte"
    file.write_bytes(data)
    with pytest.raises(NotAProgramError, match=f"not an ExecuTorch program, .*{named}"):
        Model(str(file))


def test_files_of_other_libraries_are_called_what_they_are(tmp_path: Path) -> None:
    numpy_file, weights, model = tmp_path / "a.npy", tmp_path / "a.safetensors", tmp_path / "a.onnx"
    np.save(numpy_file, np.zeros(4))
    safetensors_numpy = pytest.importorskip("safetensors.numpy")
    safetensors_numpy.save_file({"a": np.zeros(4)}, weights)
    # onnx.ModelProto(ir_version=10, producer_name="pytorch"), as protobuf serializes it
    model.write_bytes(b"\x08\x0a\x12\x07pytorch" + bytes(8))
    for file, named in ((numpy_file, "a numpy array"), (weights, "a safetensors file"), (model, "an ONNX model")):
        with pytest.raises(NotAProgramError, match=named):
            Model(str(file))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_a_download_that_was_cut_off_is_called_that(share: float, toys: Path, tmp_path: Path) -> None:
    """By the size that the program's own header gives, whether it has a manifest or not."""
    whole = (toys / "plain.pte").read_bytes()
    file = tmp_path / "cut.pte"
    file.write_bytes(whole[: int(share * len(whole))])
    for reader in (Model, verify_file, read_trailer):
        with pytest.raises(FileTruncatedError, match="cut off; fetch it again"):
            reader(str(file))


def test_a_program_of_a_later_executorch_says_both_versions(toys: Path) -> None:
    model = Model(str(toys / "newer.pte"))
    ids = np.ones((1, 3), np.int64)
    with pytest.raises(LinnetError, match=r"9\.2\.0.*1\.5\.1") as raised:
        model.run("forward", [ids, ids])
    assert raised.value.status_name == "LINNET_EXECUTORCH_TOO_OLD"
    assert raised.value.executorch_code == 0x14  # OperatorMissing
    assert "embedding_of_the_future" in str(raised.value)
