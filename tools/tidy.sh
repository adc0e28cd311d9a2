#!/bin/sh
# usage: [BIN=.venv/bin] sh tools/tidy.sh        (make lint calls it)
# Runs clang-tidy over the core, with the compile commands of a plain CMake configuration.
set -eu
: "${BIN:=.venv/bin}"
build=build/tidy
case $BIN in /*) tools=$BIN ;; *) tools=$PWD/$BIN ;; esac
PATH="$tools:$PATH" cmake -G Ninja -S . -B "$build" -DPython_EXECUTABLE="$tools/python" \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_CXX_COMPILER=g++ >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
find runtime_bindings/runtime -name '*.cpp' | sort | xargs -P "$(nproc)" -n 4 "$tools/clang-tidy" --quiet -p "$build"
