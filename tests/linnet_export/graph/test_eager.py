"""The device graph computes what the Hugging Face model computes: every architecture, variant and task."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from linnet.format.manifest import POOLINGS
from linnet_export.graph.layers import ACTIVATIONS
from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.graph.sentence_layers import DENSE_ACTIVATIONS, Dense, Normalize
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, TASKS, Case, hf_outputs, random_ids, random_model

Models = Callable[[Case, str], Any]

LENGTHS = (2, 3, 17, MAX_LENGTH)
TOLERANCE = 1e-4
PAIRS = ("question-answering", "text-classification", "text-ranking")

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_task = pytest.mark.parametrize("task", TASKS)


def inputs_of(program: DeviceProgram, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
    """Return the inputs of a program: a second text from the middle on where it takes types."""
    named = {"input_ids": ids, "token_type_ids": types_of(ids), "attention_mask": mask}
    return tuple(value for name in program.inputs if (value := named[name]) is not None)


def types_of(ids: Tensor) -> Tensor:
    """Return type 0 for the first half of every row and type 1 for the second."""
    half = torch.arange(ids.shape[1]) >= (ids.shape[1] + 1) // 2
    return half.long().expand(ids.shape).contiguous()


def assert_close(found: Tensor, expected: Tensor) -> None:
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    scale = max(1.0, expected.abs().max().item())
    assert (found - expected).abs().max().item() <= TOLERANCE * scale


@each_task
@each_case
def test_a_single_text_agrees_at_every_length(case: Case, task: str, models: Models) -> None:
    model = models(case, task)
    program = device_module(model, get_task(task), max_length=MAX_LENGTH)
    for length in LENGTHS:
        ids = case.ids(1, length)
        inputs = inputs_of(program, ids)
        types = types_of(ids) if "token_type_ids" in program.inputs else None
        for found, expected in zip(program(*inputs), hf_outputs(model, task, ids, types), strict=True):
            assert_close(found, expected)


@each_task
@each_case
def test_a_padded_batch_gives_what_every_text_gives_alone(case: Case, task: str, models: Models) -> None:
    program = device_module(models(case, task), get_task(task), pooling="mean", max_length=MAX_LENGTH)
    batched = program.with_mask()
    ids, lengths = case.ids(4, 17), (17, 2, 9, 16)
    mask = torch.tensor([[int(place < length) for place in range(17)] for length in lengths])
    together = batched(*inputs_of(batched, ids, mask))
    types = types_of(ids)
    for row, length in enumerate(lengths):
        single = (ids[row : row + 1, :length], types[row : row + 1, :length])
        alone = program(*single[: len(program.inputs)])
        for found, expected in zip(together, alone, strict=True):
            found = found[row : row + 1]
            cut = found if found.shape == expected.shape else found[:, :length]
            assert_close(cut, expected)


@each_case
def test_padding_agrees_with_the_attention_mask_of_the_original(case: Case, models: Models) -> None:
    model = copy.deepcopy(models(case, "token-classification"))
    # the last token of a padded text sees the row of [PAD] in the original MobileBERT, and no neighbour
    # here, as when alone: the same if the row is zero, as nn.Embedding makes its padding row
    model.get_input_embeddings().weight.data[case.padding].zero_()
    program = device_module(model, get_task("token-classification"), max_length=MAX_LENGTH, masked=True)
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4])
    ids = torch.where(mask > 0, case.ids(2, 9), case.padding)
    (found,) = program(ids, mask)
    (expected,) = hf_outputs(model, "token-classification", ids, mask=mask)
    assert_close(found[0], expected[0])
    assert_close(found[1, :5], expected[1, :5])


@pytest.mark.parametrize(
    ("model_type", "settings", "length"),
    [
        ("deberta-v2", {"position_buckets": 256}, 400),  # more than the 128 distances that have their own bucket
        ("modernbert", {"local_attention": 128}, 200),  # more than the 64 tokens of a window to each side
        ("mpnet", {}, 300),  # more than the 128 distances before the last bucket
    ],
)
def test_the_published_distances(model_type: str, settings: dict[str, Any], length: int) -> None:
    case = Case(model_type, model_type, {**settings, "max_position_embeddings": 514})
    model = random_model(case.config(), "token-classification")
    for bound in (length, 512):
        program = device_module(model, get_task("token-classification"), max_length=bound)
        ids = case.ids(1, length)
        assert_close(program(ids)[0], hf_outputs(model, "token-classification", ids)[0])
    mask = torch.ones(2, length, dtype=torch.int64)
    mask[1, length // 2 :] = 0
    ids = torch.where(mask > 0, case.ids(2, length), case.padding)
    (found,) = program.with_mask()(ids, mask)
    (expected,) = hf_outputs(model, "token-classification", ids, mask=mask)
    assert_close(found[0], expected[0])
    assert_close(found[1, : length // 2], expected[1, : length // 2])


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activations_are_those_of_transformers(name: str) -> None:
    x = torch.cat([torch.linspace(-30, 30, 6001), torch.tensor([-1e4, 1e4])])
    torch.testing.assert_close(ACTIVATIONS[name](x), ACT2FN[name](x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "padding"), [("roberta-padding-5", 5), ("xlm-roberta-gelu", 1), ("mpnet-gelu", 1)])
@pytest.mark.parametrize("places", [[0], [3, 4], [0, 7, 8]])
def test_tokens_with_the_id_of_the_padding_are_not_counted(
    name: str, padding: int, places: list[int], models: Models
) -> None:
    case = next(case for case in CASES if case.name == name)
    model = models(case, "token-classification")
    program = device_module(model, get_task("token-classification"), max_length=MAX_LENGTH)
    ids = torch.arange(10, 19)[None]
    ids[0, places] = padding
    assert_close(program(ids)[0], hf_outputs(model, "token-classification", ids)[0])


@pytest.mark.parametrize("task", PAIRS)
@pytest.mark.parametrize("name", ["bert-gelu", "electra-projected", "mobilebert-default", "mobilebert-no-trigram"])
def test_token_types_are_an_input_and_matter(name: str, task: str, models: Models) -> None:
    case = next(case for case in CASES if case.name == name)
    program = device_module(models(case, task), get_task(task), max_length=MAX_LENGTH)
    assert program.inputs == ("input_ids", "token_type_ids")
    ids = random_ids(1, 8)
    one, other = program(ids, torch.zeros_like(ids))[0], program(ids, types_of(ids))[0]
    assert (one - other).abs().max().item() > 1e-3


@pytest.mark.parametrize("task", sorted(set(TASKS) - set(PAIRS)))
def test_tasks_of_single_texts_take_ids_only(task: str, models: Models) -> None:
    program = device_module(models(CASES[0], task), get_task(task), max_length=MAX_LENGTH)
    assert program.inputs == ("input_ids",)
    assert program.with_mask().inputs == ("input_ids", "attention_mask")


@pytest.mark.parametrize("name", ["bert-one-type", "distilbert-gelu", "mobilebert-one-type", "roberta-gelu"])
def test_without_token_types_in_the_model_there_is_no_such_input(name: str, models: Models) -> None:
    case = next(case for case in CASES if case.name == name)
    program = device_module(models(case, "text-classification"), get_task("text-classification"), max_length=MAX_LENGTH)
    assert program.inputs == ("input_ids",)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("pooling", [*POOLINGS, "none", "cls+mean", "max+weightedmean+lasttoken"])
@pytest.mark.parametrize("masked", [False, True])
def test_pooling_follows_sentence_transformers(pooling: str, normalize: bool, masked: bool, models: Models) -> None:
    model = models(CASES[0], "feature-extraction")
    program = device_module(
        model,
        get_task("feature-extraction"),
        pooling=pooling,
        normalize=normalize,
        max_length=MAX_LENGTH,
        masked=masked,
    )
    ids = random_ids(3 if masked else 1, 11)
    mask = torch.ones_like(ids)
    if masked:
        mask[1, 6:] = 0
        mask[2, 2:] = 0
    (found,) = program(*inputs_of(program, ids, mask if masked else None))
    (hidden,) = hf_outputs(model, "feature-extraction", ids, mask=mask)
    expected = _pooled(hidden, mask, pooling)
    if normalize:
        expected = functional.normalize(expected, dim=-1)
    if pooling == "none":
        assert program.outputs == ("token_embeddings",)
        found, expected = found * mask.unsqueeze(-1), expected * mask.unsqueeze(-1)
    else:
        assert program.outputs == ("embedding",)
    assert_close(found, expected)


def _pooled(hidden: Tensor, mask: Tensor, pooling: str) -> Tensor:
    # formulas of Pooling.forward of sentence-transformers 6.2 (sentence_transformer/modules/pooling.py)
    if pooling == "none":
        return hidden
    if "+" in pooling:
        return torch.cat([_pooled(hidden, mask, name) for name in pooling.split("+")], dim=-1)
    wide = mask.unsqueeze(-1).expand(hidden.size()).float()
    if pooling == "max":
        return hidden.masked_fill(wide == 0, -1e9).max(1)[0]
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "lasttoken":
        return hidden[torch.arange(len(hidden)), mask.sum(1) - 1]
    if pooling == "weightedmean":
        wide = wide * torch.arange(1, hidden.shape[1] + 1).view(1, -1, 1)
    count = wide.sum(1).clamp(min=1e-9)
    return (hidden * wide).sum(1) / (count.sqrt() if pooling == "mean_sqrt_len_tokens" else count)


@pytest.mark.parametrize("residual", [None, nn.Identity(), nn.Linear(32, 32, bias=False)])
@pytest.mark.parametrize("activation", sorted(DENSE_ACTIVATIONS))
def test_layers_behind_the_pooling(activation: str, residual: nn.Module | None, models: Models) -> None:
    model = models(CASES[0], "feature-extraction")
    torch.manual_seed(3)
    dense = Dense(nn.Linear(32, 32), DENSE_ACTIVATIONS[activation](), residual)
    norm = nn.LayerNorm(32)
    norm.weight.data.uniform_(0.5, 0.9)
    norm.bias.data.normal_()
    layers = (dense, norm, Normalize(), Dense(nn.Linear(32, 12, bias=False), nn.Identity()))
    program = device_module(
        model, get_task("feature-extraction"), pooling="mean", layers=layers, normalize=True, truncate_dim=5,
        max_length=MAX_LENGTH,
    )  # fmt: skip
    ids = random_ids(1, 11)
    (found,) = program(ids)
    (hidden,) = hf_outputs(model, "feature-extraction", ids)
    with torch.no_grad():
        # Dense.forward, LayerNorm.forward and Normalize.forward of sentence-transformers 6.2, and its truncation
        rows = hidden.mean(1)
        linear = dense.activation(dense.linear(rows))
        rows = linear if residual is None else linear + residual(rows)
        rows = functional.normalize(norm(rows), dim=-1)
        rows = functional.normalize(layers[3].linear(rows), dim=-1)[:, :5]
    assert_close(found, rows)


def test_the_original_is_not_touched(models: Models) -> None:
    model = models(CASES[0], "text-classification")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    program = device_module(model, get_task("text-classification"), max_length=MAX_LENGTH)
    with torch.no_grad():
        for parameter in program.parameters():
            parameter.add_(1.0)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_the_masked_method_shares_every_parameter(models: Models) -> None:
    program = device_module(models(CASES[0], "fill-mask"), get_task("fill-mask"), max_length=MAX_LENGTH)
    single = {name: id(tensor) for name, tensor in program.state_dict(keep_vars=True).items()}
    batched = {name: id(tensor) for name, tensor in program.with_mask().state_dict(keep_vars=True).items()}
    assert single == batched


def test_albert_has_one_layer(models: Models) -> None:
    case = next(case for case in CASES if case.name == "albert-gelu_new")
    program = device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    layers = program.get_submodule("body.layers")
    assert len(list(layers.children())) == 1  # children() gives a module once
    assert len(layers) == 3  # type: ignore[arg-type]


def test_positions_behind_the_bound_are_left_out(models: Models) -> None:
    program = device_module(models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=20)
    assert program.get_parameter("body.embeddings.position").shape == (20, 32)
