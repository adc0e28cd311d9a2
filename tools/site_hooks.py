"""MkDocs hooks: links from pages to files of the repository, and reStructuredText roles of docstrings.

A page links to sources by a relative path, which works in a checkout. The site does not hold the sources, so such
a link becomes plain text there. ``tools/check_markdown_links.py`` checks that the files exist.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

__all__ = ["on_page_content", "on_page_markdown"]

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):(?=<code)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Replace links that leave the folder of the pages by their text."""
    folder = posixpath.dirname(page.file.src_uri)

    def replace(link: re.Match[str]) -> str:
        outside = posixpath.normpath(posixpath.join(folder, link.group(2))).startswith("..")
        return link.group(1) if outside else link.group(0)

    return _LINK.sub(replace, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Remove the roles that docstrings put before a name, which Markdown would show."""
    return _ROLE.sub("", html)
