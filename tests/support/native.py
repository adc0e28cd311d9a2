"""What a C program of the tests is compiled against: the package's liblinnet and linnet.h."""

from __future__ import annotations

from pathlib import Path

import linnet_runtime

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(linnet_runtime.__file__).parent


def include_folder() -> Path:
    """Return the installed header's folder, or the one of the source tree in a development build."""
    installed = PACKAGE / "include"
    return installed if (installed / "linnet.h").exists() else ROOT / "runtime_bindings" / "include"
