"""Write the generated pages of docs/reference, or check that they are up to date.

python -m tools.reference            # write
python -m tools.reference --check    # exit status 1 if a committed page differs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.reference.commands import commands_page
from tools.reference.header import header_page
from tools.reference.schemas import manifest_page, schemas_page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Return the text of every generated page by its path."""
    return {
        FOLDER / "commands.md": commands_page(),
        FOLDER / "linnet-h.md": header_page((ROOT / "runtime_bindings/include/linnet.h").read_text(encoding="utf-8")),
        FOLDER / "manifest.md": manifest_page(),
        FOLDER / "schemas.md": schemas_page(ROOT / "docs"),
    }


def outdated(texts: dict[Path, str]) -> list[Path]:
    """Return the pages whose committed text differs from the generated one."""
    return [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.reference", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a page is outdated")
    check = parser.parse_args(arguments).check
    texts = pages()
    changed = outdated(texts)
    for path in changed:
        name = path.relative_to(ROOT)
        print(f"{name} is outdated; run: python -m tools.reference" if check else f"wrote {name}")
        if not check:
            path.write_text(texts[path], encoding="utf-8")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
