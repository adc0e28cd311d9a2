"""Check of a finished wheel: installed size, and that every library in it is for the wheel's machine.

python tools/check_wheel.py dist/linnet-VERSION-cp311-cp311-manylinux_2_34_aarch64.whl --most-installed-mb 22
"""

from __future__ import annotations

import argparse
import struct
import sys
import zipfile
from pathlib import Path

ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
"""e_machine of the ELF header by the ending of the platform tag (EM_X86_64, EM_AARCH64)."""


def wheel_problems(wheel: Path, most_installed: int) -> list[str]:
    """Return what is wrong with ``wheel``; ``most_installed`` is in bytes."""
    with zipfile.ZipFile(wheel) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        headers = {name: archive.read(name)[:20] for name in archive.namelist() if name.endswith(".so")}
    machine = next(machine for tag, machine in ELF_MACHINES.items() if wheel.stem.endswith(tag))
    problems = [
        f"{name} is not a library for this machine"
        for name, header in headers.items()
        if header[:4] != b"\x7fELF" or struct.unpack_from("<H", header, 18)[0] != machine
    ]
    if not any("/_core." in name for name in headers) or not any("liblinnet.so" in name for name in headers):
        problems.append("the compiled core is missing")
    if size > most_installed:
        problems.append(f"{size / 1e6:.1f} MB installed, at most {most_installed / 1e6:.1f} MB are wanted")
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {size / 1e6:.1f} MB installed beside numpy")
    return problems


def main() -> int:
    """Command line: ``check_wheel.py FILE.whl --most-installed-mb 22``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--most-installed-mb", type=float, required=True, help="in 10^6 bytes")
    arguments = parser.parse_args()
    problems = wheel_problems(arguments.wheel, int(arguments.most_installed_mb * 1e6))
    for problem in problems:
        print(f"{arguments.wheel.name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
