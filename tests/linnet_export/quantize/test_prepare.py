"""Quantization-aware training: the prepared module computes what the exported one computes, and learns."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch

from linnet_export.config import QuantizationConfig
from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.prepare import FakeQuantizedEmbedding, NotTrainableError, prepare_for_training
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case, random_ids

Models = Callable[[Case, str], Any]


def program(models: Models) -> DeviceProgram:
    return device_module(models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("int8", QuantizationConfig()),
        ("8da4w", QuantizationConfig(algorithm="rtn")),
        ("8da4w", QuantizationConfig(algorithm="rtn", embedding="8w", keep=(("*.query", "fp32"),))),
    ],
)
def test_it_computes_what_will_be_exported(recipe: str, settings: QuantizationConfig, models: Models) -> None:
    exported = program(models)
    prepared = prepare_for_training(copy.deepcopy(exported), get_recipe(recipe), settings)
    apply_recipe(exported, get_recipe(recipe), settings)
    ids = random_ids(1, 17)
    with torch.no_grad():
        # value + (rounded - value) gives rounded up to the last bit of float32, which can move an
        # activation that lies between two steps
        torch.testing.assert_close(prepared(ids)[0], exported(ids)[0], atol=0.02, rtol=0)
    assert isinstance(prepared.get_submodule("body.embeddings.word"), FakeQuantizedEmbedding)


def test_training_it_lowers_the_loss(models: Models) -> None:
    module = prepare_for_training(program(models), get_recipe("8da4w"))
    weights = [parameter for parameter in module.parameters() if parameter.requires_grad]
    assert len(weights) == 13
    ids, target = random_ids(1, 17), torch.zeros(1, 17, 32)
    optimizer = torch.optim.SGD(weights, lr=0.02)
    losses: list[float] = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = (module(ids)[0] - target).square().mean()
        loss.backward()
        assert all(weight.grad is not None for weight in weights)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_calibrated_precisions_are_refused(models: Models) -> None:
    with pytest.raises(NotTrainableError, match="int8-static uses int8-static, training can imitate int8, int4"):
        prepare_for_training(program(models), get_recipe("int8-static"))
