"""Fetch the C++ part of the `executorch` wheel: libraries, headers, CMake package, licence.

    python tools/fetch_executorch.py --platform linux-x86_64 --into build/executorch-sdk [--wheel FILE]

The wheel is downloaded without its dependencies, checked against a pinned SHA-256, and unpacked into a
folder that is complete or absent. Prints the folder. Python packages inside the wheel are left out, so
neither torch nor anything else comes along.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

VERSION = "1.5.1"
PYTHON_TAG = "311"
"""The libraries are the same for every Python; one tag keeps the table of hashes short."""


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A wheel of the table: pip's platform tag and the SHA-256 of the file."""

    platform_tag: str
    sha256: str


WHEELS = {
    "linux-x86_64": Wheel("manylinux_2_28_x86_64", "274c28c2fe2b76acb03f9fa381537425c40e0098dcf886baf6d97a1a55ffe300"),
    "linux-aarch64": Wheel(
        "manylinux_2_28_aarch64", "8ee02348a3ea80ddf770822911ebf78da616b73afce0fbaaa79f23311c88c66a"
    ),
    "macos-arm64": Wheel("macosx_14_0_arm64", "e747dacb39950a2d234e08f230c1e5540f7b297fd32bc8c8f4296a953bb40dc0"),
}

KEPT_FOLDERS = ("executorch/lib/", "executorch/include/", "executorch/share/cmake/")
STAMP = "linnet-sdk.sha256"
"""File written last: its content is the hash of the wheel that the folder came from."""


class FetchError(Exception):
    """The SDK could not be fetched; the message says what to do."""


def is_complete(folder: Path, wheel: Wheel) -> bool:
    """Tell whether ``folder`` holds the unpacked ``wheel``."""
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text().strip() == wheel.sha256


def download(wheel: Wheel, folder: Path) -> Path:
    """Download ``wheel`` into ``folder`` with pip, without dependencies, and return the file."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--platform", wheel.platform_tag,
        "--python-version", PYTHON_TAG, "--dest", str(folder), f"executorch=={VERSION}",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    files = list(folder.glob("executorch-*.whl"))
    if done.returncode != 0 or len(files) != 1:
        raise FetchError(
            f"pip could not download executorch {VERSION} for {wheel.platform_tag}:\n{done.stdout}\n"
            "Give an unpacked wheel with -DLINNET_EXECUTORCH_SDK=FOLDER, or the wheel with --wheel FILE."
        )
    return files[0]


def check_hash(file: Path, wheel: Wheel) -> None:
    """Refuse a file that is not the pinned wheel."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != wheel.sha256:
        raise FetchError(f"{file.name} has SHA-256 {digest}, expected {wheel.sha256}: not the pinned wheel")


def _target(name: str) -> PurePosixPath | None:
    if name.endswith("/") or ".." in PurePosixPath(name).parts:
        return None
    if name.startswith(KEPT_FOLDERS):
        return PurePosixPath(name).relative_to("executorch")
    if ".dist-info/" in name and PurePosixPath(name).name == "LICENSE":
        return PurePosixPath("LICENSE")
    return None


def unpack(file: Path, folder: Path) -> None:
    """Unpack libraries, headers, CMake package and licence of a wheel into ``folder``."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            target = _target(name)
            if target is None:
                continue
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))


def fetch(folder: Path, wheel: Wheel, local: Path | None = None) -> None:
    """Make ``folder`` hold the SDK. Does nothing if it already does; never leaves half of it.

    Raises:
        FetchError: the download failed, or the wheel is not the pinned one.
    """
    if is_complete(folder, wheel):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as temporary:
        file = local or download(wheel, Path(temporary))
        check_hash(file, wheel)
        fresh = Path(temporary, "sdk")
        unpack(file, fresh)
        (fresh / STAMP).write_text(wheel.sha256 + "\n")
        _put_in_place(fresh, folder, wheel)


def _put_in_place(fresh: Path, folder: Path, wheel: Wheel) -> None:
    if folder.exists() and not is_complete(folder, wheel):
        shutil.rmtree(folder)
    try:
        fresh.rename(folder)
    except OSError:
        if not is_complete(folder, wheel):  # otherwise another build was faster with the same files
            raise


def main() -> int:
    """Command line: ``fetch_executorch.py --platform linux-x86_64 --into FOLDER``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--platform", choices=sorted(WHEELS), required=True)
    parser.add_argument("--into", type=Path, required=True, help="folder of the unpacked SDK")
    parser.add_argument("--wheel", type=Path, help="use this downloaded wheel (its hash is checked too)")
    arguments = parser.parse_args()
    try:
        fetch(arguments.into, WHEELS[arguments.platform], arguments.wheel)
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(arguments.into)
    return 0


if __name__ == "__main__":
    sys.exit(main())
