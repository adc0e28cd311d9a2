"""Reference for drift: what a file says about texts like those to come, measured in a process without PyTorch."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from linnet.atomic_file import named_full_disk
from linnet.format.evidence import Evidence, FeatureSketch
from linnet_export.checkpoint import Checkpoint
from linnet_export.config import ExportConfig
from linnet_export.errors import ProofError
from linnet_export.proof.texts import ProofText, read_texts, select_texts

__all__ = ["choose_reference", "measure_drift_reference"]

_MOST_TEXTS = 5000
_SECONDS = 3600


def choose_reference(config: ExportConfig, checkpoint: Checkpoint) -> list[ProofText]:
    """Return the texts of the reference: those of the setting, else those that the user gave for the proof.

    The built-in texts of the proof are like no app's, so they are no reference; a decoder has none.

    Raises:
        ProofTextsError: the file of texts cannot be read, or too few of them fit the task.
    """
    source = config.reference or config.proof
    if source is None or checkpoint.task.generates:
        return []
    mask = checkpoint.special_tokens.get("mask", "")
    texts = select_texts(read_texts(source), checkpoint.task, mask, pairs=checkpoint.takes_pairs)
    step = -(-len(texts) // _MOST_TEXTS)
    return texts[::step]


def measure_drift_reference(path: Path, texts: Sequence[ProofText]) -> Mapping[str, FeatureSketch]:
    """Return the histograms of the features of texts; nothing without texts.

    Args:
        path: the exported file.
        texts: of :func:`choose_reference`.

    Raises:
        NoSpaceError: there is no room for the intermediate files.
        ProofError: the process failed.
    """
    if not texts:
        return {}
    rows = [json.dumps(dataclasses.asdict(text), ensure_ascii=False) for text in texts]
    content = ("\n".join(rows) + "\n").encode()
    with tempfile.TemporaryDirectory(prefix="linnet-reference-") as folder, named_full_disk(Path(folder), len(content)):
        inputs, output = Path(folder, "texts.jsonl"), Path(folder, "reference.json")
        inputs.write_bytes(content)
        options = {"--model": path.resolve(), "--texts": inputs, "--output": output}
        command = [
            sys.executable,
            "-m",
            "linnet_monitor.reference",
            *(str(one) for two in options.items() for one in two),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise ProofError(f"the reference for drift was not measured within {_SECONDS} s") from error
        if done.returncode:
            raise ProofError(f"the reference for drift could not be measured: {done.stderr.strip()[-2000:]}")
        read = Evidence.from_json({"drift_reference": json.loads(output.read_text(encoding="utf-8"))})
    read.require("drift_reference")
    return read.drift_reference
