#!/bin/sh
# usage: [BIN=.venv/bin] sh tools/lint.sh        (make lint)
# Every static check, one after the other. BIN is the environment's bin folder.
set -eu
: "${BIN:=.venv/bin}"
python="sdk export runtime_bindings benchmarks examples tests tools"
cxx=$(find runtime_bindings tests benchmarks -name '*.h' -o -name '*.cpp' -o -name '*.c' | sort)

echo "== ruff"
"$BIN/ruff" check $python
"$BIN/ruff" format --check $python
echo "== mypy --strict"
"$BIN/mypy"
echo "== import contracts"
"$BIN/lint-imports" --no-cache
"$BIN/python" tools/check_cycles.py
echo "== documentation"
sh tools/build_docs.sh
echo "== clang-format"
"$BIN/clang-format" --dry-run -Werror $cxx
echo "== clang-tidy"
sh tools/tidy.sh
