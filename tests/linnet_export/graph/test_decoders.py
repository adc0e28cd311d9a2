"""Device graphs of decoders against eager transformers: prefill, token by token, and both methods."""

from __future__ import annotations

import pytest
import torch
import transformers
from torch import Tensor

from linnet_export.graph.architectures.base import UnsupportedConfigError
from linnet_export.graph.decoder_program import DecoderProgram, decoder_module
from linnet_export.graph.decoders import UnknownDecoderError, get_decoder, supported_decoders
from tests.support.decoder_configs import CONFIGS, random_model

CHUNKS = (7, 1, 4, 1, 10)


def _last_logits(program: DecoderProgram, ids: Tensor) -> Tensor:
    """Return the logits behind each chunk of tokens."""
    found, start = [], 0
    for size in CHUNKS:
        found.append(program(ids[:, start : start + size], torch.tensor([start])))
        start += size
    return torch.cat(found)


def _all_logits(program: DecoderProgram, ids: Tensor, cache: Tensor) -> Tensor:
    found, start = [], 0
    for size in CHUNKS:
        given = (ids[:, start : start + size], torch.tensor([start]), torch.arange(size), cache)
        found.append(program(*given))
        start += size
    return torch.cat(found)


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_both_methods_compute_what_transformers_does(name: str) -> None:
    model = random_model(CONFIGS[name])
    ids = torch.randint(0, 97, (1, sum(CHUNKS)), generator=torch.Generator().manual_seed(2))
    expected = model(ids).logits[0]
    program = decoder_module(model, context=32, chunk=16)
    ends = torch.tensor(CHUNKS).cumsum(0) - 1
    torch.testing.assert_close(_last_logits(program, ids), expected[ends], atol=5e-6, rtol=1e-5)
    fused = program.with_custom_kernels()
    heads, width = program.body.row_shape
    exact = torch.zeros(len(program.body.layers), 30, 2 * heads * width)
    torch.testing.assert_close(_all_logits(fused, ids, exact), expected, atol=5e-6, rtol=1e-5)
    rounded = torch.zeros(len(program.body.layers), 30, fused.row_bytes, dtype=torch.uint8)
    # keys, values and queries have 8 bits
    torch.testing.assert_close(_all_logits(fused, ids, rounded), expected, atol=0.05, rtol=0.0)


@torch.no_grad()
def test_another_text_in_the_same_buffers_sees_nothing_of_the_first() -> None:
    model = random_model(CONFIGS["llama"])
    program = decoder_module(model, context=32, chunk=16)
    first, second = torch.randint(0, 97, (2, 1, sum(CHUNKS)), generator=torch.Generator().manual_seed(3))
    _last_logits(program, first)
    again = _last_logits(program, second)
    torch.testing.assert_close(again[-1], model(second).logits[0, -1], atol=5e-6, rtol=1e-5)


def test_what_is_not_supported_is_refused_by_name() -> None:
    config = transformers.LlamaConfig(hidden_act="sinc")
    with pytest.raises(UnsupportedConfigError, match="hidden_act is 'sinc'"):
        get_decoder("llama").check(config)
    with pytest.raises(UnknownDecoderError, match="gemma3_text, gpt2, llama, qwen2, qwen3"):
        get_decoder("mamba")
    assert supported_decoders() == ("gemma3_text", "gpt2", "llama", "qwen2", "qwen3")
