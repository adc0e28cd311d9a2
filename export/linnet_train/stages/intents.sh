#!/bin/sh
# `make default-model`: CLINC150 becomes the model that comes with linnet, in build/intents.pte.
# Interrupted, it goes on when it is called again. Needs BIN, CLINC150 (data_full.json, or a file with train, val,
# oos_train and oos_val alone) and MODEL (the checkpoint of all-MiniLM-L6-v2, or its hub id).
set -eu
: "${BIN:=.venv/bin}" "${CLINC150:?}" "${MODEL:?}"
"$BIN/python" -m examples.datasets.clinc150 "$CLINC150" -o build/clinc150
"$BIN/linnet" train export/linnet_train/stages/intents.toml --model "$MODEL" \
  --data build/clinc150/train.jsonl --validation-split 0.05 -o build/intents --resume --export build/intents.pte
"$BIN/linnet" export build/intents/teacher --recipe fp32 -o build/teacher.pte --no-proof --force
echo "== the teacher on CLINC150's validation rows"
"$BIN/linnet" eval build/teacher.pte --data build/clinc150/val.jsonl
echo "== build/intents.pte"
"$BIN/linnet" eval build/intents.pte --data build/clinc150/val.jsonl --at-least in_scope_accuracy=0.94 \
  --at-least out_of_scope_auroc=0.93
echo "copy it to sdk/linnet/assets/intents.pte to ship it"
