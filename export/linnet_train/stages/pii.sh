#!/bin/sh
# `make pii-tagger`: texts of examples/pii_tagger become the tagger of personal names, in build/pii.pte.
# Interrupted, it goes on when it is called again. Needs BIN, SHARED (a folder with wnut17, snips and clinc150) and
# MODEL (the checkpoint of all-MiniLM-L6-v2, or its hub id).
set -eu
: "${BIN:=.venv/bin}" "${SHARED:?}" "${MODEL:?}"
"$BIN/python" -m examples.pii_tagger -o build/pii --shared-data "$SHARED"
"$BIN/linnet" train export/linnet_train/stages/pii.toml --model "$MODEL" --data build/pii/train.jsonl \
  --validation build/pii/validation.jsonl --label-all-tokens -o build/pii-tagger --resume \
  --export build/pii.pte --proof-rows build/pii/held_out.jsonl
cp export/linnet_train/stages/pii.NOTICE build/pii.NOTICE
"$BIN/python" -m benchmarks.studies.pii_tagger build/pii.pte --shared-data "$SHARED"
