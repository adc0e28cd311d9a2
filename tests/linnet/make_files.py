"""Exports a tiny checkpoint for every task into a folder.

    python -m tests.linnet.make_files FOLDER

It is a program of its own, so that the tests of the SDK and the CLI stay in processes without torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import linnet_export
from tests.support.checkpoints import write_checkpoint, write_sentence_modules

TAGS = ("O", "B-PER", "I-PER")
SETTINGS: dict[str, dict[str, Any]] = {
    "text-classification": {"num_labels": 3},
    "token-classification": {
        "id2label": dict(enumerate(TAGS)),
        "label2id": {name: index for index, name in enumerate(TAGS)},
    },
    "question-answering": {},
    "fill-mask": {},
    "text-ranking": {},
    "feature-extraction": {},
}


TEXTS = ("", "x", "music", "play the music", "turn the volume up", "how do i reset my password", "rain and sun",
         "the bank is closed", "open the settings of my account", "is the bakery open on the train")  # fmt: skip


def main(folder: Path) -> None:
    """Write ``TASK.pte`` for every task, one layer each; the classifier has a batch method."""
    rows = [{"text": text, "pair": pair} for pair in (None, "the bakery is open") for text in TEXTS if text or not pair]
    proof = folder / "proof.jsonl"
    proof.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for task, settings in SETTINGS.items():
        checkpoint = write_checkpoint(folder / task, "bert", task, num_hidden_layers=1, **settings)
        if task == "feature-extraction":
            write_sentence_modules(checkpoint, prompts={"query": "the "})
        linnet_export.export(
            linnet_export.ExportConfig(
                model=str(checkpoint),
                output=folder / f"{task}.pte",
                recipe="fp32",
                proof=proof,
                max_length=48,
                max_batch=4 if task == "text-classification" else 0,
            )
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
