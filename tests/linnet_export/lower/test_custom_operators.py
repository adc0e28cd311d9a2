"""linnet's own operators: against float64, in every architecture, and on the device."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from executorch.exir._serialize._program import deserialize_pte_binary
from torch.nn import functional

import linnet_runtime
from linnet_export import ExportConfig, export
from linnet_export.graph.decoder_program import decoder_module
from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.lower.custom_ops import (
    CUSTOM_OPERATORS,
    add_layer_norm,
    embedding_byte,
    int8_attention,
    int8_biased_attention,
    int8_disentangled_attention,
    int8_rotary_attention,
    layer_norm,
    multiply,
)
from linnet_export.lower.lowering import lower
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.checkpoints import write_checkpoint
from tests.support.model_cases import CASES, MAX_LENGTH, Case, hf_outputs, random_ids
from tests.support.native import ROOT

Models = Callable[[Case, str], Any]
Exported = Callable[..., tuple[Path, Any]]

# tiny random weights have no redundancy that would forgive sixteen steps
_BUDGETS: dict[str, dict[str, Any]] = {"int8": {}, "8da4w": {"budget": {"cosine_mean": 0.5, "cosine_worst": 0.0}}}


@pytest.mark.parametrize("tokens", [1, 2, 17, 300])
def test_the_operator_against_float64(tokens: int) -> None:
    heads, width = 3, 20
    query, key, value = (torch.randn(tokens, heads * width) for _ in range(3))
    query *= width**-0.5
    q, k, v = (matrix.double().view(tokens, heads, width).transpose(0, 1) for matrix in (query, key, value))
    expected = (torch.softmax(q @ k.transpose(1, 2), -1) @ v).transpose(0, 1).reshape(tokens, -1)
    found = int8_attention(query, key, value, heads)
    assert ((found - expected).norm() / expected.norm()).item() < 0.02


@pytest.mark.parametrize("tokens", [1, 2, 17, 300])
def test_a_bias_by_distance_against_float64(tokens: int) -> None:
    heads, width = 3, 20
    query, key, value = (torch.randn(tokens, heads * width) for _ in range(3))
    query *= width**-0.5
    bias = torch.randn(heads, 2 * (tokens + 3))
    q, k, v = (matrix.double().view(tokens, heads, width).transpose(0, 1) for matrix in (query, key, value))
    added = torch.stack([bias[:, i + 3 : i + tokens + 3].flip(1) for i in range(tokens)], 1)
    expected = (torch.softmax(q @ k.transpose(1, 2) + added, -1) @ v).transpose(0, 1).reshape(tokens, -1)
    found = int8_biased_attention(query, key, value, bias, heads)
    assert ((found - expected).norm() / expected.norm()).item() < 0.02


@pytest.mark.parametrize("kinds", ["keys", "queries", "both"])
@pytest.mark.parametrize("tokens", [1, 2, 17, 300])
def test_rows_of_distances_against_float64(tokens: int, kinds: str) -> None:
    heads, width = 3, 20
    query, key, value = (torch.randn(tokens, heads * width) for _ in range(3))
    query *= width**-0.5
    keys = torch.randn(2 * tokens, heads * width) if kinds != "queries" else None
    queries = torch.randn(2 * tokens, heads * width) * width**-0.5 if kinds != "keys" else None
    q, k, v = (matrix.double().view(tokens, heads, width) for matrix in (query, key, value))
    scores = torch.einsum("ihd,jhd->hij", q, k)
    for i in range(tokens):
        for j in range(tokens):
            if keys is not None:
                scores[:, i, j] += (q[i] * keys[tokens + j - i].double().view(heads, width)).sum(-1)
            if queries is not None:
                scores[:, i, j] += (k[j] * queries[tokens + i - j].double().view(heads, width)).sum(-1)
    expected = torch.einsum("hij,jhd->ihd", torch.softmax(scores, -1), v).reshape(tokens, -1)
    found = int8_disentangled_attention(query, key, value, keys, queries, heads)
    assert ((found - expected).norm() / expected.norm()).item() < 0.02


@pytest.mark.parametrize("window", [(-1, -1), (0, 0), (4, 4), (-1, 0), (400, 2)])
@pytest.mark.parametrize("tokens", [1, 2, 17, 300])
def test_rotation_and_window_against_float64(tokens: int, window: tuple[int, int]) -> None:
    heads, half = 3, 10
    rows = [torch.randn(tokens, heads * half) for _ in range(4)]
    value, angles = torch.randn(tokens, heads * 2 * half), torch.randn(tokens + 5, 1, half) * 3
    rows[0] *= half**-0.5
    rows[1] *= half**-0.5
    numbers = [torch.view_as_complex(torch.stack(pair, -1).double()) for pair in (rows[:2], rows[2:])]
    turned = [number.view(tokens, heads, half) * torch.polar(torch.ones(()), angles[:tokens]) for number in numbers]
    scores = torch.einsum("ihd,jhd->hij", turned[0], turned[1].conj()).real
    places = torch.arange(tokens)
    before, behind = (tokens if width < 0 else width for width in window)
    distance = places.unsqueeze(1) - places
    scores[:, (distance > before) | (-distance > behind)] = -torch.inf
    expected = torch.softmax(scores, -1) @ value.double().view(tokens, heads, -1).transpose(0, 1)
    expected = expected.transpose(0, 1).reshape(tokens, -1)
    rotation = (angles.cos(), angles.sin())
    found = int8_rotary_attention((rows[0], rows[1]), (rows[2], rows[3]), value, rotation, heads, window)
    assert ((found - expected).norm() / expected.norm()).item() < 0.02


def test_one_token_attends_to_itself() -> None:
    value = torch.tensor([[1.27, -0.64, 0.0, 12.7]])
    # the one weight cancels out, and a column of one value has no rounding error
    torch.testing.assert_close(int8_attention(torch.randn(1, 4), torch.randn(1, 4), value, 2), value)


def test_rows_of_zeros_stay_zeros() -> None:
    nothing = torch.zeros(6, 8)
    assert torch.equal(int8_attention(nothing, nothing, nothing, 2), nothing)


@pytest.mark.parametrize("width", [1, 15, 16, 384, 1000])
def test_the_normalization_against_float64(width: int) -> None:
    x, residual, weight = torch.randn(5, width) * 3, torch.randn(5, width), torch.randn(width)
    summed = x.double() + residual.double()
    variance = (summed - summed.mean(-1, keepdim=True)).square().mean(-1, keepdim=True)
    expected = (summed - summed.mean(-1, keepdim=True)) / (variance + 1e-12).sqrt() * weight.double()
    torch.testing.assert_close(add_layer_norm(x, residual, weight, 1e-12).double(), expected, atol=1e-5, rtol=1e-5)
    alone = layer_norm(x + residual, weight, 1e-12)
    torch.testing.assert_close(alone.double(), expected, atol=1e-5, rtol=1e-5)


def test_products_by_hand() -> None:
    assert multiply(torch.tensor([[2.0, -3.0]]), torch.tensor([[0.5, 4.0]])).tolist() == [[1.0, -12.0]]


def test_rows_of_a_table_by_hand() -> None:
    weight = torch.tensor([[1, -2], [127, 0], [-127, 64]], dtype=torch.int8)
    scale = torch.tensor([0.5, 2.0, 0.25])
    found = embedding_byte(weight, scale, torch.tensor([[2, 0, 2]]))
    assert found.tolist() == [[[-31.75, 16.0], [0.5, -1.0], [-31.75, 16.0]]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_architecture_stays_near_the_original(case: Case, models: Models) -> None:
    model = models(case, "feature-extraction")
    program = device_module(model, get_task("feature-extraction"), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe("int8"))
    for length in (2, 17, MAX_LENGTH):
        ids = case.ids(1, length)
        (found,) = program.with_custom_kernels()(ids)
        (expected,) = hf_outputs(model, "feature-extraction", ids)
        # the same limit as for int8 layers around attention in float32
        assert functional.cosine_similarity(found, expected, dim=-1).min().item() > 0.99


def test_the_runtime_registers_every_operator_that_a_program_can_have() -> None:
    kernels = (ROOT / "runtime_bindings" / "runtime" / "kernels").glob("*.cpp")
    registered = re.findall(r'Kernel\("([^"]+)"', "".join(file.read_text(encoding="utf-8") for file in kernels))
    assert sorted(CUSTOM_OPERATORS) == sorted(registered)


def test_both_methods_share_the_weights_of_the_file(models: Models) -> None:
    case = next(case for case in CASES if case.name == "bert-gelu")
    program = device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    apply_recipe(program, get_recipe("int8"))
    fused = program.with_custom_kernels()
    alone = lower({"forward": program}, max_length=MAX_LENGTH, constant_methods={})
    both = lower({"forward": program, "forward_fused": fused}, max_length=MAX_LENGTH, constant_methods={})
    assert both.facts.operators_outside["forward_fused"]["linnet::int8_attention"] == 2
    assert both.facts.operators_outside["forward_fused"]["linnet::add_layer_norm"] == 5
    assert both.facts.operators_outside["forward_fused"]["linnet::embedding_byte"] == 1
    assert not [name for name in both.facts.operators_outside["forward"] if name.startswith("linnet::")]
    # a stock runtime needs what forward needs, no more
    assert both.facts.operators == alone.facts.operators
    assert not CUSTOM_OPERATORS & set(both.facts.operators)
    weights = sum(weight.numel() * weight.element_size() for weight in program.state_dict().values())
    assert len(both.program) - len(alone.program) < weights


def _delegates(program: bytes, method: str) -> list[Any]:
    """Return the delegates of a method: name, and description."""
    read = deserialize_pte_binary(program).program
    (plan,) = (plan for plan in read.execution_plan if plan.name == method)
    return [
        (delegate.id, bytes(read.backend_delegate_data[delegate.processed.index].data)) for delegate in plan.delegates
    ]


def _lowered(program: DeviceProgram, recipe: str = "int8") -> bytes:
    apply_recipe(program, get_recipe(recipe))
    methods = {"forward": program, "forward_fused": program.with_custom_kernels()}
    return lower(methods, max_length=MAX_LENGTH, constant_methods={}).program


@pytest.mark.parametrize(
    ("name", "activation"), [("bert-gelu", 1), ("bert-relu", 2), ("bert-gelu_new", 4), ("bert-silu", 5)]
)
def test_layers_between_custom_operators_go_to_linnets_delegate(models: Models, name: str, activation: int) -> None:
    case = next(case for case in CASES if case.name == name)
    program = _lowered(
        device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    )
    assert {name for name, _ in _delegates(program, "forward")} == {"XnnpackBackend"}
    own = [data for name, data in _delegates(program, "forward_fused") if name == "LinnetBackend"]
    # by hand: each of two layers has query, key and value in one call, and three calls of one layer
    heads = [struct.unpack_from("<6I", data) for data in own]
    assert [(version, count) for version, *_, count in heads] == [(1, 3), (1, 1), (1, 1), (1, 1)] * 2
    assert [tail for _, _, tail, *_ in heads] == [0, 0, activation, 0] * 2


def test_int4_layers_go_to_linnets_delegate_beside_int8_layers(models: Models) -> None:
    case = next(case for case in CASES if case.name == "bert-gelu")
    device = device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    program = _lowered(device, "8da4w")
    own = [data for name, data in _delegates(program, "forward_fused") if name == "LinnetBackend"]
    heads = [struct.unpack_from("<7I", data) for data in own]
    # by hand: 32 inputs are one group; the second layer of a feed-forward network has 48, which 32 does not divide
    assert [(version, count) for version, *_, count, _ in heads] == [(2, 3), (2, 1), (2, 1), (1, 1)] * 2
    assert [shared for version, *_, shared in heads if version == 2] == [32] * 3 * 2
    assert [tail for _, _, tail, *_ in heads] == [0, 0, 1, 0] * 2


def test_mobileberts_residuals_go_with_its_layers(models: Models) -> None:
    case = next(case for case in CASES if case.model_type == "mobilebert" and not case.settings)
    program = _lowered(
        device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    )
    delegates = _delegates(program, "forward_fused")
    # in front of the embeddings, behind them, and behind the last layer
    assert [name for name, _ in delegates].count("XnnpackBackend") <= 3
    own = [struct.unpack_from("<6I", data) for name, data in delegates if name == "LinnetBackend"]
    # by hand, for each of two layers: bottlenecks and value, query and key; three expansions with ReLU; residuals of
    # the attention, of three feed-forward networks and of the output bottleneck
    assert [tail for _, _, tail, *_ in own].count(0) == 2 * 2
    assert [tail for _, _, tail, *_ in own].count(2) == 2 * 3
    assert [tail for _, _, tail, *_ in own].count(3) == 2 * 5


def test_every_layer_of_a_decoder_goes_to_linnets_delegate() -> None:
    config = transformers.LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True,
    )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    program = decoder_module(model, context=32, chunk=16)
    apply_recipe(program, get_recipe("int8"))
    methods = {"forward": program, "forward_fused": program.with_custom_kernels()}
    delegates = _delegates(lower(methods, max_length=32, constant_methods={}).program, "forward_fused")
    # XNNPACK has the reshaping of the word embedding
    assert [name for name, _ in delegates].count("XnnpackBackend") <= 1
    own = [struct.unpack_from("<6I", data) for name, data in delegates if name == "LinnetBackend"]
    # by hand, for each of two layers: query, key and value; a residual; gate with SiLU; up; a residual
    assert [tail for _, _, tail, *_ in own] == [0, 3, 5, 0, 3] * 2


@pytest.mark.parametrize("recipe", ["int8", "8da4w"])
def test_the_delegates_read_the_same_data(models: Models, recipe: str) -> None:
    case = next(case for case in CASES if case.name == "bert-gelu")
    device = device_module(models(case, "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH)
    program = _lowered(device, recipe)
    stored = deserialize_pte_binary(program)
    assert stored.named_data is not None
    names = set(stored.named_data.pte_data)
    for name, data in _delegates(program, "forward_fused"):
        if name == "LinnetBackend":
            used = {match.decode() for match in re.findall(rb"(?:scale_)?[0-9a-f]{64}", data)}
            assert used
            xnnpack = b"".join(data for _, data in _delegates(program, "forward"))
            assert used <= names
            assert all(key.encode() in xnnpack for key in used)


@pytest.mark.parametrize("model_type", ["bert", "deberta-v2", "mobilebert", "modernbert", "mpnet"])
@pytest.mark.parametrize("recipe", ["int8", "8da4w"])
def test_the_device_computes_what_the_file_says(
    exported: Exported, run_program: Callable[..., Any], recipe: str, model_type: str
) -> None:
    _, report = exported("feature-extraction", recipe, model_type, **_BUDGETS[recipe])
    assert set(report.partitions) == {"forward", "forward_fused"}
    # ExecuTorch's own runtime has no such operator, and runs forward
    stock = run_program(report.path.read_bytes())
    device = linnet_runtime.Model(str(report.path), 0)
    for length in (2, 3, 8, 17, 33, 48):
        ids = random_ids(1, length)
        (expected,) = stock(ids)
        (found,) = device.run("forward", [ids.numpy()])
        assert np.isfinite(found).all()
        # int8 attention beside float32 attention, in vectors of unit length
        assert float(np.abs(found - expected.numpy()).max()) < 0.03


_ANSWERS = """
import sys, linnet_runtime, numpy
model = linnet_runtime.Model(sys.argv[1], 1)
model.set_fused(True)
for bits in (7, 8):
    model.set_activation_bits(bits)
    for length in (2, 3, 17, 48):
        ids = numpy.arange(length, dtype=numpy.int64)[None] * 7 % 80 + 5
        print([output.tobytes().hex() for output in model.run("forward", [ids])])
