#!/bin/sh
# usage: sh tools/build_wheels.sh        (make wheel)
# Wheels for CPython 3.11 and, with the stable ABI, for 3.12 and newer, in dist/. The platform tag is what
# auditwheel finds the symbols to need; nothing is repaired, because the libraries are bundled already.
# PYTHON runs the tools; PYTHON311 and PYTHON312 build (default: the ones on PATH, or pyenv's).
set -eu
: "${PYTHON:=python3}"
tools=build/wheel-venv
raw=build/wheels-raw

. tools/find_python.sh

[ -x "$tools/bin/python" ] || "$PYTHON" -m venv "$tools"
"$tools/bin/python" -m pip --disable-pip-version-check -qq install "auditwheel>=6" "wheel>=0.45"
rm -rf "$raw" && mkdir -p "$raw" dist

for version in 3.11 3.12; do
  eval "python=\${PYTHON$(echo $version | tr -d .):-}"
  [ -n "$python" ] || python=$(find_python $version)
  if [ -z "$python" ]; then
    echo "linnet: no Python $version found, its wheel is left out (set PYTHON$(echo $version | tr -d .))" >&2
    continue
  fi
  echo "== wheel of Python $version"
  "$python" -m venv "build/wheel-venv-$version"
  "build/wheel-venv-$version/bin/python" -m pip --disable-pip-version-check -qq wheel --no-deps \
    --wheel-dir "$raw" .
done

for wheel in "$raw"/*.whl; do
  case "$wheel" in
    *linux*)
      platform=$("$tools/bin/python" tools/platform_tag.py "$wheel")
      "$tools/bin/python" -m wheel tags --platform-tag "$platform" --remove "$wheel" >/dev/null
      ;;
  esac
done
mv "$raw"/*.whl dist/
ls -l dist
