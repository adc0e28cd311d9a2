"""Platform tag that a Linux wheel may carry, from the symbol versions that its files need.

python tools/platform_tag.py dist/linnet-VERSION-cp311-cp311-linux_aarch64.whl [--newest-glibc 2.36]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path


def platform_tag(wheel: Path) -> str:
    """Return auditwheel's verdict, for example ``manylinux_2_34_x86_64``.

    Raises:
        SystemExit: auditwheel would have to change the wheel, which then is not self-contained.
    """
    command = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    joined = " ".join(text.split())
    match = re.search(r'is consistent with the following platform tag: "([a-z0-9_]+)"', joined)
    if match is None or not match.group(1).startswith("manylinux"):
        raise SystemExit(f"{wheel.name}: no manylinux tag fits:\n{text}")
    return match.group(1)


def check_glibc(tag: str, newest: str) -> None:
    """Refuse a tag like ``manylinux_2_38_aarch64`` that a system with glibc ``newest`` would not take.

    Raises:
        SystemExit: the wheel needs a newer glibc.
    """
    match = re.match(r"manylinux_(\d+)_(\d+)_", tag)
    needed = (int(match.group(1)), int(match.group(2))) if match else (2, 17)
    if needed > tuple(int(part) for part in newest.split(".")):
        raise SystemExit(f"the wheel needs glibc {needed[0]}.{needed[1]}, the target has {newest}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--newest-glibc", help="refuse a wheel that needs a newer one, for example 2.36")
    arguments = parser.parse_args()
    tag = platform_tag(arguments.wheel)
    if arguments.newest_glibc:
        check_glibc(tag, arguments.newest_glibc)
    print(tag)
