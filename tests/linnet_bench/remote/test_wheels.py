"""Which wheel fits: the answers of the package `packaging`, which pip asks too."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from linnet.errors import DeviceUnsuitableError, InvalidArgumentError
from linnet_bench.remote.address import parse_address
from linnet_bench.remote.job import Deployment
from linnet_bench.remote.python_host import RemotePython, choose_python, plan_environment
from linnet_bench.remote.wheels import (
    Requirement,
    Target,
    changed_files,
    find_fitting,
    find_wheels,
    numbers_of,
    read_requirements,
    read_wheel,
)

LEGACY = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}  # PEP 600


def supported(target: Target) -> set[str]:
    """Tags of a machine as pip has them."""
    assert target.glibc is not None
    platforms = [f"manylinux_2_{minor}_{target.machine}" for minor in range(5, target.glibc[1] + 1)]
    platforms += [f"{name}_{target.machine}" for glibc, name in LEGACY.items() if glibc <= target.glibc]
    platforms.append(f"linux_{target.machine}")
    abi = f"cp{target.python[0]}{target.python[1]}"
    tags = {*cpython_tags(target.python, [abi], platforms), *compatible_tags(target.python, abi, platforms)}
    return {str(tag) for tag in tags}


@given(
    python=st.sampled_from(["cp310", "cp311", "cp312", "cp313", "cp314", "py3", "py2.py3", "pp311"]),
    abi=st.sampled_from(["none", "abi3", "cp311", "cp312", "cp313t"]),
    platform=st.sampled_from(
        ["any", "linux_aarch64", "linux_x86_64", "manylinux_2_17_aarch64.manylinux2014_aarch64", "macosx_11_0_arm64",
         "manylinux_2_28_aarch64", "manylinux_2_34_aarch64", "manylinux_2_39_x86_64", "manylinux1_x86_64",
         "musllinux_1_2_aarch64", "win_amd64", "manylinux2010_x86_64", "linux_armv7l"]
    ),
    minor=st.integers(11, 14),
    glibc=st.integers(17, 40),
    machine=st.sampled_from(["aarch64", "x86_64"]),
)  # fmt: skip
def test_the_verdict_is_pips(python: str, abi: str, platform: str, minor: int, glibc: int, machine: str) -> None:
    assume(platform != "any" or abi == "none")  # compiled for any machine: nobody makes that
    name = f"linnet-0.1.0-{python}-{abi}-{platform}.whl"
    target = Target(python=(3, minor), machine=machine, bits=64, glibc=(2, glibc))
    _, _, _, tags = parse_wheel_filename(name)
    wheel = read_wheel(Path(name))
    assert wheel is not None
    assert wheel.fits(target) is any(str(tag) in supported(target) for tag in tags)


def test_other_systems_take_none() -> None:
    wheel = read_wheel(Path("linnet-0.1.0-cp311-cp311-manylinux_2_34_aarch64.whl"))
    assert wheel is not None
    assert wheel.fits(Target(python=(3, 11), machine="aarch64", bits=64, glibc=(2, 36)))
    assert not wheel.fits(Target(python=(3, 11), machine="aarch64", bits=32, glibc=(2, 36)))  # 32-bit Raspberry Pi OS
    assert not wheel.fits(Target(python=(3, 11), machine="aarch64", bits=64, glibc=None))  # musl
    abi3 = read_wheel(Path("linnet-0.1.0-cp312-abi3-manylinux_2_34_aarch64.whl"))
    assert abi3 is not None
    assert not abi3.fits(Target(python=(3, 14), machine="aarch64", bits=64, glibc=(2, 41), free_threaded=True))


def make_wheel(folder: Path, name: str, *requires: str) -> Path:
    path = folder / name
    project, version = name.split("-")[:2]
    metadata = "".join(f"{line}\n" for line in ("Metadata-Version: 2.1", f"Name: {project}", *requires))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{project}-{version}.dist-info/METADATA", metadata + "\nRequires-Dist: text\n")
    return path


def test_the_newest_that_fits_is_taken(tmp_path: Path) -> None:
    target = Target(python=(3, 11), machine="aarch64", bits=64, glibc=(2, 36))
    for name in ("linnet-0.9.0-cp311-cp311-linux_aarch64.whl", "linnet-0.10.0-cp311-cp311-linux_aarch64.whl",
                 "linnet-0.11.0-cp312-abi3-linux_aarch64.whl", "other-9-py3-none-any.whl"):  # fmt: skip
        make_wheel(tmp_path, name)
    found = find_fitting(find_wheels([tmp_path]), "linnet", target)
    assert found is not None
    assert found.version == "0.10.0"
    with pytest.raises(InvalidArgumentError, match="neither a wheel nor a folder"):
        find_wheels([tmp_path / "absent.whl"])


def test_a_forgotten_build_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "linnet"
    (package / "bench").mkdir(parents=True)
    (package / "__init__.py").write_text("old = 1\n")
    (package / "bench" / "new.py").write_text("new = 1\n")
    path = make_wheel(tmp_path, "linnet-0.1.0-cp311-cp311-linux_aarch64.whl")
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(package / "__init__.py", "linnet/__init__.py")
    (wheel,) = [wheel for wheel in map(read_wheel, [path]) if wheel is not None]
    assert changed_files(wheel, package) == 1  # new.py is not in it
    (package / "__init__.py").write_text("new = 1\n")
    assert changed_files(wheel, package) == 2


def test_versions_are_compared_as_numbers() -> None:
    least = Requirement(name="numpy", least="1.26")
    assert [least.met_by(version) for version in ("1.24.2", "1.26", "1.26.4", "2.4.0rc1", "10", None)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert numbers_of("2.0.0+cpu") == (2, 0, 0)


BOOKWORM = Target(python=(3, 11), machine="aarch64", bits=64, glibc=(2, 36))


def remote(**packages: str) -> RemotePython:
    return RemotePython(
        executable="/usr/bin/python3", target=BOOKWORM, system="Linux", libc="glibc 2.36", packages=packages
    )


def deployment(folder: Path, *, tokenizers: bool = False) -> Deployment:
    return Deployment(wheels=find_wheels([folder]), wheel_places=("dist",), tokenizers=tokenizers)


def test_where_what_linnet_needs_comes_from(tmp_path: Path) -> None:
    own = make_wheel(
        tmp_path, "linnet-0.1.0-cp311-cp311-manylinux_2_34_aarch64.whl",
        "Requires-Dist: numpy>=1.26", "Requires-Dist: tokenizers>=0.22; extra == 'tokenizers'",
        "Requires-Dist: torch==2.13.*; extra == 'export'",
    )  # fmt: skip
    (wheel,) = [wheel for wheel in map(read_wheel, [own]) if wheel is not None]
    assert [str(requirement) for requirement in read_requirements(wheel)] == ["numpy>=1.26"]
    assert plan_environment(remote(numpy="2.0.0"), deployment(tmp_path)).needs == ()
    assert plan_environment(remote(numpy="1.24.2"), deployment(tmp_path)).needs == ("numpy>=1.26",)  # Bookworm's own
    both = plan_environment(remote(), deployment(tmp_path, tokenizers=True))
    assert both.needs == ("numpy>=1.26", "tokenizers>=0.22")
    numpy = make_wheel(tmp_path, "numpy-2.4.6-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl")
    plan = plan_environment(remote(), deployment(tmp_path))
    assert plan.needs == ()
    assert [wheel.path for wheel in plan.wheels] == [own, numpy]
    assert plan.key != both.key


def test_no_fitting_wheel_says_what_to_build(tmp_path: Path) -> None:
    make_wheel(tmp_path, "linnet-0.1.0-cp311-cp311-linux_x86_64.whl")
    with pytest.raises(
        DeviceUnsuitableError, match=r"found linnet-.*x86_64.whl in dist; build one with `make wheel-aa"
    ):
        plan_environment(remote(), deployment(tmp_path))
    armv7 = RemotePython(
        executable="p", target=Target(python=(3, 11), machine="armv7l", bits=32, glibc=(2, 36)), system="Linux",
        libc="glibc 2.36", packages={},
    )  # fmt: skip
    with pytest.raises(DeviceUnsuitableError, match="found Linux armv7l, 32-bit.*64-bit Linux with glibc"):
        plan_environment(armv7, deployment(tmp_path))


def said(minor: int, **packages: str) -> dict[str, object]:
    return {
        "executable": f"/usr/bin/python3.{minor}", "version": [3, minor, 1], "bits": 64, "system": "Linux",
        "machine": "aarch64", "libc": "glibc 2.36", "free_threaded": False, "packages": packages,
    }  # fmt: skip


def test_a_python_with_numpy_comes_before_one_without() -> None:
    found = choose_python([said(9, numpy="1"), said(13), said(11, numpy="2.0"), said(12, numpy="2.0")], "Linux aarch64")
    assert found.executable == "/usr/bin/python3.11"
    assert choose_python([said(9), said(13)], "").executable == "/usr/bin/python3.13"
    with pytest.raises(DeviceUnsuitableError, match=r"found no Python \(Linux riscv64\), expected Python 3.11"):
        choose_python([], "Linux riscv64")
    assert parse_address("local").python == ""
