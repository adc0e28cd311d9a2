"""Page of a history and its alerts: one self-contained HTML file, without a script or a font."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from linnet.monitoring.snapshot import select
from linnet.monitoring.table import BY_NAME
from linnet_monitor.alerts import Alert
from linnet_monitor.figures import Table, tables
from linnet_monitor.history import History

__all__ = ["GENERATOR", "monitor_page"]

GENERATOR = '<meta name="generator" content="linnet monitor">'
"""What a page begins with that may be replaced without --force."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2b2a; --paper: #fbfcfb; --line: #ccd6d3; --bar: #00796b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3ebe9; --paper: #121817; --line: #35423f; --bar: #4db6ac; --bad: #f2b8b5; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
       max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.right { text-align: right; } .firing { color: var(--bad); font-weight: 600; }
figure { display: inline-block; margin: .5rem 1.5rem .5rem 0; } rect { fill: var(--bar); }
text { fill: var(--ink); font-size: 11px; }
"""
_HISTOGRAMS = ("confidence", "margin", "text_length", "latency")


def monitor_page(history: History, alerts: Sequence[Alert], source: str, refresh: float = 0.0) -> str:
    """Return the page.

    Args:
        history: of the source.
        alerts: states of the rules.
        source: name of the source.
        refresh: seconds after which a browser loads it again; 0: it does not.
    """
    again = f'<meta http-equiv="refresh" content="{max(1, round(refresh))}">' if refresh else ""
    last = history.last
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last["time"])) if last else "never"
    state = "" if history.reachable else ' <strong class="firing">It did not answer the last time.</strong>'
    body = "".join([*map(_table, tables(history, alerts)), *_histograms(history)])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{GENERATOR}{again}'
        '<meta name="viewport" content="width=device-width">'
        f"<title>linnet monitor: {escape(source)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>linnet monitor</h1><p>{escape(source)}, numbers of {when}.{state}</p>{body}</body></html>\n"
    )


def _table(table: Table) -> str:
    def cells(tag: str, row: Sequence[str]) -> str:
        classes = [("right" if column in table.right else "") for column in range(len(row))]
        if row[0] == "firing":
            classes[0] = "firing"
        return "".join(
            f'<{tag} class="{kind}">{escape(cell)}</{tag}>' if kind else f"<{tag}>{escape(cell)}</{tag}>"
            for cell, kind in zip(row, classes, strict=True)
        )

    head = f"<thead><tr>{cells('th', table.headers)}</tr></thead>"
    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in table.rows)
    return f"<h2>{escape(table.heading)}</h2><table>{head}<tbody>{rows}</tbody></table>"


def _histograms(history: History) -> list[str]:
    """Return a chart of each histogram of each model, over all that was counted."""
    if history.last is None:
        return []
    charts = []
    for name in _HISTOGRAMS:
        metric = BY_NAME[name]
        for model in sorted({one["labels"]["model"] for one in select(history.last, name, {})}):
            labels = {"model": model} | ({"stage": "run"} if name == "latency" else {})
            rows = [one["buckets"] for one in select(history.last, name, labels)]
            counts = [sum(column) for column in zip(*rows, strict=True)]
            if any(counts):
                title = f"{name.replace('_', ' ')}{' of a run' if name == 'latency' else ''}, {model}"
                charts.append(_chart(title, metric.unit, metric.buckets, counts))
    return ["<h2>Since the start</h2>", *charts] if charts else []


def _chart(title: str, unit: str, bounds: Sequence[float], counts: Sequence[float]) -> str:
    """Return one histogram as bars; each says its bound and its count when it is pointed at."""
    width, height, step = 20 * len(counts), 90, 20
    most = max(counts)
    bars = []
    for place, count in enumerate(counts):
        tall = height * count / most
        bound = f"up to {bounds[place]:g}" if place < len(bounds) else "above"
        label = escape(f"{bound} {unit}: {count:.0f}")
        bars.append(f'<rect x="{place * step}" y="{height - tall:.1f}" width="{step - 3}" height="{tall:.1f}">'
                    f"<title>{label}</title></rect>")  # fmt: skip
    ends = (f'<text x="0" y="{height + 13}">{bounds[0]:g}</text>'
            f'<text x="{width}" y="{height + 13}" text-anchor="end">{bounds[-1]:g} {escape(unit)}</text>')  # fmt: skip
    drawn = f'<svg viewBox="0 0 {width} {height + 18}" width="{width}" role="img">{"".join(bars)}{ends}</svg>'
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawn}</figure>"
