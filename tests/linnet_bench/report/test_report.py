"""The page about records: the figures that were given, marks on what means nothing, and no way out."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pytest

from linnet.errors import FileMissingError, InvalidArgumentError
from linnet_bench.record.record import Record, RecordError, to_json
from linnet_bench.report.command import add_arguments, run
from linnet_bench.report.decoders import figures
from linnet_bench.report.decoders import short as decoders_in_short
from linnet_bench.report.names import NamedRecord, read_all
from linnet_bench.report.page import report_page
from linnet_bench.report.tables import latencies, profile_rows, repeat, speed_length
from linnet_bench.report.tables import short as summary
from tests.support.html_reader import read_page
from tests.support.records import decoder_record, make_record, wrong_record


def emulated() -> Record:
    record = make_record()
    machine = dataclasses.replace(record.environment, board=None, soc=None, cpu="Cortex-A72", emulated="by QEMU")
    return dataclasses.replace(record, environment=machine)


def other_file() -> Record:
    record = make_record()
    file = dataclasses.replace(record.file, name="other.pte", recipe="fp32", sha256="cd" * 32, proof={"agreement": 1.0})
    return dataclasses.replace(record, file=file)


def written(folder: Path, *records: Record) -> list[Path]:
    paths = [folder / f"{number}.json" for number in range(len(records))]
    for path, record in zip(paths, records, strict=True):
        path.write_text(to_json(record), encoding="utf-8")
    return paths


def page(*records: NamedRecord) -> str:
    text = report_page(records)
    assert read_page(text).problems == []
    return text


def test_figures_by_hand() -> None:
    rows = latencies([NamedRecord("pi", make_record())]).rows
    # medians of three samples; 8 tokens in 1 ms; 24 mJ and 384 mJ for three inferences
    assert rows == [
        ["pi", "2", "8", "1.00", "1.10", "1.10", "8\u202f000", "8.00", "3"],
        ["pi", "2", "128", "25.0", "26.0", "26.0", "5\u202f120", "128", "3"],
    ]


def test_a_page_has_every_section_and_what_is_needed_to_repeat_it() -> None:
    text = page(NamedRecord("int8", make_record()), NamedRecord("fp32", other_file()))
    headings = read_page(text).texts["h2"]
    assert headings == [
        *("In short", "Latency by length", "Cold start and memory", "Accuracy and latency", "Where the time goes"),
        *("The machines", "To repeat it"),
    ]
    for fact in ("ab" * 32, "cd" * 32, make_record().command, "Cortex-A76", "bcm2712", "soft temperature limit"):
        assert fact in text
    assert "Copy as Markdown" in text
    assert "https://" not in text


def test_an_emulated_record_is_marked_and_in_no_chart() -> None:
    both = page(NamedRecord("pi", make_record()), NamedRecord("arm (emulated)", emulated()))
    assert "Emulated: the times of arm (emulated) mean nothing." in both
    assert "by QEMU" in both
    drawings = both.split("<svg")[1:]
    assert drawings
    assert not any("arm (emulated)" in drawing.partition("</svg>")[0] for drawing in drawings)
    alone = page(NamedRecord("arm (emulated)", emulated()))
    assert "there is nothing to draw" in alone
    assert "<svg" not in alone


def test_a_record_of_wrong_answers_and_one_without_anything_are_pages_too() -> None:
    empty = dataclasses.replace(make_record(), runs=(), cold_start=None, partial=True)
    text = page(NamedRecord("wrong", wrong_record()), NamedRecord("empty", empty))
    assert "no latency, because the answers are wrong" in text
    assert "empty: interrupted; only what had been finished is shown." in text
    lost = dataclasses.replace(empty, partial_reason="the connection broke off")
    assert "lost: the connection broke off; only what had been finished is shown." in page(NamedRecord("lost", lost))


def test_speed_is_that_of_the_length_nearest_to_128_that_all_real_records_have() -> None:
    short = dataclasses.replace(
        make_record(), runs=tuple(dataclasses.replace(run, lengths=run.lengths[:1]) for run in make_record().runs)
    )
    assert speed_length([NamedRecord("a", make_record())]) == 128
    assert speed_length([NamedRecord("a", make_record()), NamedRecord("b", short)]) == 8
    unreal = dataclasses.replace(short, environment=emulated().environment)
    assert speed_length([NamedRecord("a", make_record()), NamedRecord("b", unreal)]) == 128
    assert speed_length([NamedRecord("a", wrong_record())]) is None


def test_records_without_a_common_length_have_each_their_own() -> None:
    run = make_record().runs[0]
    short, long = (
        dataclasses.replace(make_record(), runs=(dataclasses.replace(run, lengths=(length,)),))
        for length in run.lengths
    )
    both = [NamedRecord("a", short), NamedRecord("b", long)]
    table = summary(both)
    at = table.headers.index("tokens")
    assert table.headers[at : at + 2] == ("tokens", "p90 ms")
    assert [row[at : at + 2] for row in table.rows] == [["8", "1.10"], ["128", "26.0"]]
    text = page(*both)
    assert "No length is in all records" in text
    assert "None tokens" not in text
    wrong = [NamedRecord("wrong", wrong_record())]
    assert "p90 ms" in summary(wrong).headers
    assert "None" not in page(*wrong)
    assert "No length" not in page(*wrong)


def test_tables_have_operators_and_hashes() -> None:
    assert [row[2] for row in profile_rows(make_record()).rows][:1] == ["Fully Connected (NC, F32) GEMM"]
    assert "ab" * 32 in repeat([NamedRecord("pi", make_record())]).rows[0]


def test_devices_have_the_names_that_the_user_gave_them(tmp_path: Path) -> None:
    first, second = (dataclasses.replace(make_record(), device=name) for name in ("ssh://pi@kitchen.local", "desk"))
    assert [record.name for record in read_all(written(tmp_path, first, second))] == ["pi@kitchen.local", "desk"]
    unnamed = dataclasses.replace(make_record(), device="local")
    assert [record.name for record in read_all(written(tmp_path, unnamed))] == ["Raspberry Pi 5 Model B Rev 1.0"]


def test_names_tell_records_apart(tmp_path: Path) -> None:
    assert [record.name for record in read_all(written(tmp_path, make_record()))] == ["Raspberry Pi 5 Model B Rev 1.0"]
    recipes = read_all(written(tmp_path, make_record(), other_file()))
    assert [record.name for record in recipes] == ["int8", "fp32"]
    same = read_all(written(tmp_path, make_record(), make_record(), emulated(), emulated()))
    assert [record.name for record in same] == ["0", "1", "2 (emulated)", "3 (emulated)"]


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([*map(str, arguments)]))


def test_the_command_replaces_only_its_own_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = written(tmp_path, make_record())
    out = tmp_path / "out.html"
    assert command(path, "-o", out, "--title", "Mine <1>") == 0
    assert "<h1><bdi>Mine &lt;1&gt;</bdi></h1>" in out.read_text(encoding="utf-8")
    assert "1 record" in capsys.readouterr().out
    assert command(path, "-o", out) == 0
    out.write_text("my notes")
    with pytest.raises(InvalidArgumentError, match="--force"):
        command(path, "-o", out)
    with pytest.raises(InvalidArgumentError, match="is one of the records"):
        command(path, "-o", path, "--force")
    with pytest.raises(InvalidArgumentError, match=r"r2 is a page in HTML; name it r2\.html"):
        command(path, "-o", tmp_path / "r2")
    with pytest.raises(InvalidArgumentError, match="more than once"):
        command(path, path, "-o", out, "--force")


def test_pages_and_regressions_say_which_percentile_they_show() -> None:
    page = report_page([NamedRecord("one", make_record())], "")
    assert "It leads with p90, linnet regress compares p50; both are medians over the repeats." in page


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    (tmp_path / "bad.bin").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match=r"bad.json: found no .kind"):
        command(tmp_path / "bad.json", "-o", tmp_path / "out.html")
    with pytest.raises(RecordError, match=r"bad.bin: it is not UTF-8"):
        command(tmp_path / "bad.bin", "-o", tmp_path / "out.html")
    with pytest.raises(FileMissingError, match="absent"):
        command(tmp_path / "absent.json", "-o", tmp_path / "out.html")


# -- decoders ------------------------------------------------------------------------------------------


def test_figures_of_a_decoder_by_hand() -> None:
    shown = figures([NamedRecord("pi", decoder_record())])
    # 16 tokens in 80 ms, 128 in 800; the first token 2 ms later; a token in 10 and 12.5 ms; 3 mJ for three tokens
    assert shown.rows == [
        ["pi", "2", "16", "200", "82.0", "100", "10.0", "11.0", "11.0", "1.00", "3"],
        ["pi", "2", "128", "160", "802", "80.0", "12.5", "13.5", "13.5", "1.00", "3"],
    ]


def test_decoders_have_a_section_of_their_own_beside_encoders() -> None:
    text = page(NamedRecord("encoder", make_record()), NamedRecord("decoder", decoder_record()))
    shown = read_page(text)
    headings = shown.texts["h2"]
    assert headings[:3] == ["In short", "Latency by length", "Prefill and decoding"]
    assert "Decoding on 2 threads" in text
    assert "one token behind 8 tokens" in text
    alone = read_page(page(NamedRecord("decoder", decoder_record()))).texts["h2"]
    assert "Latency by length" not in alone


def test_a_decoder_in_short_by_hand() -> None:
    rows = decoders_in_short([NamedRecord("pi", decoder_record())]).rows
    assert rows[0][4:9] == ["128", "160", "802", "80.0", "2"]
