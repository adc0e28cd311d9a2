"""Prints the requirements of linnet and of the named extras, so that they install before linnet builds."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

__all__ = ["requirements"]


def requirements(extras: list[str]) -> list[str]:
    """Return base requirements and those of ``extras``, without linnet itself."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = list(project["dependencies"])
    for extra in extras:
        found += project["optional-dependencies"][extra]
    return [re.sub(r"\s+", "", each.split(";")[0]) for each in found if not each.startswith("linnet")]


if __name__ == "__main__":
    print(" ".join(requirements(sys.argv[1:])))
