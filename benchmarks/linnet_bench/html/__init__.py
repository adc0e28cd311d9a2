"""Self-contained HTML pages with tables and charts: one file, no network, no font, no library.

=========  =======================================================================
markup     elements that escape their content; markup that could load other resources is refused
document   :class:`Page`: sections in order, head, styles, content security policy
style      the style sheet (light, dark, phone, print) and the script of a few lines
figures    numbers formatted for people
table      tables that can be copied as Markdown
axes       scales, ticks and frames of charts
marks      colours, dashes and markers of series
charts     lines with bands, and points with a Pareto front
bars       horizontal bars
flow       boxes and arrows in reading order
=========  =======================================================================

A chart is drawn twice, for a desk and for a phone, and CSS shows the one that fits: text keeps its size.
The figures of every chart are below it as a table, for readers who cannot see it and for copying.

    >>> from linnet_bench.html import Axis, Page, Point, scatter_chart
    >>> page = Page("Recipes of MiniLM-L6")
    >>> page.section(
    ...     "Size and accuracy",
    ...     scatter_chart(
    ...         "Spearman on STS-B dev by size of the file",
    ...         [Point("int8", 23.8, 0.8668), Point("fp32", 90.9, 0.8672)],
    ...         x=Axis("size", "MB", better="low"),
    ...         y=Axis("Spearman", better="high"),
    ...     ),
    ... )
    >>> page.render().startswith("<!DOCTYPE html>")
    True
"""

from linnet_bench.html.axes import Axis
from linnet_bench.html.bars import Bar, bar_chart
from linnet_bench.html.charts import Point, Series, line_chart, scatter_chart
from linnet_bench.html.document import Page
from linnet_bench.html.flow import Box, flow_chart
from linnet_bench.html.markup import Content, Markup, element, foreign
from linnet_bench.html.table import table

__all__ = [
    "Axis",
    "Bar",
    "Box",
    "Content",
    "Markup",
    "Page",
    "Point",
    "Series",
    "bar_chart",
    "element",
    "flow_chart",
    "foreign",
    "line_chart",
    "scatter_chart",
    "table",
]
