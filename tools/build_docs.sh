#!/bin/sh
# The documentation site in build/site, strictly: an outdated generated page, a broken link or a page without a place in
# the navigation is an error. Needs BIN, the environment's bin folder, and no network.
set -eu
: "${BIN:=.venv/bin}"

"$BIN/python" -m tools.reference --check
"$BIN/python" tools/plot_latency.py --check
"$BIN/python" tools/check_markdown_links.py
NO_MKDOCS_2_WARNING=1 "$BIN/mkdocs" build --strict --quiet
