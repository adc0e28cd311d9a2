"""Estimates: the counted work against the configurations' own arithmetic, the roofline by hand, and the mark."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.macs import attention_macs, linear_macs, linears
from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence
from linnet_bench.estimate import command as command_module
from linnet_bench.estimate.command import add_arguments, run
from linnet_bench.estimate.devices import DEVICES, Device, find_device, this_device
from linnet_bench.estimate.devices.base import OwnKernels
from linnet_bench.estimate.roofline import SHARES, estimate
from linnet_bench.estimate.work import Attention, Fused, Linear, Work, count_work
from tests.support.sdk_fakes import make_manifest

LAYERS, WIDTH, INNER = 2, 96, 384
BERT = {"model_type": "bert", "num_hidden_layers": LAYERS, "hidden_size": WIDTH, "intermediate_size": INNER}


def evidence(precision: str = "int8") -> dict[str, Any]:
    """Return what the exporter says about a small BERT."""
    layers: list[dict[str, Any]] = [
        {"name": "body.embeddings.word", "kind": "embedding", "precision": "8w", "shape": [100, WIDTH],
         "stored_bytes": 9600}
    ]  # fmt: skip
    operators: list[dict[str, Any]] = []
    for number in range(LAYERS):
        own = f"body.layers.{number}"
        parts = [("attention.query", WIDTH, WIDTH), ("attention.key", WIDTH, WIDTH), ("attention.value", WIDTH, WIDTH),
                 ("attention_output", WIDTH, WIDTH), ("expand", INNER, WIDTH), ("contract", WIDTH, INNER)]  # fmt: skip
        for name, outputs, inputs in parts:
            layers.append({"name": f"{own}.{name}", "kind": "linear", "precision": precision,
                           "shape": [outputs, inputs], "stored_bytes": outputs * inputs})  # fmt: skip
            operators.append({"layer": f"{own}.{name}", "operators": ["linear"]})
        operators.append({"layer": f"{own}.attention", "operators": ["bmm", "_softmax", "bmm"]})
        operators.append({"layer": own, "operators": ["gelu", "add"]})
    layers.append({"name": "head.classifier", "kind": "linear", "precision": "fp32", "shape": [3, WIDTH],
                   "stored_bytes": 12 * WIDTH})  # fmt: skip
    return {"report": {"layers": layers}, "places": {"forward": [{"partition": operators}]}}


def count(task: str = "text-classification", precision: str = "int8") -> Work:
    return count_work(make_manifest(task), Evidence.from_json(evidence(precision)))


@pytest.mark.parametrize("tokens", [1, 32, 256])
def test_work_is_what_the_configuration_says(tokens: int) -> None:
    work = count()
    assert work.linear_macs(tokens, int8=True) == linear_macs(linears(BERT), tokens)
    assert work.attention_macs(tokens) == attention_macs(BERT, tokens)
    assert work.linear_macs(tokens, int8=False) == 3 * WIDTH  # the classifier runs on one row


def test_heads_of_token_tasks_run_on_every_token() -> None:
    assert count("token-classification").linear_macs(7, int8=False) == 7 * 3 * WIDTH


def test_a_layer_that_is_shared_runs_as_often_as_the_program_calls_it() -> None:
    found = evidence()
    run = {"layer": "body.layers.0.expand", "operators": ["linear"]}
    found["places"]["forward"].append({"partition": [run] * 2})
    work = count_work(make_manifest("text-classification"), Evidence.from_json(found))
    assert [linear.runs for linear in work.linears if linear.outputs == INNER] == [3, 1]


def test_bytes_between_the_products_by_hand() -> None:
    # in each layer a GELU over 384 channels (2 tensors) and an addition over 96 (3 tensors), float32
    assert count().token_bytes == LAYERS * 4 * (2 * INNER + 3 * WIDTH)
    # 96 channels are 3 heads of 32; softmax goes over tokens^2 scores of each four times
    assert count().moved_bytes(10, fused=True) == 10 * count().token_bytes
    assert count().moved_bytes(10, fused=False) - 10 * count().token_bytes == LAYERS * 3 * 100 * 4 * 4


def test_linnets_own_operators_move_little_and_its_layers_are_faster() -> None:
    found = evidence()
    own = [{"operator": name, "layer": "body.layers.0"} for name in ("int8_linear", "linnet::add_layer_norm")]
    found["places"]["forward_fused"] = own
    counted = count_work(make_manifest("text-classification"), Evidence.from_json(found))
    # the normalization reads two tensors of 96 channels and writes one; GELU is inside of the linear layer
    assert counted.fused == Fused(token_bytes=4 * 3 * WIDTH, operators=2, int8_linear=True)
    assert counted.moved_bytes(10, fused=True) == 10 * 4 * 3 * WIDTH
    device = dataclasses.replace(DEVICE, fused=True)
    plain, fast = estimate(count(), device, 32, 1), estimate(counted, device, 32, 1)
    classifier = 3 * WIDTH / (DEVICE.float_macs * SHARES["float"] * DEVICE.clock_ghz * 1e9)
    assert (plain.linear - classifier) / (fast.linear - classifier) == pytest.approx(
        SHARES["own int8"] / SHARES["int8"]
    )
    assert estimate(counted, DEVICE, 32, 1) == estimate(count(), DEVICE, 32, 1)  # no fast kernels there


def test_what_the_kernels_reach_by_a_model_replaces_the_shares() -> None:
    found = evidence()
    found["places"]["forward_fused"] = [{"operator": "int8_linear", "layer": "body.layers.0"}]
    counted = count_work(make_manifest("text-classification"), Evidence.from_json(found))
    device = dataclasses.replace(DEVICE, fused=True, own=OwnKernels(int8_macs=5.0, attention=2.5))
    estimated = estimate(counted, device, 32, 1)
    classifier = 3 * WIDTH / (DEVICE.float_macs * SHARES["float"] * 1e9)
    assert estimated.linear == pytest.approx(linear_macs(linears(BERT), 32) / 5e9 + classifier)
    assert estimated.attention == pytest.approx(attention_macs(BERT, 32) / 2e9)


def test_an_old_file_is_refused() -> None:
    for missing in ("report", "places"):
        old = Evidence.from_json({name: part for name, part in evidence().items() if name != missing})
        with pytest.raises(InvalidArgumentError, match="export it again"):
            count_work(make_manifest("text-classification"), old)


# -- the roofline --------------------------------------------------------------------------------------

DEVICE = Device(
    name="d", title="a device", clock_ghz=1.0, cores=2, int8_macs=10, float_macs=2, cache_bytes=4, bandwidth_gbs=1.0,
    cache_mb=1.0, fused=False, sources=("by hand",),
)  # fmt: skip


def work(stored_bytes: int) -> Work:
    linear = Linear(inputs=1000, outputs=1000, runs=1, int8=True, stored_bytes=stored_bytes, every_token=True)
    return Work(linears=(linear,), attentions=(Attention(width=100, heads=2),), token_bytes=4000, operators=10)


def test_parts_by_hand() -> None:
    found = estimate(work(1000), DEVICE, tokens=10, threads=1)
    assert found.linear == pytest.approx(1e7 / (10 * SHARES["int8"] * 1e9))
    assert found.attention == pytest.approx(2 * 100 * 100 / (2 * SHARES["float"] * 1e9))
    assert found.moving == pytest.approx((10 * 4000 + 2 * 100 * 4 * 4) / 4e9)
    assert found.starting == pytest.approx(10 * 0.3e-6 * 4)
    assert found.seconds == found.linear + found.attention + found.moving + found.starting
    assert not found.memory_bound


def test_weights_that_no_cache_holds_are_read_from_memory() -> None:
    found = estimate(work(50_000_000), DEVICE, tokens=10, threads=1)
    assert found.linear == pytest.approx(0.05)  # 50 MB at 1 GB/s
    assert found.memory_bound


def test_threads_beyond_the_cores_help_nobody() -> None:
    one, two, many = (estimate(work(1000), DEVICE, 10, threads) for threads in (1, 2, 8))
    assert one.linear / two.linear == pytest.approx(1 + SHARES["threads"])
    assert two == dataclasses.replace(many, threads=2)


def test_int8_gains_little_without_dot_products_and_much_with_them() -> None:
    def gain(name: str) -> float:
        slow, fast = (estimate(count(precision=precision), DEVICES[name], 128, 1) for precision in ("fp32", "int8"))
        return slow.linear / fast.linear

    assert gain("pi4") < 1.5
    assert gain("pi5") > 3.0


# -- devices -------------------------------------------------------------------------------------------


def test_every_device_has_sources_and_a_name_of_its_own() -> None:
    for name, device in DEVICES.items():
        assert device.name == name
        assert len(device.sources) >= 3
        assert min(device.clock_ghz, device.int8_macs, device.float_macs, device.bandwidth_gbs) > 0


def test_this_device_is_told_by_cpuinfo(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nCPU part\t: 0xd0b\n")
    assert this_device(tmp_path).name == "pi5"
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nvendor_id\t: GenuineIntel\n")
    with pytest.raises(InvalidArgumentError, match="linnet bench measures it"):
        this_device(tmp_path)
    with pytest.raises(InvalidArgumentError, match="known are pi3, pi4, pi5"):
        find_device("toaster")


# -- the command ---------------------------------------------------------------------------------------


class Opened:
    """What the command needs of a model."""

    manifest = make_manifest("text-classification")
    evidence = Evidence.from_json(evidence())

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([*map(str, arguments)]))


def test_what_is_shown_is_marked_as_an_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_module, "load", lambda path, self_test: Opened())
    out = tmp_path / "out.json"
    assert command("a.pte", "--device", "pi4", "--lengths", "8", "--output", out) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("ESTIMATE, not measured: a.pte on Raspberry Pi 4")
    assert "STREAM" in shown
    data = json.loads(out.read_text())
    assert (data["kind"], data["measured"], data["device"]["name"]) == ("linnet-estimate", False, "pi4")
    assert [(row["threads"], row["tokens"]) for row in data["estimates"]] == [(1, 8), (4, 8)]
    with pytest.raises(InvalidArgumentError, match="has 4 cores"):
        command("a.pte", "--device", "pi4", "--threads", "8")


def test_a_length_over_the_bound_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command_module, "load", lambda path, self_test: Opened())
    bound = Opened().manifest.max_length
    assert command("a.pte", "--device", "pi4", "--lengths", "8,9999") == 0
    said = f"linnet: warning: --lengths has 9999, over the file's bound of {bound} tokens; {bound} is taken instead\n"
    assert capsys.readouterr().err == said
    assert command("a.pte", "--device", "pi4") == 0
    assert capsys.readouterr().err == ""
