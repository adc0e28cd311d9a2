"""Operators of text generation: against transformers and float64, chunks against single tokens, and exported."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers.models.llama.modeling_llama import LlamaRMSNorm, apply_rotary_pos_emb

from linnet_export.lower.custom_ops import (
    CUSTOM_OPERATORS,
    add_rms_norm,
    cache_row_bytes,
    cached_attention,
    rms_norm,
)

_HEADS, _KEY_HEADS, _WIDTH, _LAYERS = 6, 2, 20, 3
_CAPACITY = 90


def _text(tokens: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return random queries, scaled, keys and values."""
    query = torch.randn(tokens, _HEADS * _WIDTH) * 2 * _WIDTH**-0.5
    return query, torch.randn(tokens, _KEY_HEADS * _WIDTH), torch.randn(tokens, _KEY_HEADS * _WIDTH)


def _angles() -> Tensor:
    return torch.outer(torch.arange(_CAPACITY, dtype=torch.float64), 10000 ** (-torch.arange(_WIDTH // 2) / 10))


def _expected(text: tuple[Tensor, Tensor, Tensor], rotated: bool, window: int) -> Tensor:
    """Attention of the whole text in float64, rotated by transformers."""
    tokens = text[0].shape[0]
    query, key, value = (rows.double().view(1, tokens, -1, _WIDTH).transpose(1, 2) for rows in text)
    if rotated:
        angles = torch.cat([_angles(), _angles()], -1)[:tokens].unsqueeze(0)
        query, key = apply_rotary_pos_emb(query, key, angles.cos(), angles.sin())
    distance = torch.arange(tokens).unsqueeze(1) - torch.arange(tokens)
    seen = (distance >= 0) & (distance < (window if window > 0 else tokens))
    found = functional.scaled_dot_product_attention(query, key, value, seen, scale=1.0, enable_gqa=True)
    return found[0].transpose(0, 1).reshape(tokens, -1)


def _cache(dtype: torch.dtype) -> Tensor:
    width = 2 * _KEY_HEADS * _WIDTH if dtype == torch.float32 else cache_row_bytes(_KEY_HEADS, _WIDTH)
    return torch.zeros(_LAYERS, _CAPACITY, width, dtype=dtype)


def _run(
    text: tuple[Tensor, Tensor, Tensor], cache: Tensor, chunks: list[int], rotated: bool = True, window: int = -1
) -> Tensor:
    rotation = (_angles().cos().float(), _angles().sin().float()) if rotated else None
    found = []
    for start, count in zip(itertools.accumulate([0, *chunks]), chunks, strict=False):
        query, key, value = (rows[start : start + count] for rows in text)
        found.append(
            cached_attention(query, key, value, cache, torch.tensor([start]), rotation, 1, _HEADS, _KEY_HEADS, window)
        )
    return torch.cat(found)


@pytest.mark.parametrize("window", [-1, 1, 7, 40])
@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.uint8, 0.02), (torch.float32, 1e-6)])
def test_the_cache_against_float64(dtype: torch.dtype, limit: float, rotated: bool, window: int) -> None:
    text = _text(70)
    expected = _expected(text, rotated, window)
    for chunks in ([70], [1] * 70, [33, 1, 30, 6]):
        found = _run(text, _cache(dtype), chunks, rotated, window)
        assert ((found - expected).norm() / expected.norm()).item() < limit


def test_only_rows_of_the_layer_are_written() -> None:
    cache = _cache(torch.uint8)
    _run(_text(40), cache, [30, 10])
    assert not cache[0].any()
    assert not cache[2].any()
    assert cache[1, :40].any(-1).all()
    assert not cache[1, 40:].any()


def test_a_rewound_cache_gives_the_same_again() -> None:
    text, cache = _text(40), _cache(torch.uint8)
    first = _run(text, cache, [40])
    rows = cache.clone()
    other = (torch.cat([part[:20], torch.randn_like(part[20:])]) for part in text)
    _run((next(other), next(other), next(other)), cache, [40])
    assert torch.equal(_run(text, cache, [40]), first)
    assert torch.equal(cache, rows)


@pytest.mark.parametrize(("start", "tokens"), [(-1, 3), (_CAPACITY - 2, 3)])
def test_a_start_without_room_is_an_error(start: int, tokens: int) -> None:
    arguments = (*_text(tokens), _cache(torch.uint8), torch.tensor([start]), None, 0, _HEADS, _KEY_HEADS)
    with pytest.raises(ValueError, match="start is"):
        cached_attention(*arguments)


def test_rows_of_another_width_are_an_error() -> None:
    cache = torch.zeros(1, 8, 77, dtype=torch.uint8)
    with pytest.raises(ValueError, match="rows of 77, expected"):
        cached_attention(*_text(1), cache, torch.tensor([0]), None, 0, _HEADS, _KEY_HEADS)


def test_bytes_of_a_row_by_hand() -> None:
    # 2 * 3 * 64 numbers and 2 * 3 scales of 4 bytes are 408, and 416 is a multiple of 32
    assert cache_row_bytes(3, 64) == 416
    assert cache_row_bytes(8, 64) == 1088
    # 2 * 1 * 9 numbers, up to a multiple of 4, and 2 scales
    assert cache_row_bytes(1, 9) == 32


@pytest.mark.parametrize("width", [1, 16, 576])
def test_the_normalization_against_transformers(width: int) -> None:
    x, residual, weight = torch.randn(5, width) * 3, torch.randn(5, width), torch.randn(width)
    layer = LlamaRMSNorm(width, 1e-5)
    layer.weight.data = weight
    summed, found = add_rms_norm(x, residual, weight, 1e-5)
    assert torch.equal(summed, x + residual)
    torch.testing.assert_close(found, layer(x + residual).detach())
    torch.testing.assert_close(rms_norm(x, weight, 1e-5), layer(x).detach())


class _Decoder(torch.nn.Module):
    """Two layers of a decoder without their products."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(_HEADS * _WIDTH))

    def forward(self, x: Tensor, key: Tensor, cache: Tensor, start: Tensor) -> Tensor:
        for layer in range(2):
            attended = cached_attention(x, key, key, cache, start, None, layer, _HEADS, _KEY_HEADS)
            x, normal = add_rms_norm(x, attended, self.weight, 1e-5)
        return normal


def test_an_exported_program_copies_no_cache() -> None:
    query, key, _ = _text(5)
    tokens = torch.export.Dim("tokens", min=1, max=64)
    exported = torch.export.export(
        _Decoder(),
        (query, key, _cache(torch.uint8), torch.tensor([0])),
        dynamic_shapes=({0: tokens}, {0: tokens}, None, None),
        strict=True,
    ).run_decompositions({})
    targets = [str(node.target) for node in exported.graph.nodes if node.op == "call_function"]
    assert targets.count("linnet.cached_attention.default") == 2
    assert not [target for target in targets if "copy" in target or "clone" in target]
    cache = _cache(torch.uint8)
    again = _cache(torch.uint8)
    found = exported.module()(query, key, cache, torch.tensor([0]))
    assert torch.equal(found, _Decoder()(query, key, again, torch.tensor([0])))
    assert torch.equal(cache, again)


def test_names_in_a_program() -> None:
    assert {"linnet::cached_attention.out", "linnet::rms_norm.out", "linnet::add_rms_norm.out"} <= CUSTOM_OPERATORS
