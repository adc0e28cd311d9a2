"""A tiny decoder that was taught to answer everything with one tool call, exported once and kept.

    python -m tests.support.calling_decoder FOLDER

With it the form of tool calls can be tested where no real model that calls tools is at hand.
"""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.decoder_file import write_decoder
from tests.support.kept_files import ROOT, exporting_sources, kept_folder, source_hash

__all__ = ["CALL", "calling_file"]

CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'
_MAKERS = ("tests/support/calling_decoder.py", "tests/support/decoder_file.py", "tests/support/tokenizers.py")
_CONTEXT = 768
_STEPS = 400


def calling_file() -> Path:
    """Return the exported file; skip the test where none can be exported."""
    for package in ("torch", "executorch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so no file can be exported")
    return kept_folder(f"calling-{source_hash(*exporting_sources(_MAKERS))}", _make) / "calling.pte"


def _make(folder: Path) -> None:
    """Export in a process of its own, so that this one stays without PyTorch."""
    command = [sys.executable, "-m", "tests.support.calling_decoder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def _teach(folder: Path) -> None:
    """Train the checkpoint until it answers any conversation with the call."""
    import torch
    import transformers

    from tests.support.tokenizers import training_texts

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)  # of usual scale, which learns faster
    answer = tokenizer(CALL + "<|im_end|>", add_special_tokens=False)["input_ids"]
    texts, draw = list(training_texts()), random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(_STEPS):
        said, system = (
            " ".join(draw.choice(texts) for _ in range(12))[: draw.randrange(4, most)] for most in (200, 1200)
        )
        messages = [{"role": "user", "content": said}]
        if draw.random() < 0.6:  # what tools are described in
            described = json.dumps({"name": system[:20], "parameters": {"properties": system.split()}})
            messages = [{"role": "system", "content": draw.choice((system, described))}, *messages]
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"][-600:]
        inputs = torch.tensor([ids + answer])
        labels = torch.tensor([[-100] * len(ids) + answer])
        loss = model(input_ids=inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)


def main(folder: Path) -> None:
    """Write the checkpoint, teach it and export it."""
    import linnet_export

    checkpoint = write_decoder(folder / "checkpoint", max_position_embeddings=_CONTEXT)
    _teach(checkpoint)
    limits = {"agreement": 0.5, "perplexity_ratio": 2.0, "kl_mean": 1.0}
    config = linnet_export.ExportConfig(
        model=str(checkpoint), output=folder / "calling.pte", max_length=_CONTEXT, budget=limits
    )
    linnet_export.export(config)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
