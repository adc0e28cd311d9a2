"""The boundaries between the folders, checked: who may import and include what."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import linnet
import linnet_bench

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "runtime_bindings" / "runtime").rglob("*.[hc]*"))
HEAVY = ("torch", "transformers", "executorch", "torchao", "tokenizers", "linnet_export", "rich")

_IMPORT_EVERYTHING = """
import importlib, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {heavy!r}:
            raise ImportError(name + " is not allowed on the device")

sys.meta_path.insert(0, Refuse())
for name in {modules!r}:
    importlib.import_module(name)
left = [name for name in {heavy!r} if name in sys.modules]
print("imported", len({modules!r}), "left", left)
"""


def device_modules() -> list[str]:
    """Return every module of the SDK, linnet_bench and the binding, except those that run a program when imported."""
    names = [
        module.name
        for package in (linnet, linnet_bench)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return ["linnet", "linnet_bench", "linnet_runtime", *(name for name in names if not name.endswith("__main__"))]


def test_every_device_module_imports_where_torch_cannot_be_imported() -> None:
    modules = device_modules()
    assert len(modules) > 10
    script = _IMPORT_EVERYTHING.format(heavy=HEAVY, modules=modules)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == f"imported {len(modules)} left []"


def test_the_core_includes_no_python_no_jni_and_no_torch_header() -> None:
    assert len(CORE) > 10
    forbidden = re.compile(r'#\s*include\s*[<"](Python\.h|jni\.h|torch/|ATen/|c10/|nanobind/|pybind11/)')
    found = [str(path.relative_to(ROOT)) for path in CORE if forbidden.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_the_text_part_needs_nothing_but_the_standard_library() -> None:
    runtime = ROOT / "runtime_bindings" / "runtime"
    api = [path for path in (runtime / "c_api").iterdir() if not path.name.startswith(("model", "profile"))]
    sources = sorted([*(runtime / "text").rglob("*.[hc]*"), *api])
    includes = {
        include
        for path in sources
        for include in re.findall(r'#\s*include\s*([<"][^>"]+[>"])', path.read_text(encoding="utf-8"))
    }
    assert includes
    assert not [include for include in includes if "executorch" in include]


def test_the_public_header_is_plain_c(tmp_path: Path) -> None:
    source = tmp_path / "only_header.c"
    source.write_text('#include "linnet.h"\nint main(void) { return LINNET_OK; }\n')
    include = ROOT / "runtime_bindings" / "include"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", f"-I{include}"]
    result = subprocess.run(["cc", *flags, str(source)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_export_without_its_extra_names_the_pip_line(tmp_path: Path) -> None:
    script = f"""
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in ("torch", "torchao") else real(name, package)
from linnet.cli.main import main
status = main(["export", {str(tmp_path)!r}])
assert "torch" not in sys.modules
sys.exit(status)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 4, result.stderr
    assert "needs torch, torchao" in result.stderr
    assert 'pip install "WHEEL[export]"' in result.stderr


def test_a_text_is_answered_without_numpy() -> None:
    """Importing numpy takes longer than opening a file and answering, and half of the memory of both."""
    script = "import sys, linnet; print(linnet.load(self_test=False)('turn the volume down'), 'numpy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("False\n"), result.stdout
    assert "'label'" in result.stdout


@pytest.mark.parametrize("settings", ["", ", profile='auto'"])
def test_a_first_answer_loads_no_package_above_the_sdk(settings: str, tmp_path: Path) -> None:
    script = f"""
import sys, linnet
print(linnet.load(self_test=False{settings})("turn the volume down"))
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"linnet_bench", "linnet_export", "linnet_train"}}))
"""
    environment = {**os.environ, "LINNET_CACHE": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert "'label'" in result.stdout
    assert result.stdout.endswith("\n[]\n"), result.stdout


def test_the_sdk_stays_small() -> None:
    """What runs on the device: at most 10 500 lines of Python, text generation, masking and monitoring among them."""
    assert sum(path.read_bytes().count(b"\n") for path in (ROOT / "sdk" / "linnet").rglob("*.py")) <= 10500


def test_the_commands_of_the_exporter_start_without_torch() -> None:
    # what torch and torchao print when they are imported is kept away from the terminal; that begins in the command
    modules = ["linnet_export.cli", "linnet_train.cli", "linnet_train.new_model.cli"]
    heavy = ("torch", "transformers", "executorch", "torchao")
    script = _IMPORT_EVERYTHING.format(heavy=heavy, modules=modules)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "imported 3 left []"
