"""HTML tables that scroll on a narrow screen and can be copied as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from linnet_bench.html.markup import Content, Markup, element

__all__ = ["table"]


def table(
    headers: Sequence[Content],
    rows: Sequence[Sequence[Content]],
    *,
    caption: str = "",
    right: Sequence[int] = (),
    total: bool = False,
    unbroken: Sequence[int] = (),
) -> Markup:
    """Return a table with a button that copies it as Markdown.

    Args:
        headers: one for each column.
        rows: cells, as many as there are headers; the first of a row is its header.
        caption: title of the table.
        right: columns of numbers, aligned to the right and never wrapped.
        total: the last row is a sum of the others.
        unbroken: columns of text that are never wrapped.

    Raises:
        ValueError: a row has another number of cells.
    """
    for row in rows:
        if len(row) != len(headers):
            raise ValueError(f"a row has {len(row)} cells, the table has {len(headers)} columns: {row!r}")
    head = element("tr", [_cell("th", column, cell, right, unbroken, "col") for column, cell in enumerate(headers)])
    body = [element("tr", _row(row, right, unbroken)) for row in rows]
    last = element("tfoot", body.pop()) if total and body else None
    return element(
        "div",
        element(
            "div",
            element("p", caption, class_="caption"),
            element("button", "Copy as Markdown", type="button", class_="copy", hidden=True),
            class_="above",
        ),
        element(
            "div",
            element(
                "table",
                element("thead", head),
                element("tbody", body),
                last,
                aria_label=caption or None,
            ),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=caption or "table",
        ),
        element("p", "The table is wider than the screen: scroll it sideways.", class_="aside", hidden=True),
        class_="table",
    )


def _row(cells: Sequence[Content], right: Sequence[int], unbroken: Sequence[int]) -> list[Markup]:
    return [
        _cell("td" if column else "th", column, cell, right, unbroken, "" if column else "row")
        for column, cell in enumerate(cells)
    ]


def _cell(tag: str, column: int, content: Content, right: Sequence[int], unbroken: Sequence[int], scope: str) -> Markup:
    kind = "number" if column in right else "unbroken" if column in unbroken else None
    return element(tag, content, scope=scope or None, class_=kind)
