"""Post-link guard: the built libraries carry everything they need under linnet's names, and nothing else.

    python tools/check_links.py --core liblinnet.so --symbols FOLDER/symbols.txt LIBRARY ...

CMake runs it after linking liblinnet; FOLDER is what bundle_executorch.py wrote. Fails the build if a registration
library (kernels, XNNPACK) was dropped by the linker, if anything still names one of ExecuTorch's own libraries or
symbols, or if a library would be searched outside of its folder.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path


def dynamic_section(file: Path, readelf: str) -> dict[str, list[str]]:
    """Return NEEDED, SONAME and RUNPATH entries of an ELF file."""
    text = subprocess.run([readelf, "-dW", str(file)], check=True, capture_output=True, text=True).stdout
    entries: dict[str, list[str]] = {"NEEDED": [], "SONAME": [], "RUNPATH": [], "RPATH": []}
    for tag, value in re.findall(r"\((NEEDED|SONAME|RUNPATH|RPATH)\).*\[(.*)\]", text):
        entries[tag].append(value)
    return entries


def dynamic_symbols(file: Path, nm: str) -> set[str]:
    """Return the names of all dynamic symbols, defined and needed, without versions."""
    command = [nm, "-D", "--format=posix", str(file)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[0].split("@")[0] for line in text.splitlines()}


def library_problems(file: Path, old_symbols: set[str], readelf: str, nm: str) -> list[str]:
    """Return what is wrong with one library of the bundle."""
    entries = dynamic_section(file, readelf)
    left = sorted(dynamic_symbols(file, nm) & old_symbols)
    problems = [f"needs {name}, which is not renamed" for name in entries["NEEDED"] if "libexecutorch" in name]
    if entries["SONAME"] != [file.name]:
        problems.append(f"has SONAME {entries['SONAME']}, expected {file.name}")
    if entries["RUNPATH"] != ["$ORIGIN"] or entries["RPATH"]:
        problems.append(f"has run path {entries['RUNPATH'] + entries['RPATH']}, expected $ORIGIN")
    if left:
        problems.append(f"has {len(left)} symbols that are not renamed, for example {left[0]}")
    return [f"{file.name} {problem}" for problem in problems]


def bundle_problems(core: Path, bundled: list[str], old_symbols: set[str], readelf: str, nm: str) -> list[str]:
    """Return what is wrong with ``core`` (liblinnet) and the ``bundled`` libraries beside it."""
    needed = dynamic_section(core, readelf)["NEEDED"]
    problems = [f"{core.name} does not link {name}: dropped by the linker" for name in bundled if name not in needed]
    for name in [core.name, *bundled]:
        problems += library_problems(core.with_name(name), old_symbols, readelf, nm)
    return problems


def main() -> int:
    """Command line: ``check_links.py --core liblinnet.so --symbols symbols.txt LIBRARY...``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--core", type=Path, required=True)
    parser.add_argument("bundled", nargs="+", help="file names of the libraries that must be linked")
    parser.add_argument("--readelf", default="readelf")
    parser.add_argument("--symbols", type=Path, required=True, help='lines "old new"')
    parser.add_argument("--nm", default="nm")
    arguments = parser.parse_args()
    old_symbols = {line.split()[0] for line in arguments.symbols.read_text().splitlines()}
    problems = bundle_problems(arguments.core, arguments.bundled, old_symbols, arguments.readelf, arguments.nm)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
