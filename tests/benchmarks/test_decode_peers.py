"""The comparison of decoders: its child on a tiny file, and the table from results made by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.decode_child import DecodeJob, DecodeSaid, measure
from benchmarks.peers.decode_files import Sources, decoder_file
from benchmarks.peers.decoders import Report, cells_of, main, tables
from tests.support.decoder_file import decoder_file as tiny
from tests.support.records import make_record

SAID = DecodeSaid(
    load_ns=1,
    first_ns={"64": [80_000_000, 90_000_000, 100_000_000]},
    token_ns={"64": [10_000_000, 12_500_000, 20_000_000]},
    ids={"64": [[1, 2, 3, 4], [5, 6, 7, 8]]},
    peak_memory=200_000_000,
)


def test_figures_by_hand() -> None:
    slower = DecodeSaid(**{**vars(SAID), "token_ns": {"64": [25_000_000]}})
    reference = {"64": [[1, 2, 0, 4], [5, 6, 7, 8]]}
    (cell,) = cells_of({("linnet", 2): [SAID, slower, SAID]}, reference)
    assert (cell.first_ms, cell.token_ms, cell.round_token_ms) == (90.0, 12.5, (12.5, 25.0, 12.5))
    assert cell.decode == 80.0
    assert cell.prefill == pytest.approx(64e3 / 90)
    assert cell.same == 0.75  # two of four, then all of four


def test_the_table_names_what_is_missing() -> None:
    record = make_record()
    report = Report(
        environment=record.environment,
        before=record.runs[0].before,
        rounds=3,
        cells=tuple(cells_of({("linnet", 1): [SAID]}, {})),
        file_bytes={"linnet": 100_000_000},
        peak_memory={"linnet": 200_000_000},
        bandwidth={1: 16e9},
        missing={"llama.cpp Q8_0": "expected --gguf\nmore"},
    )
    lines = [*tables(report)]
    assert "| linnet | 80.0 |" in lines
    assert "| linnet | 711 |" in lines
    assert "| linnet | 100 | 200 |  |" in lines
    assert "left out: llama.cpp Q8_0: expected --gguf" in lines
    # 80 tokens/s of 100 MB each
    assert "memory read by 1 thread: 16.0 GB/s; linnet reads its file at 8.0 GB/s behind 64 tokens" in lines


def test_a_child_continues_every_prompt_but_the_warm_up(tmp_path: Path) -> None:
    prompts = {"4": [[5, 6, 7, 8], [9, 10, 11, 12], [5, 6, 7, 8]]}
    job = DecodeJob(runner="linnet", file=str(tiny()), threads=0, tokens=3, prompts=prompts)
    said = measure(job)
    assert len(said.first_ns["4"]) == 2
    assert len(said.token_ns["4"]) == 4
    assert [len(ids) for ids in said.ids["4"]] == [3, 3]


def test_what_is_not_given_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="expected --checkpoint"):
        decoder_file("PyTorch fp32", Sources(linnet=tiny(), checkpoint=None, gguf=None))


def test_the_command_beside_pytorch(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    others = "llama.cpp Q8_0,llama.cpp Q4_0,ONNX Runtime GenAI int4,OpenVINO GenAI GGUF"
    command = [sys.executable, "-m", "benchmarks.peers.decoders", str(tiny()), "--contexts", "8,500", "--rounds", "1",
               "--threads", "1", "--cpu-time", "--checkpoint", str(tiny().parent / "checkpoint"), "--without", others,
               "--json", str(out)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| PyTorch fp32 |" in done.stdout
    assert "CPU time of one thread" in done.stdout
    cells = json.loads(out.read_text(encoding="utf-8"))["cells"]
    assert {(cell["engine"], cell["context"]) for cell in cells} == {("linnet", 8), ("PyTorch fp32", 8)}
    assert next(cell for cell in cells if cell["engine"] == "PyTorch fp32")["same"] == 1.0


def test_cpu_time_is_that_of_one_thread(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tiny()), "--cpu-time"]) == 2
    assert "--threads 1 with --cpu-time" in capsys.readouterr().err


def test_an_unknown_engine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tiny()), "--without", "nobody"]) == 2
    assert "llama.cpp Q8_0" in capsys.readouterr().err
