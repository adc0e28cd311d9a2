"""Files that are made of the table of metrics and of the default rules.

python -m tools.monitoring            # write
python -m tools.monitoring --check    # exit status 1 if a committed file differs
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.monitoring.table import LABELS, LENGTHS, METRICS, REGISTERED
from linnet_monitor.grafana import dashboard
from linnet_monitor.prometheus_rules import prometheus_rules
from linnet_monitor.rules import read_rules

ROOT = Path(__file__).resolve().parents[1]


def metrics_page() -> str:
    """Return the page with the table of metrics, in Markdown."""
    lines = [
        "# Metrics", "",
        "Everything that linnet counts, made of `linnet.monitoring.METRICS` by `python -m tools.monitoring`. Times are",
        "in seconds. [Monitoring](../monitoring.md) says how to read them.", "",
        "| name | in Prometheus | kind | labels | meaning | on a device |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
        device = "yes" if metric.device else "-"
        lines.append(f"| `{metric.name}` | `{metric.exposed}` | {metric.kind} | {labels} | {metric.help} | {device} |")
    lines += ["", "## Values of labels", "", "Every other value is counted as `other`.", ""]
    lines += [f"- `{label}`: from a list that the program registers." for label in sorted(REGISTERED)]
    lines += [f"- `{label}`: {', '.join(f'`{value}`' for value in values)}." for label, values in LABELS.items()]
    lines += [
        "",
        "## Buckets of histograms",
        "",
        "Upper bounds, each bound included; one more bucket has what is above.",
        "",
    ]
    lines += [f"- `{one.name}`: {', '.join(f'{bound:g}' for bound in one.buckets)}." for one in METRICS if one.buckets]
    return "\n".join(lines) + "\n"


def stats_table() -> str:
    """Return the header with the buckets of what a device counts, in C++."""
    lines = [
        "// Buckets of histograms and values of labels that linnet_stats counts. Made of linnet.monitoring.METRICS by",
        "// `python -m tools.monitoring`: a device and a server have the same, so that their numbers can be added.",
        "#ifndef LINNET_RUNTIME_STATS_TABLE_H_", "#define LINNET_RUNTIME_STATS_TABLE_H_", "",
        "#include <array>", "#include <cstddef>", "", "namespace linnet::stats_table {", "",
    ]  # fmt: skip
    by_name = {metric.name: metric for metric in METRICS}
    for name in ("text_length", "latency", "confidence", "time_to_first_token", "time_per_token"):
        bounds = by_name[name].buckets
        lines += _array("double", f"k{_camel(name)}Bounds", [repr(bound) for bound in bounds])
    lines += _array("std::size_t", "kLengths", [str(length) for length in LENGTHS])
    lines += _array("const char*", "kLengthNames", [f'"{name}"' for name in LABELS["length"]])
    lines += ["}  // namespace linnet::stats_table", "", "#endif  // LINNET_RUNTIME_STATS_TABLE_H_"]
    return "\n".join(lines) + "\n"


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _array(kind: str, name: str, values: Sequence[str]) -> list[str]:
    """Return a constant array with as many values in a line as fit."""
    opening = f"inline constexpr std::array<{kind}, {len(values)}> {name} = {{"
    rows = [""]
    for value in values:
        separator = "" if not rows[-1] else " "
        if len(rows[-1]) + len(value) > 100:
            rows.append("")
            separator = ""
        rows[-1] += f"{separator}{value},"
    rows[-1] = rows[-1].rstrip(",")
    return ["// clang-format off", opening, *(f"    {row}" for row in rows), "};", "// clang-format on", ""]


def files() -> dict[Path, str]:
    """Return the text of every generated file by its path."""
    return {
        ROOT / "docs/prometheus-rules.yml": prometheus_rules(read_rules(None).rules),
        ROOT / "docs/grafana-dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        ROOT / "docs/reference/metrics.md": metrics_page(),
        ROOT / "runtime_bindings/runtime/text/stats/table.h": stats_table(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.monitoring", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is outdated")
    check = parser.parse_args(arguments).check
    made = files()
    changed = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        name = path.relative_to(ROOT)
        print(f"{name} is outdated; run: python -m tools.monitoring" if check else f"wrote {name}")
        if not check:
            path.write_text(made[path], encoding="utf-8")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
