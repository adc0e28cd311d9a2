"""Reads a page with the standard library's parser: its structure, its tables, and what it refers to."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "wbr", "link", "img", "input", "base"}
REFERRING = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "formaction", "background"}


class PageReader(HTMLParser):
    """What a page holds.

    Attributes:
        tags: every start tag, in order.
        problems: what does not nest.
        references: values of attributes that load or lead somewhere.
        ids: anchors.
        tables: rows of cells as text.
        texts: text of each element of interest by tag: h1, h2, caption, p.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.problems: list[str] = []
        self.references: set[str] = set()
        self.ids: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []

    def handle_decl(self, decl: str) -> None:
        self.tags.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in REFERRING:
                self.references.add(value or "")
            if name.startswith("on"):
                self.problems.append(f"{tag} carries {name}")
            if name == "id":
                self.ids.append(value or "")
        if tag in VOID:
            return
        self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        else:
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> where {self._open[-1:]} is open")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            if tag in self.texts and tag not in ("html", "body", "main", "section"):
                self.texts[tag][-1] += data
        if {"td", "th"} & set(self._open) and "table" in self._open:
            self.tables[-1][-1][-1] += data

    def finish(self) -> None:
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        if not self.tags or self.tags[0].lower() != "doctype html":
            self.problems.append("there is no doctype")
        if len(self.ids) != len(set(self.ids)):
            self.problems.append(f"two elements share an id: {self.ids}")


def read_page(text: str) -> PageReader:
    """Return what a page holds."""
    reader = PageReader()
    reader.feed(text)
    reader.finish()
    return reader
