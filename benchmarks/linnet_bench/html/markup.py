"""Elements of HTML and SVG, escaped by construction.

A ``str`` is always text and never markup; only :func:`element` makes :class:`Markup`. Markup that could load other
resources or run code cannot be written: scripts, styles, frames, event handlers, links to anything but a place in the
same page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Attribute", "Content", "Markup", "element", "foreign", "join"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VOID = frozenset({"br", "hr", "wbr"})
_REFUSED_TAGS = frozenset(
    "script style iframe frame object embed link meta base form input audio video source image img use "
    "foreignobject animate set html head body svg-script".split()
)
_REFUSED_ATTRIBUTES = frozenset({"style", "src", "srcset", "srcdoc", "action", "formaction", "data", "ping"})
# not allowed in HTML or UTF-8: C0 and C1 controls except tab and line ends, surrogates, non-characters
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Markup:
    """Finished markup. It is not a ``str``, so that text and markup cannot be confused.

    Attributes:
        text: the markup as it is written to the page.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Store trusted markup. For this package only: ``text`` must come from :func:`element` or be a constant."""
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Markup) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Markup({self.text!r})"


Content: TypeAlias = str | Markup | None
"""Content of an element: text, markup, or nothing."""

Attribute: TypeAlias = str | int | float | bool | None
"""A value of an attribute; True writes the name alone, False and None leave it out."""


def element(tag: str, *content: Content | Iterable[Content], **attributes: Attribute) -> Markup:
    """Return one element.

    Args:
        tag: its name.
        content: texts, which are escaped, and markup, in order; iterables are flattened.
        attributes: ``class_`` writes ``class``, ``aria_label`` writes ``aria-label``.

    Raises:
        ValueError: the tag or an attribute could run code or load other resources.
    """
    if not _NAME.fullmatch(tag) or tag.lower() in _REFUSED_TAGS:
        raise ValueError(f"found the tag {tag!r}, a page is made of plain elements only")
    start = tag + "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Markup(f"<{start}>")
    return Markup(f"<{start}>{join(*content).text}</{tag}>")


def join(*content: Content | Iterable[Content]) -> Markup:
    """Return the content as one piece of markup, texts escaped."""
    return Markup("".join(_flat(part) for part in content))


def foreign(text: str) -> Markup:
    """Return a foreign text, isolated so that its writing direction does not affect the text around it."""
    return element("bdi", text)


def escape(text: str) -> str:
    """Return ``text`` escaped for use between tags and in quotes; characters that HTML does not allow become U+FFFD."""
    return html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)


def _flat(content: Content | Iterable[Content]) -> str:
    if content is None:
        return ""
    if isinstance(content, Markup):
        return content.text
    if isinstance(content, str):
        return escape(content)
    return "".join(_flat(part) for part in content)


def _attribute(name: str, value: Attribute) -> str:
    name = name.rstrip("_").replace("_", "-")
    _check_attribute(name, value)
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(_number(value) if isinstance(value, float) else str(value))}"'


def _check_attribute(name: str, value: Attribute) -> None:
    lower = name.lower()
    if not _NAME.fullmatch(name) or lower.startswith("on") or lower in _REFUSED_ATTRIBUTES:
        raise ValueError(f"found the attribute {name!r}, a page carries no code and no styles of its own")
    if lower.endswith("href") and not str(value).startswith("#"):
        raise ValueError(f"found {name}={value!r}, a page links only to places in itself (#name)")
    if "url(" in str(value).lower() and lower not in ("title", "aria-label"):
        raise ValueError(f"found {name}={value!r}, a page refers to nothing by url()")


def _number(value: float) -> str:
    """Return a coordinate, rounded to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
