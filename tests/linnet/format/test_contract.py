"""The manifest's cross checks and lists, and the trailer's layout, in Python alone."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError, ManifestInvalidError, SchemaTooNewError, TrailerDamagedError
from linnet.format.manifest import TASKS, Manifest, _stored_bytes, join_items, split_items
from linnet.format.trailer import FOOTER_SIZE, build_trailer, read_trailer
from tests.support.sdk_fakes import make_manifest

# -- manifest --------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_every_task_survives_its_raw_form(task: str) -> None:
    manifest = make_manifest(task)
    assert Manifest.from_raw(manifest.to_raw()) == manifest


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        ("translation", {}, "task is 'translation'"),
        ("fill-mask", {"mask_id": -1}, "fill-mask needs a mask token"),
        ("fill-mask", {"vocab_size": 0}, "vocab_size is 0"),
        ("fill-mask", {"pad_id": 10**6}, "pad_id is 1000000"),
        ("fill-mask", {"tokenizer": b""}, "tokenizer is empty"),
        ("fill-mask", {"max_length": 1}, "max_length is 1"),
        ("fill-mask", {"inputs": ("token_type_ids",)}, "expected input_ids first"),
        ("fill-mask", {"outputs": ()}, "outputs is empty"),
        ("fill-mask", {"max_batch": 2}, "batch_inputs is []"),
        ("fill-mask", {"score_function": "relu"}, "score_function is 'relu'"),
        ("fill-mask", {"pooling": "sum"}, "pooling is 'sum'"),
        ("text-classification", {"labels": ()}, "labels is empty"),
        ("feature-extraction", {"embedding_size": 0}, "embedding_size is 0"),
        ("feature-extraction", {"prompt_names": ("a",)}, "1 prompt_names but 0 prompts"),
        ("feature-extraction", {"default_prompt": "a"}, "not in prompt_names"),
    ],
)
def test_contradictions_are_named(task: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestInvalidError) as caught:
        make_manifest(task, **changes)
    assert message in str(caught.value)


def test_all_contradictions_are_named_at_once() -> None:
    with pytest.raises(ManifestInvalidError) as caught:
        make_manifest("fill-mask", mask_id=-1, outputs=(), max_length=0)
    assert str(caught.value).count(";") == 2


def test_missing_fields_and_wrong_types_are_named_at_once() -> None:
    raw = make_manifest("fill-mask").to_raw()
    del raw["source"]
    raw |= {"max_length": "12", "normalized": 1, "labels": b""}
    with pytest.raises(ManifestInvalidError) as caught:
        Manifest.from_raw(raw)
    for part in ("source is missing", "max_length is str, expected int", "normalized is int, expected bool",
                 "labels is bytes, expected str"):  # fmt: skip
        assert part in str(caught.value)


def test_a_newer_minor_version_may_add_fields_and_a_newer_major_may_not_be_read() -> None:
    raw = make_manifest("fill-mask").to_raw()
    newer = Manifest.from_raw({**raw, "schema_version": "1.7", "later": 3})
    assert newer.schema_version == "1.7"
    with pytest.raises(SchemaTooNewError, match=r"2\.0.*1\.x; install a newer linnet"):
        Manifest.from_raw({"schema_version": "2.0"})


@pytest.mark.parametrize("version", [None, 1, "", "1", "1.0.0", "0.9", "1.x", "-1.0", "\u0661.0"])
def test_odd_versions_are_refused(version: Any) -> None:
    with pytest.raises(ManifestInvalidError, match="schema_version"):
        Manifest.from_raw({"schema_version": version})


def test_every_field_is_described() -> None:
    for field in dataclasses.fields(Manifest):
        assert field.metadata["doc"]
        assert field.metadata["kind"] in Manifest.STORED


# -- lists in one string ---------------------------------------------------------------------------


@given(st.lists(st.text()))
def test_items_survive_joining(items: list[str]) -> None:
    if items == [""]:
        with pytest.raises(ValueError, match="one empty string"):
            join_items(items)
    else:
        assert split_items(join_items(items)) == tuple(items)


# -- trailer ---------------------------------------------------------------------------------------

PROGRAM = b"\0\0\0\0ET12" + bytes(range(256)) * 2


@settings(deadline=None)
@given(
    evidence=st.dictionaries(
        st.text(max_size=5), st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=9) | st.none(), max_size=4
    ),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=4),
)
def test_a_trailer_reads_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, evidence: dict[str, Any], cuts: list[tuple[int, int]]
) -> None:
    ranges = [(0, 64), *cuts]
    path = tmp_path_factory.getbasetemp() / "trailer.pte"
    path.write_bytes(PROGRAM + build_trailer(PROGRAM, ranges, evidence))
    trailer = read_trailer(path)
    assert trailer.program_size == len(PROGRAM)
    assert trailer.evidence == evidence
    assert trailer.ranges == tuple(ranges)
    assert trailer.version == (1, 0)
    covered = b"".join(PROGRAM[start : start + size] for start, size in ranges)
    assert trailer.ranges_sha256 == hashlib.sha256(covered).digest()
    # everything before the field itself, which ends 16 bytes before the end
    assert trailer.file_sha256 == hashlib.sha256(path.read_bytes()[:-48]).digest()


@pytest.mark.parametrize("ranges", [[], [(1, 4)], [(0, 0)], [(0, 4), (-1, 2)], [(0, 10**6)], [(0, 4), (500, 100)]])
def test_ranges_outside_of_the_program_are_refused(ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="range"):
        build_trailer(PROGRAM, ranges, {})


def test_nan_cannot_be_evidence() -> None:
    with pytest.raises(ValueError, match="JSON"):
        build_trailer(PROGRAM, [(0, 8)], {"x": float("nan")})


def test_no_truncation_reads_as_a_whole_file(tmp_path: Path) -> None:
    data = PROGRAM + build_trailer(PROGRAM, [(0, 64)], {"status": "proven"})
    path = tmp_path / "cut.pte"
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(LinnetError):
            read_trailer(path)


@pytest.mark.parametrize("field", range(6))
def test_lengths_that_do_not_add_up_are_damage(tmp_path: Path, field: int) -> None:
    data = bytearray(PROGRAM + build_trailer(PROGRAM, [(0, 64)], {"status": "proven"}))
    # magic, major version, footer size, program size, evidence size, range count
    offset = len(data) - FOOTER_SIZE + (0, 8, 12, 16, 24, 32)[field]
    data[offset] ^= 1
    path = tmp_path / "odd.pte"
    path.write_bytes(data)
    with pytest.raises(TrailerDamagedError):
        read_trailer(path)


def test_evidence_that_is_no_json_is_damage(tmp_path: Path) -> None:
    data = bytearray(PROGRAM + build_trailer(PROGRAM, [(0, 64)], {"status": "proven"}))
    data[len(PROGRAM)] = 0xFF
    path = tmp_path / "odd.pte"
    path.write_bytes(data)
    with pytest.raises(TrailerDamagedError, match="not JSON"):
        read_trailer(path)


def test_the_footer_says_that_seven_bits_are_proven(tmp_path: Path) -> None:
    data = bytearray(PROGRAM + build_trailer(PROGRAM, [(0, 64)], {"activation_bits": 7}))
    path = tmp_path / "seven.pte"
    path.write_bytes(data)
    assert read_trailer(path).version == (1, 3)
    assert data[-16:-8] == bytes([7, 0, 0, 0, 0, 0, 0, 0])
    for minor, bits, good in ((3, 0, True), (3, 6, False), (2, 7, False), (4, 6, True)):
        data[-FOOTER_SIZE + 10], data[-16] = minor, bits
        path.write_bytes(data)
        with nullcontext() if good else pytest.raises(TrailerDamagedError, match="other bytes behind its hashes"):
            read_trailer(path)


def test_the_footer_stands_where_the_layout_says() -> None:
    trailer = build_trailer(PROGRAM, [(0, 64), (100, 20)], {"a": 1})
    footer = trailer[-FOOTER_SIZE:]
    assert (footer[:8], footer[-8:]) == (b"LNTRAILR", b"LNTREND\n")
    assert struct.unpack("<HHI", footer[8:16]) == (1, 0, 128)
    assert struct.unpack("<QQQQ", footer[16:48]) == (len(PROGRAM), len(b'{"a": 1}'), 2, 0)
    assert trailer[:8] == b'{"a": 1}'
    assert struct.unpack("<QQQQ", trailer[8:40]) == (0, 64, 100, 20)


def test_the_bound_of_a_list_counts_the_bytes_that_are_stored() -> None:
    """Each line end and backslash of an item is stored as two bytes."""
    for items in (("a", "b"), ("a\nb", "\\"), ("é", ""), ()):
        assert _stored_bytes(items) == len(join_items(items).encode())
    assert _stored_bytes(("a\nb", "\\")) == 4 + 1 + 2
