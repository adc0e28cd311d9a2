"""An emulated 64-bit ARM machine, made of Debian's packages below build/aarch64, kept from run to run.

Nothing needs root: packages are unpacked into folders, and QEMU's user mode looks there for libraries.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "aarch64"
TOOLS = ROOT / "tools"
COMPILERS = WORK / "toolchain" / "cross-bin"

_WHEEL_SOURCES = ("sdk", "export", "runtime_bindings", "CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE")


class BuildFailedError(Exception):
    """linnet itself does not build for aarch64, which no machine excuses."""


class UnavailableError(Exception):
    """This machine cannot emulate; the message says what is missing."""


@dataclasses.dataclass(frozen=True)
class Emulator:
    """A release of QEMU's user mode: the suite and package that have it, and the program inside.

    Attributes:
        shared: the program needs libraries, which are unpacked with it; only such a one loads plugins.
    """

    suite: str
    package: str
    program: str
    shared: bool = False

    @property
    def folder(self) -> Path:
        """Root of the unpacked packages."""
        return WORK / (f"qemu-{self.suite}" + ("-shared" if self.shared else ""))

    @property
    def path(self) -> Path:
        """The program, once :func:`unpack_emulator` ran."""
        return self.folder / self.program

    @property
    def words(self) -> list[str]:
        """Start of a command line that runs the program."""
        return with_libraries(self.folder, self.program) if self.shared else [str(self.path)]


SOUND = Emulator("trixie", "qemu-user", "usr/bin/qemu-aarch64")
BROKEN_SME = Emulator("bookworm", "qemu-user-static", "usr/bin/qemu-aarch64-static")
"""QEMU 7.2 computes SMOPA wrongly (sme_outer_product.c): a processor whose int8 answers must be refused."""
WITH_PLUGINS = Emulator("bookworm", "qemu-user", "usr/bin/qemu-aarch64", shared=True)
"""The last release with a program that loads plugins: that of Trixie is static."""

_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")


@dataclasses.dataclass(frozen=True)
class Userland:
    """A Debian release with its Python: bookworm is what 64-bit Raspberry Pi OS is made of."""

    suite: str
    python: str

    @property
    def folder(self) -> Path:
        """Root of the unpacked packages."""
        return WORK / f"userland-{self.suite}"

    @property
    def site(self) -> Path:
        """Where pip put linnet and numpy."""
        return WORK / f"site-{self.suite}"

    @property
    def program(self) -> Path:
        """The interpreter."""
        return self.folder / "usr" / "bin" / f"python{self.python}"


BOOKWORM = Userland("bookworm", "3.11")
TRIXIE = Userland("trixie", "3.13")


def check_host() -> None:
    """Refuse a machine that is not x86-64 Linux with apt-get.

    Raises:
        UnavailableError: with what was found.
    """
    found = f"{platform.system()} {platform.machine()}"
    if found != "Linux x86_64":
        raise UnavailableError(f"the emulated tests run on x86-64 Linux, this is {found}")
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError("apt-get and dpkg-deb are needed to unpack Debian's arm64 packages")


def command(arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None, seconds: int = 900) -> str:
    """Run a program of the set-up and return what it printed.

    Raises:
        UnavailableError: it failed or took longer than ``seconds``.
    """
    words = [str(word) for word in arguments]
    try:
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, **(environment or {})}, timeout=seconds, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{' '.join(words[:3])}: {error}") from error
    if done.returncode != 0:
        raise UnavailableError(f"{' '.join(words[:6])}...:\n{done.stdout.strip()}")
    return done.stdout


def build(arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None, seconds: int = 900) -> None:
    """Build something of linnet's own with the cross-compiler that is there.

    Raises:
        BuildFailedError: it failed or took longer than ``seconds``.
    """
    try:
        command(arguments, environment, seconds)
    except UnavailableError as error:
        raise BuildFailedError(str(error)) from error


def with_libraries(folder: Path, program: str) -> list[str]:
    """Return the start of a command line that runs an unpacked x86-64 program with the libraries unpacked beside it."""
    libraries = ":".join(str(folder / name) for name in _LIBRARIES)
    loader = folder / _LIBRARIES[0] / "ld-linux-x86-64.so.2"
    return [str(loader), "--library-path", libraries, str(folder / program)]


def unpack_programs(suite: str, folder: Path, packages: Sequence[str], keep: Sequence[str]) -> None:
    """Unpack x86-64 packages with all that they need; kept are the libraries and the files that match ``keep``."""
    kept = [word for glob in (*keep, *(f"{name}/*.so*" for name in _LIBRARIES)) for word in ("--keep", glob)]
    _packages(suite, "amd64", folder, "--dependencies", *kept, *packages)


def _packages(suite: str, architecture: str, into: Path, *more: str) -> None:
    tool = TOOLS / "debian_packages.py"
    command([sys.executable, tool, "--suite", suite, "--architecture", architecture, "--into", into, *more])


def unpack_emulator(emulator: Emulator) -> None:
    """Unpack QEMU and see that it runs."""
    if emulator.shared:
        unpack_programs(emulator.suite, emulator.folder, [emulator.package], [emulator.program])
    else:
        _packages(emulator.suite, "amd64", emulator.folder, "--keep", emulator.program, emulator.package)
    command([*emulator.words, "--version"])


def unpack_userland(userland: Userland) -> None:
    """Unpack Python and the C++ library for arm64 with all that they need."""
    names = (f"python{userland.python}-minimal", f"libpython{userland.python}-stdlib", "libstdc++6")
    _packages(userland.suite, "arm64", userland.folder, "--dependencies", *names)
    if not (userland.folder / "lib").exists():  # newer releases leave this link to the package base-files
        (userland.folder / "lib").symlink_to("usr/lib")


def unpack_toolchain() -> None:
    """Unpack the cross compiler."""
    command(["sh", TOOLS / "cross_toolchain.sh"], {"PYTHON": sys.executable})


def digest(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of files and folders, without what builds leave there."""
    found = hashlib.sha256()
    for path in paths:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts and file.suffix not in {".so", ".pyc"}:
                found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()


