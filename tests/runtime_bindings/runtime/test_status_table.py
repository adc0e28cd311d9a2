"""linnet.h, the core and linnet.errors agree on every status; the header and the binding on every version."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest

from linnet import errors
from linnet.errors import InternalError, LinnetError, error_class

HEADER = Path(__file__).resolve().parents[3] / "runtime_bindings" / "include" / "linnet.h"


def header_statuses() -> dict[str, int]:
    """Return name and number of each status in the header."""
    block = HEADER.read_text(encoding="utf-8").split("typedef int32_t linnet_status;")[1].split("};")[0]
    return {name: int(number) for name, number in re.findall(r"(LINNET_\w+) = (\d+)", block)}


def all_errors() -> list[type[LinnetError]]:
    def below(cls: type[LinnetError]) -> list[type[LinnetError]]:
        return [cls, *(leaf for child in cls.__subclasses__() for leaf in below(child))]

    return below(LinnetError)


def test_the_header_has_every_status_of_the_errors_and_none_more() -> None:
    named = {cls.status_name: cls.status for cls in all_errors() if cls.status}
    assert named == {name: number for name, number in header_statuses().items() if number}
    assert len(named) == 30


@pytest.mark.parametrize(("name", "number"), header_statuses().items())
def test_the_core_names_every_status(library: ctypes.CDLL, name: str, number: int) -> None:
    assert library.linnet_status_name(number).decode() == name


@pytest.mark.parametrize("number", [-1, 1, 99, 110, 500000])
def test_other_numbers_are_unknown(library: ctypes.CDLL, number: int) -> None:
    assert library.linnet_status_name(number) == b"LINNET_UNKNOWN"
    assert error_class(number) is InternalError


def test_numbers_stand_in_the_block_of_their_class() -> None:
    blocks = {
        errors.CallerError: 1,
        errors.FileError: 2,
        errors.BuildError: 3,
        errors.RunError: 4,
        errors.InternalError: 5,
    }
    for cls in all_errors():
        if cls.status:
            (block,) = [number for base, number in blocks.items() if issubclass(cls, base)]
            assert cls.status // 100 == block


def test_the_abi_version_is_the_one_of_the_header(library: ctypes.CDLL) -> None:
    (version,) = re.findall(r"#define LINNET_ABI_VERSION (\d+)", HEADER.read_text(encoding="utf-8"))
    assert library.linnet_abi_version() == int(version)


def test_every_function_of_the_header_is_exported(library: ctypes.CDLL) -> None:
    names = re.findall(r"LINNET_API [^;]*?(linnet_\w+)\(", HEADER.read_text(encoding="utf-8"))
    assert len(names) >= 20
    for name in names:
        assert getattr(library, name)


@pytest.mark.parametrize("number", [4, 77, -1])
def test_a_score_function_that_there_is_not_is_refused(library: ctypes.CDLL, number: int) -> None:
    """The fuzzer found that the number was read as an enum."""
    values = (ctypes.c_float * 2)(1, 2)
    assert library.linnet_apply_scores(number, values, 1, 2) == 100
    assert list(values) == [1, 2]
