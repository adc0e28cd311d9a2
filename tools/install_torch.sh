#!/bin/sh
# usage: [PIP="python3 -m pip"] sh tools/install_torch.sh
# Installs the CPU build of PyTorch. On Linux the plain package index holds only the CUDA build, which
# brings gigabytes that linnet never uses: it is refused with a sentence instead of being installed.
set -eu
version=$(sed -n 's/^torch==//p' constraints.txt)
: "${PIP:=python3 -m pip}"
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) wanted="torch==$version+cpu" ;;
  *) wanted="torch==$version" ;;
esac
if ! $PIP install "$wanted"; then
  echo "linnet: pip finds no CPU build of torch $version in the places it is configured to look at." >&2
  echo "linnet: set PIP_EXTRA_INDEX_URL to PyTorch's CPU wheel index (pytorch.org, 'Get started', CPU) and repeat." >&2
  exit 1
fi
