"""Copy ExecuTorch's libraries under linnet's own names, so that two copies in one process never mix.

    python tools/bundle_executorch.py bundle --sdk SDK --folder FOLDER
    python tools/bundle_executorch.py rename --folder FOLDER --file liblinnet.so

CMake runs both: `bundle` before liblinnet is compiled, `rename` after it was linked.

`libexecutorch_threadpool.so` becomes `liblinnet_executorch_threadpool.so`: file name, SONAME, every NEEDED
entry among them, and a run path of `$ORIGIN` alone. Then every symbol that the libraries define gets a
prefix: without it, a process that loads `executorch` with RTLD_GLOBAL (or links both) would register one
copy's kernels with the other copy and stop, and their BLAS would answer for anybody's `sgemm_`.

XNNPACK's library also gets other names for what liblinnet answers: `clock_gettime`, which it calls only while it
profiles (runtime/program/delegate_clock.h), and the C library's functions for memory
(runtime/memory/xnnpack_memory.cpp).

Two folders come out: `link/`, with the original symbols, is what liblinnet is compiled against; `lib/`, with
the renamed ones, is what ships. `rename` does the same to liblinnet. On macOS names
of libraries are part of every symbol reference, so only the install names change there (untested).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

LIBRARIES = (
    "executorch",
    "executorch_threadpool",
    "executorch_kernels_optimized",
    "executorch_kernels_quantized",
    "executorch_backend_xnnpack",
)
SYMBOL_MAP = "symbols.txt"
"""Lines "old new", as patchelf reads them."""

ANSWERED_MAP = "answered.txt"
"""The same for the one library below."""

_ASKING = "executorch_backend_xnnpack"
_ANSWERED = ("clock_gettime", "malloc", "calloc", "realloc", "posix_memalign", "free")
_UNANSWERED = (
    "aligned_alloc", "memalign", "valloc", "reallocarray", "strdup", "strndup", "asprintf", "vasprintf", "getline",
    "realpath", "__cxa_demangle", "open_memstream",
)  # fmt: skip
_NAMESPACES = ("executorch", "torch", "N2at", "N3c10", "5Eigen", "11flatbuffers", "10fb_xnnpack", "9pocketfft")
_KEPT = {"_init", "_fini", "_edata", "_end"}


def renamed(library: str) -> str:
    """Return linnet's base name of an ExecuTorch library."""
    return f"linnet_{library}"


def renamed_symbol(name: str) -> str | None:
    """Return linnet's name of a symbol, or None for one that belongs to the C++ standard library."""
    if name in _KEPT or name.startswith("__"):
        return None
    if name.startswith("_Z") and not any(namespace in name for namespace in _NAMESPACES):
        return None
    return f"linnet_{name.lstrip('_')}"


def dynamic_symbols(file: Path, nm: str, which: str) -> set[str]:
    """Return the dynamic symbols of ``file``; ``which`` is nm's option, as ``--defined-only``."""
    command = [nm, "-D", which, "--format=posix", str(file)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.split()[0].split("@")[0] for line in lines}


def write_symbol_map(folder: Path, file: Path, nm: str) -> None:
    """Write the map of all symbols that the libraries in ``folder`` define."""
    names = {name for library in sorted(folder.glob("*.so")) for name in dynamic_symbols(library, nm, "--defined-only")}
    pairs = [(name, renamed_symbol(name)) for name in sorted(names)]
    file.write_text("".join(f"{old} {new}\n" for old, new in pairs if new is not None))


def rename_symbols(file: Path, symbol_map: Path, patchelf: str) -> None:
    """Rename the dynamic symbols of ``file``, defined and needed ones."""
    subprocess.run([patchelf, "--rename-dynamic-symbols", str(symbol_map), str(file)], check=True)


