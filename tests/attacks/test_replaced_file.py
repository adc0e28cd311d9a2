"""A file that is written to while it is open: the next run is an error, and nothing ends the process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import linnet
from linnet.assets import default_model
from linnet.errors import FileDamagedError
from linnet_runtime import Model

# one process for each way of writing: a failure of this kind kills it
ATTACK = """
import os, shutil, sys
import linnet
from linnet.errors import FileDamagedError, LinnetError

path, other, how, when = sys.argv[1:]
model = linnet.load(path, threads=1, self_test=False)
if when == "after a run":
    model("turn the volume down")
if when == "after a word":
    model.tokenize("turn the volume down")
if how == "copy":
    shutil.copyfile(other, path)
elif how == "shorten":
    os.truncate(path, 100)
elif how == "empty":
    os.truncate(path, 0)
elif how == "overwrite":
    with open(path, "r+b") as file:
        file.write(os.urandom(os.path.getsize(path)))
for _ in range(3):
    try:
        model("turn the volume down")
    except FileDamagedError as error:
        assert "written to while it was open" in str(error), error
    else:
        raise SystemExit("no error")
assert model.manifest.max_length and model.evidence.golden
assert model.tokenizer.vocabulary is not None
model.close()
print("alive")
"""


@pytest.mark.parametrize("when", ["before a run", "after a word", "after a run"])
@pytest.mark.parametrize("how", ["copy", "shorten", "empty", "overwrite"])
def test_the_process_goes_on(how: str, when: str, tmp_path: Path, toys: Path) -> None:
    path = tmp_path / "live.pte"
    shutil.copyfile(default_model(), path)
    command = [sys.executable, "-c", ATTACK, str(path), str(toys / "toy.pte"), how, when]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_a_file_that_is_replaced_by_a_rename_stays_as_it_was(tmp_path: Path, toys: Path) -> None:
    path = tmp_path / "live.pte"
    shutil.copyfile(default_model(), path)
    with linnet.load(path, self_test=False) as model:
        before = model("turn the volume down")
        shutil.copyfile(toys / "toy.pte", tmp_path / "new.pte")
        (tmp_path / "new.pte").replace(path)
        assert model("turn the volume down") == before
        path.unlink()
        os.utime(tmp_path)
        assert model("turn the volume down") == before


def test_the_same_bytes_written_again_are_told(tmp_path: Path) -> None:
    """Writing in place is refused whatever was written: only a rename is safe."""
    path = tmp_path / "live.pte"
    shutil.copyfile(default_model(), path)
    with linnet.load(path, self_test=False) as model:
        os.utime(path, ns=(1, 1))
        with pytest.raises(FileDamagedError, match="open it again"):
            model("turn the volume down")


def test_bytes_belong_to_the_model() -> None:
    model = Model(Path(default_model()).read_bytes())
    assert "golden" in model.evidence


def test_an_open_file_costs_one_descriptor_and_gives_it_back() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    path = str(default_model())
    Model(path).close()
    before = count()
    models = [Model(path) for _ in range(5)]
    assert count() == before + 5
    for model in models:
        model.close()
    assert count() == before
