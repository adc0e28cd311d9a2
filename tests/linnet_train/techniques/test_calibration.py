"""Temperature and out-of-scope shift, each against a calculation by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from linnet_train.techniques.calibration import Calibration, fit_temperature, fold, out_of_scope_shift


def test_the_temperature_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator) * 2
    labels = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=generator).squeeze(1)
    assert fit_temperature(logits * 4, labels) == pytest.approx(4, rel=0.05)


def test_the_shift_leaves_the_wanted_share_in_scope() -> None:
    # in-scope margins over class 2 (out of scope): 1, 2, ..., 10; the row of class 2 does not count
    logits = torch.tensor([[float(margin), 0.0, 0.0] for margin in range(1, 11)] + [[0.0, 0.0, 9.0]])
    labels = torch.tensor([0] * 10 + [2])
    shift = out_of_scope_shift(logits, labels, 2, in_scope_recall=0.8)
    shifted = logits + torch.tensor([0.0, 0.0, shift])
    assert (shifted[:10].argmax(dim=1) != 2).sum() == 8
    assert shift == pytest.approx(3, abs=1e-3)


def test_calibration_folds_into_the_last_layer() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    inputs = torch.randn(5, 4)
    with torch.no_grad():
        before = model(inputs)
        fold(model, Calibration(temperature=1.7, shift=0.3), 2)
        expected = before / 1.7 + torch.tensor([0.0, 0.0, 0.3])
        torch.testing.assert_close(model(inputs), expected)
