"""What the package ships and what building it needs."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import linnet_runtime
from tests.support.build_tools import build_tool

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = sorted((Path(linnet_runtime.__file__).parent / "lib").glob("*.so"))
SOURCES = Path(linnet_runtime.__file__).parent / "sources"
needs_elf_tools = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("readelf") or not shutil.which("nm"), reason="needs readelf and nm"
)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@needs_elf_tools
def test_the_libraries_are_linnets_own() -> None:
    assert len(LIBRARIES) == 6
    for file in LIBRARIES:
        section = output("readelf", "-dW", str(file))
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", section)
        assert not [name for name in needed if name.startswith(("libexecutorch", "libtorch", "libc10", "libpython"))]
        assert re.findall(r"\(SONAME\).*\[(.*)\]", section) == [file.name]
        assert re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", section) == ["$ORIGIN"]


@needs_elf_tools
def test_no_symbol_can_meet_another_executorch() -> None:
    for file in LIBRARIES:
        symbols = {line.split()[0] for line in output("nm", "-D", "--format=posix", str(file)).splitlines()}
        assert len(symbols) > 20
        assert not [name for name in symbols if "executorch" in name and not name.startswith("linnet_")]
        assert not symbols & {"sgemm_", "pthreadpool_create", "cpuinfo_initialize", "et_pal_abort"}


@needs_elf_tools
def test_the_core_exports_its_c_interface_and_nothing_else() -> None:
    (core,) = [file for file in LIBRARIES if file.name == "liblinnet.so"]
    lines = output("nm", "-D", "--defined-only", "--format=posix", str(core)).splitlines()
    assert len(lines) >= 20
    assert not [line for line in lines if not line.startswith("linnet_")]


def test_numpy_is_the_only_dependency_and_executorch_no_build_requirement() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert [re.split(r"[<>=~!]", requirement)[0] for requirement in project["project"]["dependencies"]] == ["numpy"]
    assert not [
        requirement
        for requirement in project["build-system"]["requires"]
        if "executorch" in requirement or "torch" in requirement
    ]


def write_wheel(path: Path) -> str:
    """Write a wheel with wanted, unwanted and hostile entries, and return its SHA-256."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in (
            "executorch/lib/libexecutorch.so",
            "executorch/include/executorch/a.h",
            "executorch/share/cmake/executorch-config.cmake",
            "executorch/exir/__init__.py",
            "executorch/lib/../../../outside.so",
            "executorch-1.5.1.dist-info/licenses/LICENSE",
            "executorch-1.5.1.dist-info/METADATA",
        ):
            archive.writestr(name, name)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_sdk_is_unpacked_once_and_without_python_packages(tmp_path: Path) -> None:
    fetch = build_tool("fetch_executorch")
    wheel = fetch.Wheel("any", write_wheel(tmp_path / "e.whl"))
    folder = tmp_path / "cache" / "sdk"
    fetch.fetch(folder, wheel, tmp_path / "e.whl")
    found = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    assert found == [
        "LICENSE",
        "include/executorch/a.h",
        "lib/libexecutorch.so",
        "linnet-sdk.sha256",
        "share/cmake/executorch-config.cmake",
    ]
    (tmp_path / "e.whl").unlink()
    fetch.fetch(folder, wheel, tmp_path / "e.whl")  # nothing left to do
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["sdk"]


def test_another_wheel_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    fetch = build_tool("fetch_executorch")
    write_wheel(tmp_path / "e.whl")
    with pytest.raises(fetch.FetchError, match="not the pinned wheel"):
        fetch.fetch(tmp_path / "cache" / "sdk", fetch.WHEELS["linux-x86_64"], tmp_path / "e.whl")
    assert list((tmp_path / "cache").iterdir()) == []


def test_half_an_sdk_is_replaced(tmp_path: Path) -> None:
    fetch = build_tool("fetch_executorch")
    wheel = fetch.Wheel("any", write_wheel(tmp_path / "e.whl"))
    folder = tmp_path / "sdk"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "left_over.so").write_text("from an interrupted run")
    fetch.fetch(folder, wheel, tmp_path / "e.whl")
    assert not (folder / "lib" / "left_over.so").exists()
    assert (folder / "LICENSE").exists()


@pytest.mark.parametrize("platform", ["linux-x86_64", "linux-aarch64", "macos-arm64"])
def test_every_platform_has_a_pinned_hash(platform: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", build_tool("fetch_executorch").WHEELS[platform].sha256)


@pytest.mark.parametrize(
    ("folder", "left_out"),
    [
        ("text", set()),
        ("kernels", set()),
        # what needs ExecuTorch
        ("c_api", {"generation_api.cpp", "model_api.cpp", "model_handle.h", "profile_api.cpp"}),
    ],
)
def test_the_sources_for_apps_are_complete(folder: str, left_out: set[str]) -> None:
    source, shipped = ROOT / "runtime_bindings" / "runtime" / folder, SOURCES / "cpp" / folder
    if not SOURCES.exists():
        pytest.skip("this build has no sources for apps")
    expected = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()} - left_out
    assert {str(path.relative_to(shipped)) for path in shipped.rglob("*") if path.is_file()} == expected