def build_wheels() -> None:
    """Build the wheels of ``make wheel-aarch64`` unless dist/ has those of the present sources."""
    stamp = WORK / "wheels.sha256"
    wanted = digest([ROOT / name for name in _WHEEL_SOURCES])
    if stamp.is_file() and stamp.read_text() == wanted and list((ROOT / "dist").glob("*aarch64.whl")):
        return
    for old in (ROOT / "dist").glob("*aarch64.whl"):
        old.unlink()
    print("   cross-building the wheels", flush=True)
    build(["sh", TOOLS / "build_wheels_aarch64.sh"], {"PYTHON": sys.executable}, seconds=1800)
    stamp.write_text(wanted)


def download_numpy(userland: Userland) -> Path:
    """Return a folder with numpy's wheel for the userland's Python."""
    return download(userland, "numpy")


def download(userland: Userland, package: str) -> Path:
    """Return a folder with a package's wheel for the userland's Python, of the version in constraints.txt."""
    folder = WORK / f"{package}-{userland.suite}"
    if not list(folder.glob(f"{package}-*.whl")):
        tag = userland.python.replace(".", "")
        command(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "download", "--no-deps",
             "--only-binary", ":all:", "--platform", "manylinux_2_28_aarch64", "--python-version", tag,
             "--constraint", "constraints.txt", "--dest", folder, package]
        )  # fmt: skip
    return folder


def install(userland: Userland) -> None:
    """Let the userland's own pip choose and install the wheel of linnet and its requirements (numpy)."""
    wheels = sorted((ROOT / "dist").glob("*aarch64.whl"))
    numpy = download_numpy(userland)
    stamp = userland.site / ".installed"
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in [*wheels, *numpy.glob("*.whl")])).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(userland.site, ignore_errors=True)
    import pip

    pip_program = Path(pip.__file__).parent  # pip is plain Python: the host's copy runs in any interpreter
    command(
        [*emulated(SOUND, "cortex-a76", userland), userland.program, pip_program, "--disable-pip-version-check",
         "-q", "install", "--no-index", "--no-compile", "--find-links", ROOT / "dist", "--find-links", numpy,
         "--target", userland.site, "linnet"]
    )  # fmt: skip
    stamp.write_text(wanted)


def emulated(emulator: Emulator, cpu: str, userland: Userland) -> list[str]:
    """Return the start of a command line that runs a program of ``userland`` on ``cpu``."""
    return [*emulator.words, "-cpu", cpu, "-L", str(userland.folder)]


def compile_program(name: str, sources: Sequence[Path], userland: Userland, includes: Sequence[Path] = ()) -> Path:
    """Cross-compile a test program against the header and the libraries of the installed wheel."""
    package = userland.site / "linnet_runtime"
    program = WORK / "programs" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    cxx = sources[0].suffix == ".cpp"
    compiler = COMPILERS / ("aarch64-linux-gnu-g++-12" if cxx else "aarch64-linux-gnu-gcc-12")
    # as in runtime_bindings/cmake/Warnings.cmake: a product and a sum are rounded twice, unless they are a std::fma()
    rounding = "-ffp-contract=off"
    # GNU C: an assembler statement, and the C library's own allocation functions
    standard = ["-std=c++17"] if cxx else ["-std=gnu11"]
    folders = [f"-I{folder}" for folder in (package / "include", *includes)]
    build(
        [compiler, *standard, "-O1", rounding, "-rdynamic", "-Wall", "-Wextra", "-Werror", *folders,
         *sources, "-o", program,
         f"-L{package / 'lib'}", "-llinnet", f"-Wl,-rpath,{package / 'lib'}", f"-Wl,-rpath-link,{package / 'lib'}",
         "-lm", "-lpthread", "-ldl"]
    )  # fmt: skip
    return program
