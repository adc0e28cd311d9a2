"""Completions by the loop of a C program: the tokens of the SDK, and its log probabilities to the last bit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import linnet
from tests.support.decoder_file import decoder_file
from tests.support.generation_cases import CASES, completion_line, write_cases
from tests.support.native import PACKAGE, ROOT, include_folder


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_same_text_from_c(tmp_path: Path) -> None:
    program = tmp_path / "completions"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", f"-I{include_folder()}"]
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}"]
    source = ROOT / "tests" / "runtime_bindings" / "runtime" / "native" / "completions.c"
    subprocess.run(["cc", *flags, str(source), "-o", str(program), *libraries], check=True)
    command = [str(program), str(decoder_file()), str(write_cases(tmp_path / "cases.tsv"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = [line.split("\t") for line in done.stdout.splitlines()]
    compared = 0
    with linnet.load(decoder_file()) as model:
        for case, row in zip(CASES, found, strict=True):
            if row == ["-"]:  # it slides, which a C program does by linnet_generation_remove
                continue
            expected = completion_line(model, case)
            assert [*row[:1], *row[2:]] == [*expected[:1], *expected[2:]], case
            numbers = [[float(number) for number in each[1].split()] for each in (row, expected)]
            assert numbers[0] == pytest.approx(numbers[1], rel=1e-7)
            compared += 1
    assert compared > 100
