"""Pages: nothing gets out, nothing breaks in, and the figures are the ones that were given."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet_bench.html import (
    Axis,
    Bar,
    Box,
    Page,
    Point,
    Series,
    bar_chart,
    element,
    flow_chart,
    foreign,
    line_chart,
    scatter_chart,
    table,
)
from linnet_bench.html.axes import fit_scale
from linnet_bench.html.charts import pareto_front
from linnet_bench.html.figures import bytes_text, percent, significant
from linnet_bench.html.markup import Markup
from tests.support.html_reader import read_page

ODD = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=y>',
    "شماره ۱",
    "\u202eabc",
    "🙂" * 40,
    "a" * 5000,
    "",
    "&lt;",
]
anything = st.text(max_size=80) | st.sampled_from(ODD)


def page_of(*content: Markup, title: str = "t") -> str:
    page = Page(title)
    page.section("s", *content)
    return page.render()


@given(title=anything, heading=anything, cell=anything)
def test_no_text_becomes_markup(title: str, heading: str, cell: str) -> None:
    def build(title: str, heading: str, cell: str) -> str:
        page = Page(title, subtitle=cell, footer=foreign(cell))
        page.section(heading, element("p", cell, title=cell), table([cell], [[cell], [foreign(cell)]], caption=cell))
        page.section(heading, flow_chart(cell, [Box(cell, [cell], note=cell)], kinds=[cell]))
        page.section(heading, bar_chart(cell, [Bar(cell, [1.0])], axis=Axis(cell, "ms")))
        page.section(heading, scatter_chart(cell, [Point(cell, 1, 2, cell)], x=Axis(cell), y=Axis(cell)))
        return page.render()

    text = build(title, heading, cell)
    text.encode("utf-8")  # lone surrogates are gone
    odd, plain = read_page(text), read_page(build("t", "h", "c"))
    assert odd.problems == []
    if title and cell:  # an empty subtitle or caption leaves its element out
        assert odd.tags == plain.tags
    assert odd.references <= {f"#{name}" for name in odd.ids}


@given(anything)
def test_a_cell_says_what_was_put_in(cell: str) -> None:
    found = read_page(page_of(table(["h"], [[cell]]))).tables[0][1][0]
    unprintable = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
    assert found == re.sub(unprintable, "\ufffd", cell)


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("script", {}), ("IMG", {}), ("style", {}), ("svg onload=x", {}), ("a", {"href": "https://example.org"}),
        ("a", {"href": "javascript:x"}), ("p", {"onclick": "x"}), ("p", {"style": "x"}), ("rect", {"fill": "url(x)"}),
        ("p", {"a b": "x"}), ("a", {"xlink_href": "//example.org"}),
    ],
)  # fmt: skip
def test_what_could_leave_the_page_is_refused(tag: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="found"):
        element(tag, **attributes)


def test_the_policy_names_the_style_and_the_script_of_the_page() -> None:
    import base64
    import hashlib

    text = page_of(element("p", "x"))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    for tag in ("style", "script"):
        inside = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inside
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]


def test_a_table_refuses_a_row_of_another_width() -> None:
    with pytest.raises(ValueError, match="1 cells, the table has 2"):
        table(["a", "b"], [["x"]])


def test_a_line_lies_where_its_values_say() -> None:
    chart = line_chart(
        "t",
        [Series("p50", [(1, 1.0), (10, 10.0), (100, 100.0)], [(0.5, 2), (5, 20), (50, 200)])],
        x=Axis("tokens", log=True),
        y=Axis("time", "ms", log=True),
        band_name="min to max",
    )
    places = re.search(r'<polyline points="([^"]+)"', chart.text)
    assert places
    (x1, y1), (x2, y2), (x3, y3) = ([float(number) for number in pair.split(",")] for pair in places[1].split())
    assert x2 == pytest.approx((x1 + x3) / 2, abs=0.2)  # the middle of two decades, by hand
    assert y2 == pytest.approx((y1 + y3) / 2, abs=0.2)
    assert x1 < x3
    assert y1 > y3
    rows = read_page(page_of(chart)).tables[0]
    assert rows[0] == ["tokens", "time (ms)", "p50: min to max"]
    assert rows[2] == ["10", "10.0", "5.00–20.0"]


def test_charts_refuse_what_they_cannot_draw() -> None:
    with pytest.raises(ValueError, match="positive"):
        line_chart("t", [Series("a", [(0, 1)])], x=Axis("x", log=True), y=Axis("y"))
    with pytest.raises(ValueError, match="finite"):
        scatter_chart("t", [Point("a", math.nan, 1)], x=Axis("x"), y=Axis("y"))
    with pytest.raises(ValueError, match="at least one"):
        scatter_chart("t", [], x=Axis("x"), y=Axis("y"))
    with pytest.raises(ValueError, match="band"):
        line_chart("t", [Series("a", [(1, 1)], [(1, 2), (1, 2)])], x=Axis("x"), y=Axis("y"))
    with pytest.raises(ValueError, match="2 values for 1"):
        bar_chart("t", [Bar("a", [1, 2])], axis=Axis("x"))
    with pytest.raises(ValueError, match="at least one box"):
        flow_chart("t", [], kinds=["a"])


@given(
    st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=20),
    st.booleans(),
    st.booleans(),
)
def test_every_value_stands_inside_of_its_axis(values: list[float], log: bool, from_zero: bool) -> None:
    scale = fit_scale(Axis("x", log=log, from_zero=from_zero), values, 10, 500)
    assert all(10 <= scale(value) <= 500 for value in values)
    assert len(scale.ticks) <= 12
    in_order = sorted(values)
    assert [scale(value) for value in in_order] == sorted(scale(value) for value in in_order)


def test_axes_of_shares_end_at_one_and_whole_numbers_have_whole_ticks() -> None:
    assert fit_scale(Axis("share", most=1.0), [0.5, 1.0], 10, 500).high == 1.0
    assert fit_scale(Axis("share", most=1.0), [1.0], 10, 500).high == 1.0
    assert fit_scale(Axis("share", most=1.0), [0.2, 0.4], 10, 500).high < 0.5
    for count in (2, 3, 10, 37):
        ticks = fit_scale(Axis("layer", whole=True), [1, count], 0, 344).ticks
        assert all(tick == int(tick) for tick in ticks), ticks


def test_a_table_wider_than_the_screen_says_so() -> None:
    page = page_of(table(["a"], [["b"]]))
    assert '<p class="aside" hidden>The table is wider than the screen: scroll it sideways.</p>' in page
    assert "scrollWidth" in page


def test_the_front_holds_what_nothing_beats() -> None:
    points = [Point("a", 1, 1), Point("b", 2, 3), Point("c", 3, 2), Point("d", 4, 4), Point("e", 2, 2)]
    small_and_high = pareto_front(points, Axis("size", better="low"), Axis("score", better="high"))
    assert [point.name for point in small_and_high] == ["a", "b", "d"]
    assert pareto_front(points, Axis("size"), Axis("score", better="high")) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_every_point_is_on_the_front_or_beaten_by_it(places: list[tuple[int, int]]) -> None:
    points = [Point(str(index), x, y) for index, (x, y) in enumerate(places)]
    front = pareto_front(points, Axis("x", better="low"), Axis("y", better="low"))
    assert all(any(best.x <= point.x and best.y <= point.y for best in front) for point in points)


def test_a_step_has_an_arrow_to_the_next() -> None:
    boxes = [Box(f"step {index}", ["linear 3"]) for index in range(30)]
    chart = flow_chart("t", boxes, kinds=["inside"])
    wide, narrow = chart.text.split("<svg")[1:3]
    for drawing in (wide, narrow):
        assert drawing.count('class="head"') == 29
        assert [f"step {index}" in drawing for index in range(30)] == [True] * 30


def test_numbers_read_well() -> None:
    assert [significant(number) for number in (0, 1.0, 0.0412, 1234.5, 12.34, 4e-7)] == [
        "0", "1.00", "0.0412", "1\u202f234", "12.3", "4.00e-7",
    ]  # fmt: skip
    assert bytes_text(23_812_345) == "23.8\u202fMB"
    assert bytes_text(512) == "512\u202fB"
    assert percent(0.1234) == "12.3\u202f%"


def test_the_reader_of_these_tests_sees_a_broken_page() -> None:
    assert isinstance(read_page("<p></div>"), HTMLParser)
    assert read_page("<!DOCTYPE html><p></div>").problems
    assert read_page("<!DOCTYPE html><a href='https://x'></a>").references == {"https://x"}
