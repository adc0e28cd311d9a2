"""Control characters of files, names and devices are shown as escapes, and never sent to the terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.assets import default_model
from linnet.cli.console import Console
from linnet.cli.main import main
from linnet.errors import LinnetError
from linnet.format.trailer import read_trailer
from linnet.printable import escaping, printable
from linnet_bench.measure.progress import Progress
from linnet_bench.remote.progress_board import ProgressBoard
from linnet_export.cli import TerminalProgress
from linnet_train.cli import TrainProgress
from tests.support.hostile_files import shipped_parts, take_apart, with_evidence, with_text

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\x7f\u202e\u2066"


def is_clean(text: str) -> bool:
    return all(character.isprintable() or character in "\n\t" for character in text)


@pytest.fixture
def evil_file(tmp_path: Path) -> Path:
    """A file whose name, status, reason, figures, notes and golden cases have escapes."""
    evidence: dict[str, Any] = json.loads(json.dumps(dict(read_trailer(default_model()).evidence)))
    evidence |= {"status": f"proven{EVIL}", "reason": EVIL, EVIL: EVIL}
    evidence["proof"][EVIL] = 1.0
    evidence["report"] |= {"quantization": EVIL, "notes": [EVIL], "recipe": EVIL}
    evidence["golden"][0]["text"] = EVIL
    path = tmp_path / f"evil{EVIL}.pte"
    path.write_bytes(with_evidence(shipped_parts(), evidence))
    return path


@pytest.mark.parametrize(
    "command", [["inspect"], ["inspect", "--json"], ["verify"], ["verify", "--json"], ["run", "--top-k", "3"]]
)
def test_no_command_sends_what_a_file_holds(
    command: list[str], evil_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command, str(evil_file), *(["hello"] if command[0] == "run" else [])])
    shown = capsys.readouterr()
    assert is_clean(shown.out + shown.err)
    if "--json" in command:
        assert EVIL in str(json.loads(shown.out)["file"])  # the escapes are those of JSON: nothing is lost


def test_labels_are_escaped(toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "labels.pte"
    path.write_bytes(with_text(take_apart(toys / "toy.pte"), b"on\noff\nother", b"\x1b[2J\n\x1bc\n\x1b[1m"))
    with linnet.load(path) as model:
        assert "\x1b" in model("turn up")[0]["label"]  # a program gets what the file holds
    assert main(["run", str(path), "turn up"]) == 0
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr()
    assert is_clean(shown.out + shown.err)
    assert r"\u001b" in shown.out


@pytest.mark.parametrize("arguments", [[EVIL], ["run", f"{EVIL}.pte", "x"], ["inspect", EVIL]])
def test_errors_quote_names_escaped(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) != 0
    assert is_clean(capsys.readouterr().err)


def test_wrong_usage_is_quoted_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--threads", EVIL])
    assert is_clean(capsys.readouterr().err)


def test_an_error_is_escaped_for_every_caller(tmp_path: Path) -> None:
    path = tmp_path / f"{EVIL}.pte"
    path.write_bytes(b"no program")
    with pytest.raises(LinnetError) as raised:
        linnet.load(path)
    assert is_clean(str(raised.value))


def test_what_a_device_says_reaches_no_terminal_unescaped() -> None:
    """Progress displays write escapes of their own, and only these."""
    stream = io.StringIO()
    terminal = escaping(stream)
    stream.isatty = lambda: True  # type: ignore[method-assign]
    board = ProgressBoard([f"ssh://{EVIL}"], terminal)
    board.say(f"ssh://{EVIL}", EVIL)
    board.end()
    Progress(terminal).say(EVIL)
    TerminalProgress(terminal).stage_started(EVIL)
    TrainProgress(terminal).epoch_finished(EVIL)
    for sent in ("\x1b]", "\x07", "\x9b", "\x1b[2J", "\u202e"):
        assert sent not in stream.getvalue()
    assert "\r\x1b[K" in stream.getvalue()


def test_tables_on_a_terminal_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    console = Console(stream)
    console.table((EVIL, "b"), [(EVIL, EVIL)])
    console.heading(EVIL)
    assert "\x1b]" not in stream.getvalue()
    assert "\x1b[1m" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\tb\n", "a\tb\n"),
        ("\x1b[0m", r"\u001b[0m"),
        ("ünï 👩‍👧", "ünï 👩‍👧"),
        ("\u2028", r"\u2028"),
    ],
)
def test_only_controls_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_real_terminal_gets_no_escape(evil_file: Path) -> None:
    """`linnet inspect` under a pseudo-terminal: bold headings are linnet's own, everything else is text."""
    master, slave = pty.openpty()
    said = bytearray()

    def drain() -> None:
        try:
            while piece := os.read(master, 65536):
                said.extend(piece)
        except OSError:
            pass

    reader = threading.Thread(target=drain)
    reader.start()
    command = [sys.executable, "-m", "linnet", "inspect", str(evil_file)]
    done = subprocess.run(command, stdin=slave, stdout=slave, stderr=slave, check=False, timeout=60)
    os.close(slave)
    reader.join(30)
    os.close(master)
    assert done.returncode == 0
    text = said.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert is_clean(text)
