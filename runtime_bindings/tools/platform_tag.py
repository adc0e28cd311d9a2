"""Print the platform tag that a Linux wheel may carry, from the symbol versions that its files need."""

from __future__ import annotations

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
    found = re.search(r'is consistent with the following platform tag: "([a-z0-9_]+)"', joined)
    if found is None or not found.group(1).startswith("manylinux"):
        raise SystemExit(f"{wheel.name}: no manylinux tag fits:\n{text}")
    return found.group(1)


if __name__ == "__main__":
    print(platform_tag(Path(sys.argv[1])))
