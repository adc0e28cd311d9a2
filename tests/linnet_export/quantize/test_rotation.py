"""Rotations of decoders: orthogonal, the same answers as transformers, and no channel that stands out."""

from __future__ import annotations

import pytest
import torch
import transformers

from linnet_export.graph.decoder_program import decoder_module
from linnet_export.quantize.rotation import int4_error, rotate, rotate_residual, rotation_matrix
from tests.support.decoder_configs import CONFIGS, random_model

_TOKENS = 12


@pytest.mark.parametrize("width", [1, 3, 48, 64, 576, 896])
def test_the_matrix_is_orthogonal_and_spreads_every_channel(width: int) -> None:
    matrix = rotation_matrix(width)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(width, dtype=torch.float64))
    # a row of a cosine transform reaches sqrt(2) times the mean magnitude
    assert matrix.abs().max() <= (2 / width) ** 0.5 + 1e-12 if width > 1 else matrix.abs() == 1


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_a_rotated_decoder_computes_what_transformers_does(name: str) -> None:
    model = random_model(CONFIGS[name])
    ids = torch.randint(0, 97, (1, _TOKENS), generator=torch.Generator().manual_seed(2))
    expected = model(ids).logits[0]
    program = decoder_module(model, context=32, chunk=16)
    rotate(program.body)
    torch.testing.assert_close(program(ids, torch.tensor([0])), expected[-1:], atol=2e-5, rtol=1e-5)
    fused = program.with_custom_kernels()
    heads, width = program.body.row_shape
    cache = torch.zeros(len(program.body.layers), 30, 2 * heads * width)
    found = fused(ids, torch.tensor([0]), torch.arange(_TOKENS), cache)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)


def test_norms_that_take_the_mean_away_or_stand_behind_layers_are_left_alone() -> None:
    found = {name: rotate_residual(decoder_module(random_model(CONFIGS[name]), 32, 16).body) for name in CONFIGS}
    assert {name for name, rotated in found.items() if not rotated} == {"gemma3", "gpt2"}


@torch.no_grad()
def test_no_channel_of_what_layers_read_stands_out() -> None:
    config = transformers.LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    model = random_model(config)
    model.model.embed_tokens.weight[:, 5] += 40.0
    program = decoder_module(model, context=32, chunk=16)
    ids = torch.arange(_TOKENS).unsqueeze(0)
    seen: list[float] = []

    def show(_: object, inputs: tuple[torch.Tensor, ...], __: object) -> None:
        seen.append((inputs[0].abs().amax(-1) / inputs[0].pow(2).mean(-1).sqrt()).mean().item())

    for change in (False, True):
        if change:
            rotate(program.body)
        hook = program.get_submodule("body.layers.0.attention.query").register_forward_hook(show)
        program(ids, torch.tensor([0]))
        hook.remove()
    # a row of one number alone has its whole root mean square in it: sqrt(64)
    assert seen[0] > 7.0
    assert seen[1] < 2.5


def test_weights_that_were_in_4_bits_lose_by_a_rotation() -> None:
    config = transformers.LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=96, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    model = random_model(config)
    plain = decoder_module(model, 32, 16).body
    with torch.no_grad():
        for parameter in (each for layer in model.model.layers for each in layer.parameters() if each.dim() == 2):
            parameter.copy_(torch.randint(-7, 8, parameter.shape) * 0.125)
    rounded = decoder_module(model, 32, 16).body
    assert int4_error(rounded) < int4_error(plain)
    before = int4_error(rounded)
    rotate(rounded)
    assert int4_error(rounded) > 2 * before
