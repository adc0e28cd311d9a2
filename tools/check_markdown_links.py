"""Links between the repository's Markdown files and to its other files: broken ones are printed, with exit status 1.

python tools/check_markdown_links.py [FILE.md ...]    # default: all that git tracks

Addresses on the web are not fetched.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def broken_links(file: Path) -> Iterator[str]:
    """Yield one line for each link of ``file`` whose target or anchor does not exist."""
    text = _FENCE.sub("", file.read_text(encoding="utf-8"))
    for link in _LINK.findall(text):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (file.parent / path).resolve() if path else file
        if not target.exists():
            yield f"{file}: {link}: expected a file or folder, got nothing at {target}"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{file}: {link}: expected a heading of {target.name}, got no such anchor"


def anchors(file: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs make them."""
    text = _FENCE.sub("", file.read_text(encoding="utf-8"))
    return {_slug(heading) for heading in _HEADING.findall(text)}


def _slug(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", heading).strip().lower()
    return re.sub(r"[\s]+", "-", words)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the named files, or every tracked one; return the exit status."""
    named = [Path(name) for name in (sys.argv[1:] if arguments is None else arguments)]
    files = named or [ROOT / name for name in _tracked()]
    broken = [line for file in files if file.exists() for line in broken_links(file)]
    print("\n".join([*broken, f"{len(files)} Markdown files, {len(broken)} broken links"]))
    return int(bool(broken))


def _tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


if __name__ == "__main__":
    sys.exit(main())
