"""Requirements of linnet and of the named extras, as arguments of pip: they are installed before linnet builds.

pip install -c constraints.txt $(python tools/list_requirements.py export dev)
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

__all__ = ["requirements"]


def requirements(extras: list[str]) -> list[str]:
    """Return the base requirements and those of ``extras``, without linnet itself.

    Raises:
        KeyError: pyproject.toml has no such extra.
    """
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return [
        re.sub(r"\s+", "", requirement.split(";")[0]) for requirement in wanted if not requirement.startswith("linnet")
    ]


if __name__ == "__main__":
    print(" ".join(requirements(sys.argv[1:])))
