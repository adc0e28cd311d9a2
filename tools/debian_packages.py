"""Unpack Debian packages of any architecture into a folder, without root and without touching the system.

    python tools/debian_packages.py --suite bookworm --architecture arm64 --into FOLDER [--dependencies] PACKAGE ...

`apt-get` does the work with a state folder of its own: signatures are checked against Debian's archive keys,
dependencies resolved as if nothing were installed. What comes out is complete or absent, and kept until the
request changes. DEBIAN_MIRROR names another mirror.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECURITY = "-security"
"""End of a suite's name, such as bookworm-security: the release with its security updates, from a mirror beside it."""
STAMP = ".packages"
"""File written last: the request that the folder answers."""


class PackagesError(Exception):
    """The packages could not be had; the message says why."""


def _run(command: list[str], what: str) -> str:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise PackagesError(f"{what} failed:\n{done.stdout.strip()}")
    return done.stdout


def check_tools() -> None:
    """Refuse a machine without apt-get, dpkg-deb or Debian's keys, naming all that is missing."""
    missing = [tool for tool in ("apt-get", "dpkg-deb") if shutil.which(tool) is None]
    if not KEYRING.exists():
        missing.append(f"{KEYRING} (package debian-archive-keyring)")
    if missing:
        raise PackagesError(f"Debian packages cannot be unpacked here: {', '.join(missing)} missing")


def apt_options(state: Path, suite: str, architecture: str) -> list[str]:
    """Make apt's private ``state`` folder for one suite and architecture, and return the options that use it."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    mirror = os.environ.get("DEBIAN_MIRROR", MIRROR)
    sources = [f"{mirror} {suite.removesuffix(SECURITY)}"]
    if suite.endswith(SECURITY):
        sources.append(f"{mirror}{SECURITY} {suite}")
    (state / "sources.list").write_text("".join(f"deb [signed-by={KEYRING}] {source} main\n" for source in sources))
    settings = {
        "APT::Architecture": architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Debug::NoLocking": "true",
    }
    clear = ["-o", "APT::Architectures::=", "-o", f"APT::Architectures={architecture}"]
    return [*clear, *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]


def download(packages: list[str], options: list[str], folder: Path, *, dependencies: bool) -> list[Path]:
    """Download ``packages`` (and what they depend on) into ``folder`` and return the files."""
    names = packages
    if dependencies:
        plan = _run(["apt-get", *options, "--simulate", "install", *packages], "resolving dependencies")
        names = [line.split()[1].split(":")[0] for line in plan.splitlines() if line.startswith("Inst ")]
    command = ["env", "-C", str(folder), "apt-get", *options, "-qq", "download", *names]
    _run(command, f"downloading {len(names)} packages")
    return sorted(folder.glob("*.deb"))


def _fill(folder: Path, arguments: argparse.Namespace) -> None:
    state = folder.with_name(folder.name + ".apt")
    fresh = folder.with_name(folder.name + ".unpacked")
    state.mkdir()
    options = apt_options(state.resolve(), arguments.suite, arguments.architecture)
    _run(["apt-get", *options, "-qq", "update"], f"reading the package lists of {arguments.suite}")
    fresh.mkdir()
    for file in download(arguments.packages, options, state, dependencies=arguments.dependencies):
        _run(["dpkg-deb", "-x", str(file), str(fresh)], f"unpacking {file.name}")
    if arguments.keep:
        _prune(fresh, arguments.keep)
    fresh.rename(folder)


def _prune(folder: Path, keep: list[str]) -> None:
    kept = {path for pattern in keep for path in folder.glob(pattern)}
    if not kept:
        raise PackagesError(f"none of the packages has a file like {', '.join(keep)}")
    for path in folder.rglob("*"):
        if (path.is_symlink() or path.is_file()) and path not in kept:
            path.unlink()


def unpack(arguments: argparse.Namespace) -> None:
    """Make ``arguments.into`` hold the packages. Does nothing if it already does.

    Raises:
        PackagesError: a tool is missing, there is no network, or a package does not exist.
    """
    request = [
        arguments.suite,
        arguments.architecture,
        str(arguments.dependencies),
        *arguments.packages,
        *arguments.keep,
    ]
    wanted = f"{' '.join(request)}\n"
    into: Path = arguments.into
    if (into / STAMP).is_file() and (into / STAMP).read_text() == wanted:
        return
    check_tools()
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=into.parent) as temporary:
        fresh = Path(temporary, "files")
        _fill(fresh, arguments)
        (fresh / STAMP).write_text(wanted)
        shutil.rmtree(into, ignore_errors=True)
        fresh.rename(into)


def main() -> int:
    """Command line: ``debian_packages.py --suite bookworm --architecture arm64 --into FOLDER PACKAGE...``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--suite", required=True, help="for example bookworm")
    parser.add_argument("--architecture", required=True, help="Debian's name, for example arm64")
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--dependencies", action="store_true", help="also what the packages depend on")
    parser.add_argument("--keep", action="append", default=[], metavar="GLOB", help="keep only these files")
    arguments = parser.parse_args()
    try:
        unpack(arguments)
    except PackagesError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