def rename_answered(file: Path, answered_map: Path, nm: str, patchelf: str) -> None:
    """Let ``file`` ask liblinnet for the time and for memory; the symbols' versions were the C library's."""
    needed = dynamic_symbols(file, nm, "--undefined-only")
    if unanswered := sorted(needed & set(_UNANSWERED)):
        sys.exit(f"{file.name} frees memory of {', '.join(unanswered)} with linnet's free(): answer these as well")
    answered = [name for name in _ANSWERED if name in needed]
    versions = [part for name in answered for part in ("--clear-symbol-version", name)]
    subprocess.run([patchelf, *versions, str(file)], check=True)
    answered_map.write_text("".join(f"{name} linnet_{name}\n" for name in answered))
    rename_symbols(file, answered_map, patchelf)


def rename_elf(file: Path, patchelf: str) -> None:
    """Give an ELF library its new SONAME, NEEDED entries and run path."""
    command = [patchelf, "--set-soname", file.name]
    for library in LIBRARIES:
        command += ["--replace-needed", f"lib{library}.so", f"lib{renamed(library)}.so"]
    subprocess.run([*command, "--set-rpath", "$ORIGIN", str(file)], check=True)


def rename_mach_o(file: Path) -> None:
    """Do the same for a Mach-O library (untested), then sign it again, as arm64 requires."""
    command = ["install_name_tool", "-id", f"@rpath/{file.name}", "-add_rpath", "@loader_path"]
    for library in LIBRARIES:
        command += ["-change", f"@rpath/lib{library}.dylib", f"@rpath/lib{renamed(library)}.dylib"]
    subprocess.run([*command, str(file)], check=True)
    subprocess.run(["codesign", "--force", "--sign", "-", str(file)], check=True)


def copy_libraries(sdk: Path, folder: Path, suffix: str) -> list[Path]:
    """Copy the libraries of ``sdk`` into the new ``folder`` under their new file names."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for library in LIBRARIES:
        file = folder / f"lib{renamed(library)}{suffix}"
        shutil.copyfile(sdk / "lib" / f"lib{library}{suffix}", file)
        file.chmod(0o755)
        files.append(file)
    return files


def bundle_elf(sdk: Path, folder: Path, nm: str, patchelf: str) -> None:
    """Write ``link/``, ``lib/`` and the symbol map into ``folder``."""
    for file in copy_libraries(sdk, folder / "link", ".so"):
        rename_elf(file, patchelf)
    write_symbol_map(folder / "link", folder / SYMBOL_MAP, nm)
    shutil.rmtree(folder / "lib", ignore_errors=True)
    shutil.copytree(folder / "link", folder / "lib")
    for file in sorted((folder / "lib").iterdir()):
        rename_symbols(file, folder / SYMBOL_MAP, patchelf)
    rename_answered(folder / "lib" / f"lib{renamed(_ASKING)}.so", folder / ANSWERED_MAP, nm, patchelf)


def bundle_mach_o(sdk: Path, folder: Path) -> None:
    """Write ``link/`` and ``lib/``, which are the same here, into ``folder``."""
    for file in copy_libraries(sdk, folder / "link", ".dylib"):
        rename_mach_o(file)
    shutil.rmtree(folder / "lib", ignore_errors=True)
    shutil.copytree(folder / "link", folder / "lib")


def main() -> int:
    """Command line: ``bundle_executorch.py bundle --sdk FOLDER`` or ``rename --file FILE``, ``--folder BUNDLE``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("bundle", "rename"))
    parser.add_argument("--folder", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--sdk", type=Path)
    parser.add_argument("--file", type=Path, help="liblinnet, just linked")
    parser.add_argument("--system", default="Linux", help="CMAKE_SYSTEM_NAME of the target")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--patchelf", default="patchelf")
    arguments = parser.parse_args()
    if arguments.command == "rename":
        rename_symbols(arguments.file, arguments.folder / SYMBOL_MAP, arguments.patchelf)
    elif arguments.system == "Darwin":
        bundle_mach_o(arguments.sdk, arguments.folder)
    else:
        bundle_elf(arguments.sdk, arguments.folder, arguments.nm, arguments.patchelf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
