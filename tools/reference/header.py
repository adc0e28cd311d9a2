"""The page of the C ABI, generated from the comments and declarations of ``linnet.h``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from tools.reference.markdown import GENERATED, code_block, paragraph

__all__ = ["Declaration", "header_page", "read_declarations"]

_SECTION = re.compile(r"^/\* -{4} (.+?) -+ \*/$")
_SKIPPED = ("#if", "#endif", "#else", "#include", "extern", "}", "#define LINNET_H", "#define LINNET_API")


@dataclasses.dataclass(frozen=True)
class Declaration:
    """One comment with the declaration below it; either may be empty, a section has only its title."""

    comment: str = ""
    code: str = ""
    section: str = ""

    @property
    def name(self) -> str:
        """The declared function, type or macro; empty for an anonymous enum."""
        patterns = (r"^#define (\w+)", r"(linnet_\w+)\s*\([^*]", r"}\s*(\w+);\s*$", r"^typedef .*?(\w+);")
        for pattern in patterns:
            match = re.search(pattern, _without_comments(self.code))
            if match:
                return match.group(1)
        return ""


def _without_comments(code: str) -> str:
    return re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL).strip()


def header_page(text: str) -> str:
    """Return the page for the text of ``linnet.h``."""
    introduction, _, rest = text.partition("*/")
    lines = [GENERATED.format(source="runtime_bindings/include/linnet.h"), "# linnet.h", ""]
    lines += [*_introduction(introduction), "## Version and status", ""]
    for declaration in read_declarations(rest):
        lines += _render(declaration)
    return "\n".join(lines).rstrip("\n") + "\n"


def _introduction(comment: str) -> Iterator[str]:
    """Turn the first comment into sections: its unindented lines are headings, the first one a sentence."""
    for line in comment.removeprefix("/*").splitlines():
        body = re.sub(r"^ ?\*? ", "", line.rstrip())
        if not body.strip(" *"):
            yield ""
        elif not body.startswith(" "):
            yield _sentence(body) if body.startswith("linnet.h") else f"## {body}\n"
        else:
            yield paragraph(body[2:] if body.startswith("  - ") else body.removeprefix("  "))


def _sentence(title: str) -> str:
    name, _, words = title.strip().partition(" - ")
    return f"`{name}`: {words}"


def read_declarations(text: str) -> Iterator[Declaration]:
    """Yield the sections and declarations of a header, in their order."""
    lines = iter(text.splitlines())
    comment = ""
    for line in lines:
        section = _SECTION.match(line)
        if section:
            yield Declaration(section=section.group(1))
        elif line.startswith("/*"):
            if comment:
                yield Declaration(comment=comment)
            comment = _read_comment(line, lines)
        elif line.strip() and not line.startswith(_SKIPPED):
            yield Declaration(comment=comment, code=_read_code(line, lines))
            comment = ""
        elif comment and not line.strip():
            yield Declaration(comment=comment)
            comment = ""


def _read_comment(first: str, lines: Iterator[str]) -> str:
    comment_lines = [first]
    while "*/" not in comment_lines[-1]:
        comment_lines.append(next(lines))
    words = [re.sub(r"^\s*/?\*\s?|\s*\*/\s*$", "", line) for line in comment_lines]
    return " ".join(word.strip() for word in words).strip()


def _read_code(first: str, lines: Iterator[str]) -> str:
    code_lines = [first]
    while not _is_complete("\n".join(code_lines)):
        code_lines.append(next(lines))
    return "\n".join(code_lines)


def _is_complete(code: str) -> bool:
    plain = _without_comments(code)
    return plain.startswith("#define") or (plain.endswith(";") and plain.count("{") == plain.count("}"))


def _render(declaration: Declaration) -> Iterator[str]:
    if declaration.section:
        yield from (f"## {declaration.section.capitalize()}", "")
        return
    if declaration.name:
        yield from (f"### `{declaration.name}`", "")
    if declaration.comment:
        yield from (paragraph(declaration.comment), "")
    if declaration.code:
        yield from (*code_block(declaration.code, "c"), "")
