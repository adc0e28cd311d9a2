"""Every function of linnet.h with every argument null, zero and huge: a status, never a crash or LINNET_INTERNAL."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.c_abi_table import functions, program, table
from tests.support.decoder_file import decoder_file
from tests.support.native import PACKAGE, include_folder

SIGNED = Path(__file__).parents[1] / "linnet" / "format" / "old_files" / "embedding-fp32-signed.pte"
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-unused-function", "-O1")


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_no_argument_crashes_a_function(toys: Path, tmp_path: Path) -> None:
    header = (include_folder() / "linnet.h").read_text(encoding="utf-8")
    source, client = tmp_path / "table.c", tmp_path / "table"
    world = Path(__file__).with_name("c_abi_world.c").read_text(encoding="utf-8")
    source.write_text(program(header, world), encoding="utf-8")
    libraries = [f"-L{PACKAGE / 'lib'}", "-llinnet", f"-Wl,-rpath,{PACKAGE / 'lib'}"]
    command = ["cc", *FLAGS, f"-I{include_folder()}", str(source), "-o", str(client), *libraries]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[:4000]
    files = (toys / "toy.pte", SIGNED, decoder_file(), tmp_path / "text.state")
    done = subprocess.run([str(client), *map(str, files)], capture_output=True, text=True, timeout=120)
    last = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"{last}\n{done.stderr}"
    assert last == [f"{len(list(table(header)))} cases, 0 failed"]


def test_the_table_has_every_function() -> None:
    header = (include_folder() / "linnet.h").read_text(encoding="utf-8")
    names = {function.name for function in functions(header)}
    assert len(names) == len(functions(header)) == header.count("LINNET_API ") - 1  # less its definition
    assert names == {case.function.name for case in table(header)}
