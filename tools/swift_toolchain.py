"""A Swift compiler: the one on the path, else Debian's package swiftlang, unpacked into build/swift without root.

    python tools/swift_toolchain.py                  fetch it (550 MB, 1.3 GB unpacked), or print why that is impossible
    python tools/swift_toolchain.py test --package-path FOLDER

Debian has it from trixie on, made for a newer C library than older systems have. So it runs with the libraries it came
with: in a root folder of its own, which sees this project and /tmp where they are, by namespaces of the kernel.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "swift" / "toolchain"
SUITE = "trixie"
PACKAGES = ("swiftlang", "libc6-dev", "libstdc++-14-dev")
PROGRAMS = "/usr/libexec/swift/bin"
READY = FOLDER / ".ready"
# debugger, editor services and what is linked into static or embedded programs: more than half of the package
_LEFT_OUT = (
    "bin/lldb*",
    "bin/clangd",
    "bin/docc",
    "bin/sourcekit-lsp",
    "bin/swift-format",
    "lib/liblldb*",
    "lib/libsourcekitdInProc.so",
    "lib/swift/FrameworkABIBaseline",
    "lib/swift/embedded",
    "lib/swift_static",
)
_ENTER = """set -eu
root=$1 project=$2; shift 2
for each in /proc /dev /tmp "$project"; do mkdir -p "$root$each"; mount --rbind "$each" "$root$each"; done
exec "$(command -v chroot)" "$root" "$@"
"""


class UnavailableError(Exception):
    """There is no Swift compiler here; the message says what is missing."""


def fetch() -> None:
    """Make a compiler be there. Does nothing if there is one.

    Raises:
        UnavailableError: no package can be had, or this system does not let a program have a root of its own.
    """
    if shutil.which("swift") is not None or READY.exists():
        return
    if sys.platform != "linux" or shutil.which("unshare") is None:
        raise UnavailableError("swift is not on the path, and Debian's needs Linux with unshare (util-linux)")
    tool = [sys.executable, str(ROOT / "tools" / "debian_packages.py"), "--dependencies"]
    where = ["--suite", SUITE, "--architecture", _architecture(), "--into", str(FOLDER)]
    done = subprocess.run([*tool, *where, *PACKAGES], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(done.stderr.strip())
    _complete()
    READY.touch()
    version = subprocess.run(command("--version"), capture_output=True, text=True, check=False)
    if version.returncode:
        READY.unlink()
        raise UnavailableError(f"Debian's Swift does not run here: {version.stderr.strip()}")


def _architecture() -> str:
    known = {"x86_64": "amd64", "aarch64": "arm64"}
    machine = os.uname().machine
    if machine not in known:
        raise UnavailableError(f"Debian has no Swift for {machine}, known are {', '.join(known)}")
    return known[machine]


def _complete() -> None:
    for pattern in _LEFT_OUT:
        for path in (FOLDER / "usr" / "libexec" / "swift").glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in ("bin", "sbin", "lib", "lib64"):  # links that the package base-files brings
        if not (FOLDER / name).exists():
            (FOLDER / name).symlink_to(f"usr/{name}")


def command(*arguments: str, **environment: str) -> list[str]:
    """Return the command line of ``swift arguments``, or of ``swiftc`` if they begin with an option.

    Args:
        arguments: for example ``test``, ``--package-path``, ``FOLDER``.
        environment: added to the environment; Debian's Swift sees no other.

    Raises:
        UnavailableError: it was not fetched.
    """
    verb, *rest = arguments
    variables = [f"{name}={value}" for name, value in {"LANG": "C.UTF-8", "HOME": "/tmp", **environment}.items()]
    if shutil.which("swift") is not None:
        return ["env", *variables, *(["swiftc"] if verb.startswith("-") else ["swift"]), *arguments]
    if not READY.exists():
        raise UnavailableError("a Swift compiler, which make test-swift fetches")
    enter = ["unshare", "--mount", "--map-root-user", "sh", "-c", _ENTER, "sh", str(FOLDER), str(ROOT)]
    # the start program of Debian's package knows no subcommands: each is a program of its own
    program = f"{PROGRAMS}/swiftc" if verb.startswith("-") else f"{PROGRAMS}/swift-{verb}"
    options = [verb, *rest] if verb.startswith("-") else rest
    return ["env", "-i", f"PATH={PROGRAMS}:/usr/bin:/usr/sbin:/bin:/sbin", *variables, *enter, program, *options]


def main() -> int:
    """Fetch a compiler, or run it."""
    try:
        if len(sys.argv) == 1:
            fetch()
            return 0
        return subprocess.run(command(*sys.argv[1:]), check=False).returncode
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
