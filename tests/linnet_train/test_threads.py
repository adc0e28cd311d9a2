"""Tests of how PyTorch's threads wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_AT_IMPORT = """
import importlib.machinery, os, pathlib, sys

here = pathlib.Path(sys.argv[1])
rows, out = here / "rows.csv", here / "out"

class Torch:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "torch" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        print(os.environ["OMP_WAIT_POLICY"], flush=True)
        os._exit(0)

sys.meta_path.insert(0, Torch())
"""

_CALLS = {
    "export": "from linnet_export import *; export(ExportConfig(model='x'))",
    "train": "from linnet_train import *; train(TrainConfig(model='x', output=out, data=DataConfig(train=rows)))",
    "init": "from linnet_train import *; make_model(NewModelConfig(output=out, model_type='bert', texts=rows))",
    "search": (
        "from linnet_train import *; from linnet_train.search import *;"
        "search(TrainConfig(model='x', output=out, data=DataConfig(train=rows)), SearchConfig(trials=1))"
    ),
}


@pytest.mark.parametrize("call", _CALLS)
@pytest.mark.parametrize(("chosen", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_it_is_set_when_pytorch_is_imported_unless_the_user_chose(
    call: str, chosen: str | None, expected: str, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "text,label\n" + "".join(f"good day {i},yes\nbad day {i},no\n" for i in range(20)), encoding="utf-8"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if chosen is not None:
        environment["OMP_WAIT_POLICY"] = chosen
    code = _AT_IMPORT + _CALLS[call]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{expected}\n", done.stderr
