"""Errors of layers, against numbers that follow from the definition by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from linnet_export.proof import layer_errors


class _Chain(nn.Module):
    """ids -> embedding of width 2 -> first -> second, all without biases; `unused` is never called."""

    def __init__(self, rows: list[list[float]], first: float, second: float) -> None:
        super().__init__()
        self.word = nn.Embedding(2, 2, _weight=torch.tensor(rows))
        self.first = nn.Linear(2, 2, bias=False)
        self.second = nn.Linear(2, 2, bias=False)
        self.unused = nn.Linear(2, 2)
        with torch.no_grad():
            self.first.weight.copy_(torch.eye(2) * first)
            self.second.weight.copy_(torch.eye(2) * second)

    def forward(self, ids: Tensor) -> Tensor:
        result: Tensor = self.second(self.first(self.word(ids)[0]))
        return result


def test_both_errors_by_hand() -> None:
    rows = [[3.0, 4.0], [6.0, 8.0]]
    original = _Chain(rows, 1.0, 1.0)
    quantized = _Chain(rows, 1.1, 0.9)
    texts = [(torch.tensor([[0, 1]]),), (torch.tensor([[1]]),)]
    found = layer_errors(original, quantized, texts)
    assert set(found) == {"word", "first", "second"}
    assert (found["word"].given, found["word"].running) == (0.0, 0.0)
    # scaling by 1.1 moves every output by a tenth of itself, whatever the texts
    assert found["first"].given == pytest.approx(0.1, rel=1e-5)
    assert found["first"].running == pytest.approx(0.1, rel=1e-5)
    assert found["second"].given == pytest.approx(0.1, rel=1e-5)
    # 1.1 * 0.9 = 0.99: in the running model the two nearly cancel out
    assert found["second"].running == pytest.approx(0.01, rel=1e-4)


def test_an_error_weighs_tokens_by_their_length() -> None:
    original = _Chain([[3.0, 4.0], [0.0, 12.0]], 1.0, 1.0)
    quantized = _Chain([[3.0, 4.0], [0.0, 13.0]], 1.0, 1.0)
    errors = layer_errors(original, quantized, [(torch.tensor([[0, 1]]),)])
    assert errors["word"].given == pytest.approx(1 / 13, rel=1e-6)  # sqrt(1) / sqrt(25 + 144)


def test_a_layer_without_output_has_no_scale() -> None:
    original = _Chain([[0.0, 0.0], [0.0, 0.0]], 1.0, 1.0)
    quantized = _Chain([[0.0, 0.0], [1.0, 0.0]], 1.0, 1.0)
    found = layer_errors(original, quantized, [(torch.tensor([[1]]),)])
    assert [error.running for error in found.values()] == [1.0, 1.0, 1.0]
    assert [error.given for error in found.values()] == [1.0, 0.0, 0.0]
