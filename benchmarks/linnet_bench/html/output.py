"""Writing of pages: a page replaces one that the same command made, since it can be made again."""

from __future__ import annotations

from pathlib import Path

from linnet.cli.output import check_output_path, write_text
from linnet.errors import InvalidArgumentError
from linnet_bench.html.document import generator_tag

__all__ = ["check_page_path", "write_page"]

_HEAD_BYTES = 4096  # the head begins with the tag


def check_page_path(path: Path, maker: str, *, force: bool) -> None:
    """Check that a page can be written; commands call this before work that takes minutes.

    Args:
        path: where to write it.
        maker: command that makes it, such as ``linnet explain``.
        force: replace every file.

    Raises:
        InvalidArgumentError: its name does not end in .html, a file is there which is no page of that command, or see
            :func:`linnet.cli.output.check_output_path`.
    """
    if path.suffix.lower() not in (".html", ".htm") and not path.is_dir():
        raise InvalidArgumentError(f"{path} is a page in HTML; name it {path.name}.html, so that browsers open it")
    check_output_path(path, force=force or _is_made_by(path, maker))


def write_page(html: str, path: Path, maker: str, *, force: bool) -> None:
    """Write a page; the errors are those of :func:`check_page_path` and of the disk."""
    write_text(html, path, force=force or _is_made_by(path, maker))


def _is_made_by(path: Path, maker: str) -> bool:
    try:
        with path.open("rb") as file:
            return generator_tag(maker).encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False
