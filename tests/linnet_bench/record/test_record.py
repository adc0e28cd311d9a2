"""The record's JSON: round trip, the committed file of schema 1, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.output import check_output_path
from linnet.errors import InvalidArgumentError
from linnet_bench.record.record import LengthResult, Record, RecordError, State, from_json, to_json, write_record
from tests.support.records import GOLDEN, make_record, wrong_record


def _older(record: Record) -> Record:
    """Return the record without what schema 1.2 brought."""

    def state(found: State | None) -> State | None:
        known = ("frequency_mhz", "load_average", "temperature_c")
        return None if found is None else State(**{name: getattr(found, name) for name in known})

    def length(found: LengthResult) -> LengthResult:
        return dataclasses.replace(found, energy_j=None)

    runs = tuple(
        dataclasses.replace(
            run,
            lengths=tuple(map(length, run.lengths)),
            answer=None if run.answer is None else length(run.answer),
            before=state(run.before) or run.before,
            after=state(run.after),
            affinity=(),
            kernels=None,
        )
        for run in record.runs
    )
    return dataclasses.replace(
        record,
        command="",
        runs=runs,
        file=dataclasses.replace(record.file, status="", proof={}),
        environment=dataclasses.replace(record.environment, soc=None, cores=()),
    )


def test_round_trip() -> None:
    for record in (make_record(), wrong_record()):
        assert from_json(to_json(record)) == record


def test_the_file_of_schema_1_is_still_read_and_still_written() -> None:
    text = GOLDEN.read_text(encoding="utf-8")
    assert from_json(text) == make_record()
    assert to_json(make_record()) == text


def test_the_file_of_schema_1_5_which_knew_no_decoders_is_still_read() -> None:
    text = GOLDEN.with_name("record_v1_5.json").read_text(encoding="utf-8")
    assert from_json(text) == dataclasses.replace(make_record(), schema_version="1.5")


def test_the_file_of_schema_1_4_which_knew_no_activation_bits_is_still_read() -> None:
    text = GOLDEN.with_name("record_v1_4.json").read_text(encoding="utf-8")
    assert from_json(text) == dataclasses.replace(make_record(), schema_version="1.4")


def _before_1_4(record: Record) -> Record:
    runs = tuple(
        dataclasses.replace(run, before=dataclasses.replace(run.before, busy_share=None)) for run in record.runs
    )
    return dataclasses.replace(record, runs=runs)


def test_the_file_of_schema_1_3_which_knew_no_share_of_busy_cpus_is_still_read() -> None:
    text = GOLDEN.with_name("record_v1_3.json").read_text(encoding="utf-8")
    assert from_json(text) == dataclasses.replace(_before_1_4(make_record()), schema_version="1.3")


def test_the_file_of_schema_1_2_which_gave_no_reason_for_an_early_end_is_still_read() -> None:
    text = GOLDEN.with_name("record_v1_2.json").read_text(encoding="utf-8")
    assert from_json(text) == dataclasses.replace(_before_1_4(make_record()), schema_version="1.2")
    early = from_json(text.replace('"partial": false', '"partial": true'))
    assert (early.partial_reason, early.ended_early) == ("", "interrupted")


def test_the_file_of_schema_1_1_which_knew_no_repeats_is_still_read() -> None:
    found = from_json(GOLDEN.with_name("record_v1_1.json").read_text(encoding="utf-8"))
    assert found == dataclasses.replace(_older(make_record()), schema_version="1.1")
    assert (found.settings.repeats, found.settings.method, found.runs[0].repeat) == (1, "default", 0)
    assert found.environment.emulated == ""


def test_the_file_of_schema_1_0_which_knew_no_profiles_is_still_read() -> None:
    record = _older(make_record())
    runs = tuple(dataclasses.replace(run, profiles=()) for run in record.runs)
    settings = dataclasses.replace(record.settings, profile=False)
    old = dataclasses.replace(record, schema_version="1.0", runs=runs, settings=settings)
    assert from_json(GOLDEN.with_name("record_v1.json").read_text(encoding="utf-8")) == old


def test_lists_of_numbers_stand_on_one_line_and_strings_are_untouched() -> None:
    text = to_json(make_record())
    assert '"samples_ns": [24000000, 25000000, 26000000]' in text
    assert json.loads(text) == json.loads(json.dumps(dataclasses.asdict(make_record())))


def changed(**changes: Any) -> str:
    """Return the record's JSON with changed top-level fields."""
    return json.dumps({**json.loads(to_json(make_record())), **changes})


def test_a_newer_minor_version_may_have_more_fields() -> None:
    assert from_json(changed(schema_version="1.7", weather="rain")).schema_version == "1.7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "kind"),
        (changed(kind="other"), "kind"),
        (changed(schema_version="2.0"), "'2.0'.*reads 1.x"),
        (changed(schema_version=1), "schema 1"),
        (changed(partial="no"), "record.partial is str, expected bool"),
        (changed(runs=[3]), r"record.runs\[0\] is int, expected an object"),
        (changed(settings={}), "record.settings.lengths is missing"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(text: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        from_json(text)


def test_a_bool_is_no_number() -> None:
    data = json.loads(to_json(make_record()))
    data["file"]["size"] = True
    with pytest.raises(RecordError, match="record.file.size is bool, expected int"):
        from_json(json.dumps(data))


def test_writing_refuses_to_replace_and_replaces_when_forced(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("mine")
    with pytest.raises(InvalidArgumentError, match="--force"):
        write_record(make_record(), path)
    assert path.read_text() == "mine"
    write_record(make_record(), path, force=True)
    assert from_json(path.read_text(encoding="utf-8")) == make_record()
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    unwritable = dataclasses.replace(make_record(), created="\ud800")  # cannot be written as UTF-8
    with pytest.raises(UnicodeEncodeError):
        write_record(unwritable, path, force=True)
    assert path.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_missing_folder_is_refused_before_measuring(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="not a folder"):
        check_output_path(tmp_path / "absent" / "out.json", force=True)
