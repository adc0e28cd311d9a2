"""``linnet compare`` on small real files, from its arguments to its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.decoder_file import decoder_file
from tests.support.files import BenchFiles

QUICK = ("--rounds", "2", "--seconds", "0.01", "--lengths", "4,9,99", "--cold", "1")


def compare(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "linnet", "compare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_two_files_side_by_side(bench_files: BenchFiles, tmp_path: Path) -> None:
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    done = compare(bench_files.proven, bench_files.unproven, *QUICK, "--output", out, "--report", page)
    assert done.returncode == 0, done.stderr
    data = json.loads(out.read_text(encoding="utf-8"))
    assert data["settings"]["lengths"] == [4, 9, 24]  # cut to the bound of the files
    assert "linnet: warning: --lengths has 99, over the file's bound of 24 tokens; 24 is taken instead" in done.stderr
    assert [file["label"] for file in data["files"]] == ["proven", "unproven"]
    for file in data["files"]:
        assert file["agreement"] == 1  # it is the same program
        assert [(found["threads"], found["tokens"]) for found in file["latencies"]] == [(1, 4), (1, 9), (1, 24)]
        assert all(len(found["round_p50_ns"]) == 2 for found in file["latencies"])
        assert all(found["summary"]["samples"] >= 2 * 20 for found in file["latencies"])
        assert len(file["cold_ns"]) == 1
        assert file["peak_memory"] > 10_000_000
    assert data["accuracy"] == "agreement with the first file"  # neither has a proof
    assert "proven" in done.stdout
    assert "24 tokens" in done.stdout
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_data_gives_the_metric_of_the_task(bench_files: BenchFiles, tmp_path: Path) -> None:
    data, out = tmp_path / "data.jsonl", tmp_path / "out.json"
    rows = [{"text": "turn up the light", "label": "on"}, {"text": "the music", "label": "off"}]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("--rounds", "1", "--seconds", "0.01", "--lengths", "4", "--cold", "0", "--data", data)
    done = compare(bench_files.proven, bench_files.unproven, *arguments, "--output", out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["accuracy"] == "accuracy"
    assert found["agreement_texts"] == 2
    one, other = (file["metrics"] for file in found["files"])
    assert one == other
    assert set(one) == {"accuracy", "macro_f1"}


def test_a_wrong_answer_has_no_latency_and_ends_with_1(bench_files: BenchFiles) -> None:
    done = compare(bench_files.proven, bench_files.wrong, *QUICK)
    assert done.returncode == 1, done.stderr
    assert "wrong: no latency, because the answers are wrong" in done.stdout


def test_what_cannot_be_compared_ends_with_2(bench_files: BenchFiles, tmp_path: Path) -> None:
    taken = tmp_path / "out.json"
    taken.write_text("mine")
    for arguments, message in (
        ([bench_files.proven], "at least two"),
        ([bench_files.proven, bench_files.proven], "more than once"),
        ([bench_files.proven, bench_files.unproven, "--output", taken], "--force"),
        (
            [bench_files.proven, bench_files.unproven, "--output", taken, "--report", taken, "--rounds", "0"],
            "--rounds is 0",
        ),
    ):
        done = compare(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert taken.read_text() == "mine"


@pytest.mark.parametrize("name", ["absent.pte", "text.pte"])
def test_a_refused_file_ends_with_3(bench_files: BenchFiles, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.pte").write_text("not a program, but long enough to be looked at")
    done = compare(bench_files.proven, tmp_path / name)
    assert (done.returncode, done.stdout) == (3, "")
    assert name in done.stderr


def test_records_are_sent_to_the_command_for_them(tmp_path: Path) -> None:
    done = compare(tmp_path / "old.json", tmp_path / "new.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "use linnet regress for benchmark records" in done.stderr


def test_two_decoders_side_by_side(tmp_path: Path) -> None:
    first, second = tmp_path / "first.pte", tmp_path / "second.pte"
    for copy in (first, second):
        copy.write_bytes(decoder_file().read_bytes())
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    done = compare(first, second, *QUICK, "--any-load", "--output", out, "--report", page)
    assert done.returncode == 0, done.stderr
    data = json.loads(out.read_text(encoding="utf-8"))
    for file in data["files"]:
        assert file["agreement"] == 1
        assert [found["tokens"] for found in file["latencies"]] == [4, 9, 63]
        assert [found["tokens"] for found in file["decoding"]] == [4, 9, 63]
        assert all(len(found["round_p50_ns"]) == 2 for found in file["decoding"])
        assert file["proof"]["perplexity_ratio"] > 0
    assert "prefill by forward_fused, tokens/s" in done.stdout
    assert "decoding by forward_fused behind a context" in done.stdout
    assert "one token behind a context" in page.read_text(encoding="utf-8")
