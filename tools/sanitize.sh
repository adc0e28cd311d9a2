#!/bin/sh
# usage: [BIN=.venv/bin] sh tools/sanitize.sh [address,undefined | thread]        (make sanitize)
# Builds the core and the native tests with these sanitizers, against the same ExecuTorch libraries, and runs them.
# BIN is the environment's bin folder (PyTorch writes the test file).
set -eu
: "${BIN:=.venv/bin}"
BIN=$(cd "$BIN" && pwd)
export PATH="$BIN:$PATH"
sanitizers=${1:-address,undefined}
build=build/sanitize-$(echo "$sanitizers" | tr , -) # the linker splits a path at a comma

echo "== the test files"
toy=build/sanitize-toy
PYTHONPATH="$PWD:$PWD/sdk:$PWD/export:$PWD/benchmarks" python -W ignore -m tests.support.toy_program "$toy" >"$toy.log" 2>&1 || {
  cat "$toy.log" >&2
  exit 1
}
decoder=build/sanitize-decoder
[ -f "$decoder/decoder.pte" ] || {
  mkdir -p "$decoder"
  PYTHONPATH="$PWD:$PWD/sdk:$PWD/export:$PWD/benchmarks" python -W ignore -m tests.support.decoder_file "$decoder" \
    >"$decoder.log" 2>&1 || {
    cat "$decoder.log" >&2
    exit 1
  }
}

echo "== build with $sanitizers"
cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLINNET_SANITIZE="$sanitizers" \
  -DLINNET_PYTHON=OFF -DLINNET_NATIVE_TESTS=ON -DLINNET_TOY_FILE="$PWD/$toy/toy.pte" \
  -DLINNET_DECODER_FILE="$PWD/$decoder/decoder.pte" \
  -DPython_EXECUTABLE="$BIN/python" >"$build.log"
cmake --build "$build" -j 2 >>"$build.log" || {
  cat "$build.log" >&2
  exit 1
}

echo "== run"
# ExecuTorch's registries live as long as the process, which the leak checker cannot know.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=print_suppressions=0
# Nothing is suppressed for ThreadSanitizer: it sees ExecuTorch's uninstrumented libraries only through locks and
# memory that pass through the C library, and reports nothing there.
export TSAN_OPTIONS=second_deadlock_stack=1
tests=.
[ "$sanitizers" != thread ] || tests='^(c_api|threads|constraint|generation_attack|mask)$' # the others have one thread
ctest --test-dir "$build" --output-on-failure -R "$tests"
