"""The chart of README: latency of int8 models relative to linnet, drawn from the tables of docs/figures.md.

python tools/plot_latency.py            # writes docs/latency.svg
python tools/plot_latency.py --check    # exit status 1 if the committed chart differs
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures.md"
CHART = ROOT / "docs" / "latency.svg"
MODELS = ("MiniLM-L6", "MobileBERT")
ENGINES = {"OpenVINO": "#e69f00", "ONNX Runtime": "#0072b2"}  # two hues that colour-blind readers tell apart
PROCESSOR = "AMD EPYC (Zen 5, AVX-512 VNNI), 1 thread, batch 1, int8"
_EXPLANATION = "Lower is faster; 1× is linnet. Under the bars: tokens, time of linnet."
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 880, 330, 46, 74, 52, 56
HIGHEST = 4.9
"""Top of the vertical axis: just above the largest ratio."""


def read_table(text: str) -> dict[str, list[str]]:
    """Return the cells of the table of one thread by their row's name, engines as "MODEL ENGINE"."""
    lines = text[text.index("| milliseconds, 1 thread |") :].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    table = {"tokens": rows[0][1:]}
    model = ""
    for name, *cells in rows[2:]:
        if name.endswith(", linnet"):
            model = name.removesuffix(", linnet")
        table[f"{model} {name.removesuffix(' / linnet').removeprefix(model + ', ')}"] = cells
    return table


def draw(table: dict[str, list[str]]) -> str:
    """Return the chart as SVG: one panel for each model, one group of bars for each length."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
        "<title>Latency of int8 models relative to linnet</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        '<text x="46" y="22" font-size="15" font-weight="600">Time for one text, as a multiple of linnet\'s</text>',
        f'<text x="46" y="40">{PROCESSOR}. {_EXPLANATION}</text>',
        *_legend(),
    ]
    panel = (WIDTH - LEFT - 16 - GAP) / len(MODELS)
    for number, model in enumerate(MODELS):
        lines += _panel(model, LEFT + number * (panel + GAP), panel, table)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    for number, (engine, colour) in enumerate(ENGINES.items()):
        x = 660 + number * 95
        yield f'<rect x="{x}" y="13" width="10" height="10" fill="{colour}"/><text x="{x + 15}" y="22">{engine}</text>'


def _panel(model: str, x: float, width: float, table: dict[str, list[str]]) -> Iterator[str]:
    yield f'<text x="{x:g}" y="{TOP - 10}" font-weight="600">{model}</text>'
    for value in range(5):
        y = _height(value)
        bold = ' stroke="#333" stroke-width="1.5"' if value == 1 else ' stroke="#ddd"'
        yield f'<line x1="{x:g}" x2="{x + width:g}" y1="{y:g}" y2="{y:g}"{bold}/>'
        yield f'<text x="{x - 6:g}" y="{y + 4:g}" text-anchor="end">{value}×</text>'
    step = width / len(table["tokens"])
    for column, tokens in enumerate(table["tokens"]):
        middle = x + step * (column + 0.5)
        milliseconds = table[f"{model} linnet"][column]
        yield _label(middle, HEIGHT - BOTTOM + 17, tokens.removesuffix(" tokens"))
        yield _label(middle, HEIGHT - BOTTOM + 34, f"{milliseconds} ms", ' font-size="10" fill="#666"')
        yield from _bars(model, middle, step, column, table)


def _bars(model: str, middle: float, step: float, column: int, table: dict[str, list[str]]) -> Iterator[str]:
    width = step * 0.38
    for number, (engine, colour) in enumerate(ENGINES.items()):
        ratio = float(re.sub("[^0-9.]", "", table[f"{model} {engine}"][column]))
        x, top = middle + (number - 1) * width, _height(ratio)
        height = _height(0) - top
        yield f'<rect x="{x:.1f}" y="{top:.1f}" width="{width - 1:.1f}" height="{height:.1f}" fill="{colour}"/>'
        yield _label(x + width / 2, top - 3, f"{ratio:.2f}", ' font-size="9"')


def _label(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle"{style}>{text}</text>'


def _height(ratio: float) -> float:
    """Return the vertical coordinate of a ratio, in pixels from the top."""
    return HEIGHT - BOTTOM - ratio / HIGHEST * (HEIGHT - TOP - BOTTOM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw or check the chart; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the chart is outdated")
    check = parser.parse_args(arguments).check
    chart = draw(read_table(FIGURES.read_text(encoding="utf-8")))
    outdated = not CHART.exists() or CHART.read_text(encoding="utf-8") != chart
    if outdated and check:
        print("docs/latency.svg is outdated; run: python tools/plot_latency.py")
    elif outdated:
        CHART.write_text(chart, encoding="utf-8")
    return int(outdated and check)


if __name__ == "__main__":
    sys.exit(main())