"""


@pytest.mark.parametrize("model_type", ["deberta-v2", "modernbert", "mpnet", "mobilebert"])
@pytest.mark.parametrize("recipe", ["int8", "8da4w"])
def test_a_whole_model_answers_as_with_the_portable_kernels(exported: Exported, recipe: str, model_type: str) -> None:
    _, report = exported("feature-extraction", recipe, model_type, **_BUDGETS[recipe])
    answers = []
    for environment in ({**os.environ, "LINNET_MAX_CPU": "portable"}, {**os.environ}):
        command = [sys.executable, "-c", _ANSWERS, str(report.path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        answers.append(done.stdout)
    # beside int4 weights activations always have 8 bits
    assert len(set(answers[0].splitlines())) >= (2 * 4 if recipe == "int8" else 4)
    assert answers[0] == answers[1]


def test_what_a_stock_runtime_runs_can_be_asked_for(exported: Exported, run_program: Callable[..., Any]) -> None:
    _, report = exported("feature-extraction", "int8", "bert")
    assert report.fused.keys() == report.figures.keys()
    assert report.fused != report.figures
    stock = run_program(report.path.read_bytes())
    device = linnet_runtime.Model(str(report.path), 0)
    ids = random_ids(1, 17)
    (expected,) = stock(ids)
    device.set_fused(True)
    (fused,) = device.run("forward", [ids.numpy()])
    device.set_fused(False)
    (plain,) = device.run("forward", [ids.numpy()])
    # the same delegate in another build of the runtime
    assert float(np.abs(plain - expected.numpy()).max()) < 1e-5
    assert not np.array_equal(fused, plain)


def test_a_gelu_by_tanh_computes_what_the_file_says(run_program: Callable[..., Any], tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", hidden_act="gelu_new")
    settings = ExportConfig(model=str(checkpoint), output=tmp_path / "model.pte", prove=False)
    report = export(settings)
    ids = random_ids(1, 17)
    (expected,) = run_program(report.path.read_bytes())(ids)
    device = linnet_runtime.Model(str(report.path), 0)
    device.set_fused(True)
    (found,) = device.run("forward", [ids.numpy()])
    assert not np.array_equal(found, expected.numpy())
    # the states of a normalization, of which the largest are about 4
    assert float(np.abs(found - expected.numpy()).max()) < 0.1
