"""A tiny decoder, exported once with its chat template, and kept until something that made it changes.

    python -m tests.support.decoder_file FOLDER

It is a program of its own, so that the tests of the SDK stay in processes without torch.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.kept_files import ROOT, exporting_sources, kept_folder, source_hash

__all__ = ["CHATML", "CONTEXT", "VOCABULARY", "decoder_file", "decoder_folder", "write_decoder"]

_MAKERS = ("tests/support/decoder_file.py", "tests/support/tokenizers.py")
VOCABULARY = 420
CONTEXT = 64

CHATML = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A template of the ChatML kind with a system message of its own."""


def write_decoder(folder: Path, **changes: Any) -> Path:
    """Write a random Llama with a byte-level BPE tokenizer that was trained here, and return the folder."""
    import torch
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    from tests.support.tokenizers import training_texts

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    backend.train_from_iterator(training_texts(), trainer)
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", bos_token="<|im_start|>", pad_token="<|im_end|>"
    )
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.LlamaConfig(
        **{**shape, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": VOCABULARY, "max_position_embeddings": 128,
           "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, **changes}
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)  # answers that a rounding does not change at once
    model.save_pretrained(folder)
    return folder


def decoder_folder() -> Path:
    """Return a folder with decoder.pte and its checkpoint, made at the first call; skip where none can be exported."""
    for package in ("torch", "executorch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed, so no file can be exported")
    return kept_folder(f"decoder-{source_hash(*exporting_sources(_MAKERS))}", _make)


def decoder_file() -> Path:
    """Return the exported file, int8, with a context of 64 tokens."""
    return decoder_folder() / "decoder.pte"


def _make(folder: Path) -> None:
    """Export in a process of its own, so that this one stays without PyTorch."""
    command = [sys.executable, "-m", "tests.support.decoder_file", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def main(folder: Path) -> None:
    """Write the checkpoint and export it."""
    import linnet_export

    write_decoder(folder / "checkpoint")
    limits = {"agreement": 0.8, "perplexity_ratio": 1.05, "kl_mean": 0.05}
    linnet_export.export(
        linnet_export.ExportConfig(
            model=str(folder / "checkpoint"), output=folder / "decoder.pte", max_length=CONTEXT, budget=limits
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
