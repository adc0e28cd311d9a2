"""Android and ExecuTorch interfaces to compile LinnetAndroid.kt and the sample app against, without an Android SDK.

    python tools/android_interfaces.py build/jvm/android

Fetches Android's android.jar (API 23, Debian's package libandroid-23-java), Android's own jni.h (libnativehelper) and
the Java classes and the arm64 library of ExecuTorch's Android package, which the npm package react-native-executorch
has inside.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

TOOL = Path(__file__).with_name("debian_packages.py")
EXECUTORCH = "react-native-executorch@0.9.3"
_CLASSES = "package/android/libs/classes.jar"
_LIBRARY = "package/third-party/android/libs/executorch/arm64-v8a/libexecutorch.so"
# Debian's releases without android.jar are those in between: it left and came back
SUITES = ("bullseye", "sid")


class UnavailableError(Exception):
    """Something cannot be had here; the message says what."""


@dataclasses.dataclass(frozen=True)
class Interfaces:
    """Where the interfaces are.

    Attributes:
        android: android.jar.
        executorch: classes of org.pytorch.executorch.
        library: ExecuTorch's library for arm64, whose soname is libexecutorch_jni.so.
        jni: folder with Android's jni.h.
    """

    android: Path
    executorch: Path
    library: Path
    jni: Path

    @property
    def complete(self) -> bool:
        """Whether all of them were fetched."""
        return all(path.exists() for path in (self.android, self.executorch, self.library, self.jni / "jni.h"))


def interfaces(folder: Path) -> Interfaces:
    """Return the places inside of ``folder``, fetched or not."""
    return Interfaces(
        folder / "framework" / "usr" / "share" / "java" / "com.android.android-23.jar",
        folder / "executorch.jar",
        folder / "libexecutorch_jni.so",
        folder / "nativehelper" / "usr" / "include" / "android" / "nativehelper",
    )


def fetch(folder: Path) -> Interfaces:
    """Fetch what is not there yet.

    Raises:
        UnavailableError: apt-get or npm is missing, or a package cannot be had.
    """
    places = interfaces(folder)
    if not places.android.exists():
        _unpack(SUITES, "libandroid-23-java", folder / "framework", "usr/share/java/*")
    if not places.jni.exists():
        _unpack(("bookworm",), "android-libnativehelper-dev", folder / "nativehelper", "usr/include/**/*")
    if not (places.executorch.exists() and places.library.exists()):
        _executorch({_CLASSES: places.executorch, _LIBRARY: places.library})
    return places


def _unpack(suites: tuple[str, ...], package: str, into: Path, keep: str) -> None:
    problems = []
    for suite in suites:
        command = [sys.executable, str(TOOL), "--suite", suite, "--architecture", "amd64", "--into", str(into)]
        done = subprocess.run([*command, "--keep", keep, package], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        problems.append(f"{suite}: {done.stderr.strip()}")
    raise UnavailableError(f"Debian's package {package} cannot be had here:\n" + "\n".join(problems))


def _executorch(wanted: Mapping[str, Path]) -> None:
    """Fetch the npm package and put these files of it at their places."""
    if shutil.which("npm") is None:
        raise UnavailableError("npm is missing, which fetches the classes of ExecuTorch's Android package")
    (folder,) = {place.parent for place in wanted.values()}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        command = ["npm", "pack", EXECUTORCH, "--silent", "--pack-destination", temporary]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise UnavailableError(f"npm has no {EXECUTORCH} here:\n{done.stderr.strip()}")
        with tarfile.open(archives[0]) as archive:
            for name, place in wanted.items():
                member = archive.extractfile(name)
                if member is None:
                    raise UnavailableError(f"{EXECUTORCH} has no {name}")
                partial = Path(temporary, place.name)
                partial.write_bytes(member.read())
                partial.replace(place)


def main() -> int:
    """Fetch everything, or say what cannot be had."""
    try:
        fetch(Path(sys.argv[1]))
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
