#!/bin/sh
# usage: sh tools/build_wheels_aarch64.sh        (make wheel-aarch64)
# Cross-builds the wheels for aarch64 Linux in dist/: CPython 3.11 (Raspberry Pi OS Bookworm) and, with the
# stable ABI, 3.12 and newer. Compiler and Python headers are Debian's, unpacked into build/aarch64; headers of
# 3.13 serve the second wheel, because no Debian release has those of 3.12 and the stable ABI is the same.
# PYTHON runs the tools; PYTHON311 and PYTHON313 build (default: the ones on PATH, or pyenv's).
set -eu
: "${PYTHON:=python3}"
. tools/find_python.sh
root=$PWD
work=build/aarch64
raw=$work/wheels-raw
tools=build/wheel-venv

machine=$(uname -sm)
if [ "$machine" = "Linux aarch64" ]; then
  echo "linnet: this machine is aarch64, nothing to cross-build: make wheel" >&2
  exit 1
elif [ "$machine" != "Linux x86_64" ]; then
  echo "linnet: wheels for aarch64 are cross-built on x86-64 Linux, this is $machine" >&2
  exit 1
fi
echo "== compiler"
PYTHON=$PYTHON sh tools/cross_toolchain.sh

[ -x "$tools/bin/python" ] || "$PYTHON" -m venv "$tools"
"$tools/bin/python" -m pip --disable-pip-version-check -qq install "auditwheel>=6" "wheel>=0.45"
rm -rf "$raw" && mkdir -p "$raw" dist

# headers VERSION SUITE: one folder with the target's pyconfig.h in it, $work/python-VERSION/headers
headers() {
  folder=$work/python-$1
  "$PYTHON" tools/debian_packages.py --suite "$2" --architecture arm64 --into "$folder" "libpython$1-dev"
  if [ ! -d "$folder/headers" ]; then
    cp -r "$folder/usr/include/python$1" "$folder/headers.new"
    cp "$folder/usr/include/aarch64-linux-gnu/python$1/pyconfig.h" "$folder/headers.new/pyconfig.h"
    mv "$folder/headers.new" "$folder/headers"
  fi
}

# build VERSION SUITE
build() {
  eval "python=\${PYTHON$(echo "$1" | tr -d .):-}"
  [ -n "$python" ] || python=$(find_python "$1")
  if [ -z "$python" ]; then
    echo "linnet: no Python $1 found, its wheel is left out (set PYTHON$(echo "$1" | tr -d .))" >&2
    return
  fi
  echo "== wheel of Python $1"
  headers "$1" "$2"
  venv=$work/wheel-venv-$1
  [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
  # what pyproject.toml requires for a build, here because an isolated build would look for aarch64 tools
  requires=$("$python" -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"]))')
  echo "$requires" >"$venv/requires.txt"
  "$venv/bin/python" -m pip --disable-pip-version-check -qq install -r "$venv/requires.txt"
  PATH="$root/$venv/bin:$PATH" _PYTHON_HOST_PLATFORM=linux-aarch64 \
    SETUPTOOLS_EXT_SUFFIX=".cpython-$(echo "$1" | tr -d .)-aarch64-linux-gnu.so" \
    "$venv/bin/python" -m pip --disable-pip-version-check -qq wheel --no-deps --no-build-isolation \
    -C cmake.define.LINNET_APP_SOURCES=OFF -C cmake.python-hints=false -C build-dir="$work/cmake-$1" \
    -C cmake.define.CMAKE_TOOLCHAIN_FILE="$root/runtime_bindings/cmake/aarch64-linux-gnu.cmake" \
    -C cmake.define.Python_EXECUTABLE="$root/$venv/bin/python" \
    -C cmake.define.Python_INCLUDE_DIR="$root/$work/python-$1/headers" \
    --wheel-dir "$raw" .
}

build 3.11 bookworm
build 3.13 trixie

for wheel in "$raw"/*.whl; do
  platform=$("$tools/bin/python" tools/platform_tag.py "$wheel" --newest-glibc 2.36)
  "$tools/bin/python" -m wheel tags --platform-tag "$platform" --remove "$wheel" >/dev/null
done
for wheel in "$raw"/*.whl; do
  "$tools/bin/python" tools/check_wheel.py "$wheel" --most-installed-mb 22
done
mv "$raw"/*.whl dist/
ls -l dist/*aarch64*
