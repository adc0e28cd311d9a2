"""The HTML document of a page: sections, head, styles, content security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from linnet_bench.html.markup import Content, Markup, element, escape, join
from linnet_bench.html.style import SCRIPT, STYLE

__all__ = ["Page", "generator_tag"]

_CONTENTS_FROM = 4  # minimum number of sections for a table of contents


class Page:
    """One self-contained HTML page.

    The content security policy in its head forbids every request and every script but the page's own, so
    that even a defect here could not access the network.
    """

    def __init__(self, title: str, *, maker: str = "linnet", subtitle: Content = None, footer: Content = None) -> None:
        """Start a page.

        Args:
            title: window title and first heading.
            maker: command that makes the page; it may replace such a page.
            subtitle: content below the heading.
            footer: content at the end.
        """
        self.title = title
        self._maker = maker
        self._subtitle = subtitle
        self._footer = footer
        self._sections: list[tuple[str, str, Markup]] = []

    def section(self, heading: str, *content: Content | Iterable[Content]) -> None:
        """Add a section; its anchor is made from its heading."""
        name = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "section"
        taken = {anchor for anchor, _, _ in self._sections}
        anchor, number = name, 2
        while anchor in taken:
            anchor, number = f"{name}-{number}", number + 1
        self._sections.append((anchor, heading, join(*content)))

    def render(self) -> str:
        """Return the page, to be written as UTF-8."""
        head = (
            '<meta charset="utf-8">\n'
            f"{generator_tag(self._maker)}\n"
            f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(' '.join(self.title.split()))}</title>\n<style>{STYLE}</style>"
        )
        body = join(
            element("header", element("h1", element("bdi", self.title)), self._paragraph(), self._contents()),
            Markup("\n"),
            element("main", [self._section(*section) for section in self._sections]),
            element("footer", self._footer) if self._footer else None,
        )
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body.text}\n'
            f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
        )

    def _paragraph(self) -> Content:
        return element("p", self._subtitle, class_="subtitle") if self._subtitle else None

    def _contents(self) -> Content:
        if len(self._sections) < _CONTENTS_FROM:
            return None
        links = [element("li", element("a", heading, href=f"#{anchor}")) for anchor, heading, _ in self._sections]
        return element("nav", element("ul", links), aria_label="Contents")

    @staticmethod
    def _section(anchor: str, heading: str, content: Markup) -> Markup:
        return join(Markup("\n"), element("section", element("h2", heading, id=anchor), content))


def generator_tag(maker: str) -> str:
    """Return the tag in the head that names the command which made a page."""
    return f'<meta name="generator" content="{escape(maker)}">'


def _policy() -> str:
    return (
        f"default-src 'none'; style-src '{_fingerprint(STYLE)}'; script-src '{_fingerprint(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _fingerprint(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
