"""Command ``linnet explain``: HTML page about a file, from its manifest, its evidence and a short measurement."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from linnet.cli.command import thread_count
from linnet.cli.console import Console
from linnet.cli.output import check_not_input
from linnet_bench.html.output import check_page_path, write_page
from linnet_export.explain import Latency, LatencySettings, explain_page, measure_latency, read_facts

__all__ = ["NOT_MEASURED", "add_arguments", "default_output", "run"]

NOT_MEASURED = "not measured (--no-latency)."

_EPILOG = """\
The page is one HTML file that needs no network. It shows what the file carries: its proof, the worst texts,
the error of each layer, partitions and sizes. Latency is measured now, as `linnet bench` does but shorter.

examples:
  linnet explain intents.pte
  linnet explain intents.pte -o report.html --threads 1
  linnet explain intents.pte --json --no-latency | python -m json.tool
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", type=Path, help="a linnet file (.pte)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT.html", help="page to write (default: the file's name with .html)"
    )
    parser.add_argument(
        "--threads", type=thread_count, metavar="N",
        help="threads of one inference when latency is measured (default: 1 and 2)",
    )  # fmt: skip
    parser.add_argument("--no-latency", action="store_true", help="measure no latency and show only what the file says")
    parser.add_argument("--force", action="store_true", help="replace OUT.html even if it is no earlier page")
    parser.add_argument("--json", action="store_true", help="print the page's data; a page only with -o")


def run(args: argparse.Namespace) -> int:
    """Read the file, measure its latency, write the page, and return the exit status.

    Raises:
        LinnetError: the file cannot be used or measured.
    """
    facts = read_facts(args.file)
    output: Path | None = args.output or (None if args.json else default_output(args.file))
    if output is not None:
        check_not_input(output, args.file)
        check_page_path(output, "linnet explain", force=args.force)
    if args.no_latency:
        latency = Latency(None, NOT_MEASURED)
    else:
        settings = LatencySettings() if args.threads is None else LatencySettings(threads=(args.threads,))
        latency = measure_latency(args.file, settings)
    if output is not None:
        write_page(explain_page(facts, latency), output, "linnet explain", force=args.force)
    if args.json:
        print(json.dumps({**facts.to_json(), "latency": latency.to_json()}, ensure_ascii=False, indent=2))
    else:
        Console().line(
            f"{output}  {facts.name}: {facts.manifest.task}, {facts.manifest.recipe}, {facts.evidence.status}"
        )
    if output is not None and args.json:
        print(f"linnet: wrote {output}", file=sys.stderr)
    return 0


def default_output(file: Path) -> Path:
    """Return the default path of the page: the name of the file with .html, in the current folder."""
    return Path(file.with_suffix(".html").name)
