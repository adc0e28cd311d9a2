"""Several devices in one call: what each failure does to the others, to the table and to the exit status."""

from __future__ import annotations

import dataclasses
import io
import json
import signal
import threading
import time
from pathlib import Path

import pytest

from linnet.cli.console import Console
from linnet.errors import DeviceError, DeviceUnsuitableError, LinnetError
from linnet_bench.bench.side_by_side import print_json, show_outcomes, show_troubles
from linnet_bench.remote import parallel
from linnet_bench.remote.address import Address, parse_address
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.outcome import Outcome, Report, status_of
from linnet_bench.remote.parallel import run_all
from linnet_bench.remote.process_group import ProcessGroup
from linnet_bench.remote.progress_board import ProgressBoard
from linnet_bench.remote.stream import read_events
from tests.support.records import decoder_record, make_record, wrong_record

PI, PHONE, HERE = (parse_address(text) for text in ("ssh://pi@pi4", "adb", "local"))
JOB = RemoteJob(files=((Path("x.pte"), "0" * 64),), entry_point="x:y", payload=None)


def outcome(failure: LinnetError | None = None, *, partial: bool = False, wrong: bool = False) -> Outcome:
    record = dataclasses.replace(wrong_record() if wrong else make_record(), partial=partial)
    return Outcome(address=PI, record=record, failure=failure)


def test_the_exit_status_of_several_devices() -> None:
    lost, lacking = DeviceError("lost"), DeviceUnsuitableError("old")
    assert status_of([outcome(), outcome()]) == 0
    assert status_of([outcome(), outcome(lost, partial=True)]) == 5
    assert status_of([outcome(), Outcome(address=PI, failure=lacking)]) == 4
    assert status_of([outcome(lost), Outcome(address=PI, failure=lacking)]) == 5
    assert status_of([outcome(lost), outcome(wrong=True)]) == 1
    assert status_of([outcome(wrong=True), outcome(partial=True)]) == 130
    assert status_of([Outcome(address=PI, interrupted=True)]) == 130


class Made:
    """A kind of device whose outcome is made up."""

    def __init__(self, found: Outcome | Exception, seen: list[str]) -> None:
        self.found = found
        self.seen = seen
        self.others = threading.active_count()  # libraries that other tests loaded have some

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        self.seen.append(f"{address.name} beside {threading.active_count() - self.others - 1}")
        if isinstance(self.found, Exception):
            raise self.found
        return dataclasses.replace(self.found, address=address)

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        return 0


def test_a_defect_in_one_device_leaves_the_others_and_this_machine_comes_last() -> None:
    seen: list[str] = []
    kinds = {"ssh": Made(ValueError("a defect"), seen), "adb": Made(outcome(), seen), "local": Made(outcome(), seen)}
    stream = io.StringIO()
    board = ProgressBoard([address.name for address in (HERE, PI, PHONE)], stream)
    found = run_all([HERE, PI, PHONE], JOB, kinds, board)
    assert [device.address for device in found] == [HERE, PI, PHONE]
    assert str(found[1].failure) == "ValueError: a defect"
    assert found[0].failure is None
    assert seen[-1] == "local beside 0"
    assert "adb: done" in stream.getvalue()


class Cancelling:
    """A kind of device that presses Ctrl-C again and again, and then hands over what it has."""

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        for _ in range(300):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.0007)
        assert processes.cancelled
        return dataclasses.replace(outcome(partial=True), address=address)

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        return 0


def test_ctrl_c_at_any_moment_keeps_what_a_device_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_POLL_SECONDS", 0.0001)  # nearly always between two waits
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
    try:
        (found,) = run_all([PI], JOB, {"ssh": Cancelling()}, ProgressBoard([PI.name], io.StringIO()))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.failure is None
    assert found.record is not None


def test_several_devices_stand_side_by_side() -> None:
    stream = io.StringIO()
    other = Outcome(address=PHONE, record=wrong_record(), failure=DeviceError("the connection broke off"))
    show_outcomes([outcome(), other], Console(stream))
    text = stream.getvalue()
    assert "WRONG: no latency is reported" in text
    assert "latency of forward, p50 / p90 in ms" in text
    (header,) = [line for line in text.splitlines() if line.startswith("threads")]
    assert header.split() == ["threads", "tokens", "ssh://pi@pi4", "adb"]
    rows = [line.split() for line in text.splitlines() if line.startswith("      2")]
    assert rows
    assert all(row[-1] == "-" for row in rows)  # no latency of a wrong answer
    assert "25.00 / 26.00" in text  # p50 and p90 of the hand-made record
    assert text.strip().splitlines()[-1].startswith("adb: the connection broke off")


def test_progress_is_one_line_a_step_where_nobody_looks_on() -> None:
    stream = io.StringIO()
    board = ProgressBoard(["pi", "phone"], stream)
    for percent in (0, 50, 100):
        board.say("pi", f"copying x.pte, {percent} % of 1.0 MB")
    board.say("pi", "starting")
    board.say("pi", "starting")
    board.end()
    assert stream.getvalue() == "pi: copying x.pte, 0 % of 1.0 MB\npi: starting\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_one_line_a_device() -> None:
    stream = Terminal()
    board = ProgressBoard(["pi", "phone"], stream)
    board.say("pi", "connecting")
    board.say("phone", "8 tokens")
    assert stream.getvalue().split("\x1b[2A")[-1] == "\r\x1b[Kpi     connecting\n\r\x1b[Kphone  8 tokens\n"
    board.end()
    assert stream.getvalue().endswith("\x1b[2A\x1b[J")


def test_half_a_line_of_a_lost_device_is_no_event() -> None:
    told = read_events(
        [b'{"event": "progress", "text": "8 tokens"}\n', b'{"event": "record", "rec'], lambda _text: None
    )
    told.lost = DeviceError("the connection broke off")
    assert told.record() is None
    assert str(told.failure) == "the connection broke off during: 8 tokens"
    assert not told.done


def test_json_of_several_devices_is_one_list_and_failures_are_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([outcome()])
    assert json.loads(capsys.readouterr().out)["kind"] == "linnet-bench"
    several = [outcome(), Outcome(address=PHONE, failure=DeviceError("lost"))]
    print_json(several)
    assert [record["kind"] for record in json.loads(capsys.readouterr().out)] == ["linnet-bench"]
    stream = io.StringIO()
    show_troubles(several, Console(stream))
    assert "adb: lost" in stream.getvalue()


def test_decoders_of_several_devices_have_a_table_of_single_tokens() -> None:
    stream = io.StringIO()
    outcomes = [Outcome(address=address, record=decoder_record()) for address in (PI, HERE)]
    show_outcomes(outcomes, Console(stream))
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert ["2", "128", *("12.50", "/", "13.50") * 2] in lines
    assert "one token of a decoder behind a prompt" in stream.getvalue()
