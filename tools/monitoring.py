"""Files of docs that are made of the table of metrics and of the default rules.

python -m tools.monitoring            # write
python -m tools.monitoring --check    # exit status 1 if a committed file differs
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.monitoring.table import LABELS, METRICS, REGISTERED
from linnet_monitor.grafana import dashboard
from linnet_monitor.prometheus_rules import prometheus_rules
from linnet_monitor.rules import read_rules

ROOT = Path(__file__).resolve().parents[1]


def metrics_page() -> str:
    """Return the page with the table of metrics, in Markdown."""
    lines = [
        "# Metrics", "",
        "Everything that linnet counts, made of `linnet.monitoring.METRICS` by `python -m tools.monitoring`. Times are",
        "in seconds. The page about monitoring says how to read them.", "",
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


def files() -> dict[Path, str]:
    """Return the text of every generated file by its path."""
    return {
        ROOT / "docs/prometheus-rules.yml": prometheus_rules(read_rules(None).rules),
        ROOT / "docs/grafana-dashboard.json": json.dumps(dashboard(), indent=1) + "\n",
        ROOT / "docs/reference/metrics.md": metrics_page(),
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
