"""Multiply-accumulates: by hand, and against what transformers' own modules are called with."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, MobileBertConfig, MobileBertModel

from benchmarks.peers.gemm import net_seconds
from benchmarks.peers.macs import Linear, attention_macs, linear_macs, linears
from benchmarks.peers.models import MOBILEBERT_CONFIG
from benchmarks.peers.roofline import RooflineResult, peak_seconds

MINILM: dict[str, Any] = {
    "model_type": "bert",
    "num_hidden_layers": 6,
    "hidden_size": 384,
    "intermediate_size": 1536,
    "num_attention_heads": 12,
}


def test_minilm_by_hand() -> None:
    # a layer: 4 * 384 * 384 + 2 * 384 * 1536 = 1 769 472; six layers, 128 tokens
    assert linear_macs(linears(MINILM), 128) == 6 * 128 * 1_769_472 == 1_358_954_496
    # a layer: 2 * 128 * 128 * 384
    assert attention_macs(MINILM, 128) == 6 * 12_582_912 == 75_497_472


def test_mobilebert_by_hand() -> None:
    config = {**MOBILEBERT_CONFIG, "model_type": "mobilebert"}
    # 384 * 512 once; a layer: 2 * 512 * 128, 3 * 128 * 128, 512 * 128, 4 * 2 * 128 * 512, 128 * 512
    layer = 131_072 + 49_152 + 65_536 + 524_288 + 65_536
    assert linear_macs(linears(config), 1) == 196_608 + 24 * layer
    assert attention_macs(config, 10) == 24 * 2 * 100 * 128


def called(model: torch.nn.Module, tokens: int) -> Counter[tuple[int, int]]:
    """Count the linear layers that a forward really calls on all tokens: (inputs, outputs)."""
    found: Counter[tuple[int, int]] = Counter()

    def count(layer: torch.nn.Module, inputs: tuple[torch.Tensor, ...], _: object) -> None:
        assert isinstance(layer, torch.nn.Linear)
        if inputs[0].numel() == tokens * layer.in_features:  # not the pooler
            found[layer.in_features, layer.out_features] += 1

    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        model(torch.full((1, tokens), 7))
    return found


def test_the_formulas_count_what_transformers_calls() -> None:
    small: dict[str, Any] = {"num_hidden_layers": 2, "vocab_size": 50}
    bert = BertConfig(hidden_size=24, num_attention_heads=4, intermediate_size=40, **small)
    mobile = MobileBertConfig(**small)
    models: list[tuple[Any, Any]] = [(BertModel(bert), bert), (MobileBertModel(mobile), mobile)]
    for model, config in models:
        ours = {(linear.inputs, linear.outputs): linear.count for linear in linears(config.to_dict())}
        assert ours == called(model.eval(), 5)


def test_the_peak_takes_the_fastest_library_for_each_shape() -> None:
    shapes = [Linear(inputs=4, outputs=8, count=3), Linear(inputs=8, outputs=4, count=2)]
    seconds = {"one": {"4x8": 1.0, "8x4": 5.0}, "other": {"4x8": 2.0, "8x4": 4.0}}
    assert peak_seconds(shapes, seconds) == 3 * 1.0 + 2 * 4.0


def test_the_share_by_hand() -> None:
    result = RooflineResult(
        tokens=2,
        shapes=[Linear(inputs=4, outputs=8, count=3)],
        linear_macs=192,
        attention_macs=48,
        model_seconds=[10.0, 20.0, 8.0],
        gemm_seconds={"one": {"4x8": [2.0, 2.0, 2.0]}, "other": {"4x8": [3.0, 1.0, 2.0]}},
    )
    # 3 * 2 / 10, 3 * 1 / 20, 3 * 2 / 8
    assert result.share.middle == pytest.approx(0.6)
    assert result.share.low == pytest.approx(0.15)
    assert result.share.high == pytest.approx(0.75)
    assert result.share_with_attention == pytest.approx(0.6 * 240 / 192)
    assert "60 % (15-75 %)" in result.summary()


def test_the_overhead_of_a_call_is_never_all_of_it() -> None:
    assert net_seconds(5.0, 1.0) == 4.0
    assert net_seconds(5.0, 6.0) == pytest.approx(0.5)
