"""Automatic mixed precision: what is measured, in which order layers are raised, and where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import linnet_export
from linnet.errors import InvalidArgumentError
from linnet.format.trailer import read_trailer
from linnet_export.config import QuantizationConfig
from linnet_export.errors import OverBudgetError
from linnet_export.graph.program import DeviceProgram
from linnet_export.quantize.precisions import PRECISIONS
from linnet_export.quantize.sensitivity import Measured, mix_precisions
from tests.support.checkpoints import write_checkpoint, write_sentence_modules


class Chain(nn.Module):
    """Three layers of 32; the second is the sensitive one, and four times as large."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(32, 32)
        self.second = nn.Linear(32, 128)
        self.third = nn.Linear(32, 32)


ERRORS = {
    "first": {"int4": 0.2, "int8": 0.01, "fp32": 0.0},
    "second": {"int4": 0.5, "int8": 0.02, "fp32": 0.0},
    "third": {"int4": 0.1, "int8": 0.01, "fp32": 0.0},
}


def search(limit: float, **settings: object) -> tuple[Chain, object]:
    module = Chain()
    kinds = {"Int4Linear": "int4", "Int8Linear": "int8", "Linear": "fp32"}

    def measure(*, quick: bool) -> Measured:
        squares = [
            ERRORS[name][kinds[type(module.get_submodule(name)).__name__]] ** 2 for name in ("first", "second", "third")
        ]
        error = sum(squares) ** 0.5
        return Measured(error, {"max_error": error}, error <= limit)

    plan = dict.fromkeys(ERRORS, PRECISIONS["int4"])
    config = QuantizationConfig(algorithm="rtn", **settings)  # type: ignore[arg-type]
    mixed, _ = mix_precisions(module, plan, config, (), measure)
    return module, mixed


def test_squared_error_by_added_byte_decides_the_order() -> None:
    _, found = search(1.0)
    # by hand: 0.04 / 1024 bytes, 0.25 / 4096 bytes, 0.01 / 1024 bytes; int8 adds half a byte a weight
    assert [layer.name for layer in found.layers] == ["second", "first", "third"]  # type: ignore[attr-defined]
    assert [layer.error for layer in found.layers] == pytest.approx([0.5, 0.2, 0.1])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("limit", "raised", "plan"),
    [
        (1.0, 0, ("int4", "int4", "int4")),
        (0.3, 1, ("int4", "int8", "int4")),
        (0.12, 2, ("int8", "int8", "int4")),
        (0.03, 3, ("int8", "int8", "int8")),
        (0.015, 4, ("int8", "fp32", "int8")),
        (0.0, 6, ("fp32", "fp32", "fp32")),
    ],
)
def test_as_few_steps_as_the_budget_needs(limit: float, raised: int, plan: tuple[str, ...]) -> None:
    module, found = search(limit)
    assert (found.raised, found.within) == (raised, True)  # type: ignore[attr-defined]
    assert tuple(found.plan[name] for name in ERRORS) == plan  # type: ignore[attr-defined]
    kinds = {"int4": "Int4Linear", "int8": "Int8Linear", "fp32": "Linear"}
    assert [type(module.get_submodule(name)).__name__ for name in ERRORS] == [kinds[precision] for precision in plan]


def test_the_curve_goes_from_small_to_exact() -> None:
    _, found = search(-1.0)
    assert not found.within  # type: ignore[attr-defined]
    curve = found.curve  # type: ignore[attr-defined]
    assert [point.raised for point in curve] == [0, 1, 2, 3, 4, 5, 6]
    assert [point.error for point in curve] == sorted((point.error for point in curve), reverse=True)
    assert [point.stored_bytes for point in curve] == sorted(point.stored_bytes for point in curve)


def test_what_the_user_chose_is_not_raised() -> None:
    _, found = search(-1.0, keep=(("second", "int4"),))
    assert found.plan["second"] == "int4"  # type: ignore[attr-defined]
    assert {layer.name for layer in found.layers} == {"first", "third"}  # type: ignore[attr-defined]


def test_an_export_raises_layers_until_the_budget_holds(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=1)
    write_sentence_modules(checkpoint)
    texts = tmp_path / "texts.txt"
    texts.write_text("turn the volume down\nopen the account\nplay music\nis the bakery open\n", encoding="utf-8")
    config = linnet_export.ExportConfig(
        model=str(checkpoint),
        output=tmp_path / "m.pte",
        recipe="8da4w",
        quantization=QuantizationConfig(embedding="fp32"),
        auto_mixed_precision=True,
        proof=texts,
        calibration=texts,
        budget={"max_error": 1.2e-4},
    )
    report = linnet_export.export(config)
    assert report.figures["max_error"] <= 1.2e-4
    mixed = read_trailer(report.path).evidence["report"]["mixed_precision"]
    assert mixed["raised"] > 0
    assert mixed["within"] is True
    assert {layer["name"]: layer["precision"] for layer in read_trailer(report.path).evidence["report"]["layers"]} == (
        mixed["plan"]
    )


def test_a_budget_that_nothing_keeps_is_refused_before_lowering(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=1)
    texts = tmp_path / "texts.txt"
    texts.write_text("turn the volume down\nopen\nplay music\nis the bakery open\n", encoding="utf-8")
    config = linnet_export.ExportConfig(
        model=str(checkpoint),
        output=tmp_path / "m.pte",
        auto_mixed_precision=True,
        proof=texts,
        budget={"cosine_mean": 1.1},
    )
    with pytest.raises(OverBudgetError, match="every linear layer in float32.*choose a higher --embedding"):
        linnet_export.export(config)
    assert not (tmp_path / "m.pte").exists()


def test_the_fused_method_has_to_keep_the_budget_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opposite:
        """Answers the opposite of a program, whatever its layers are."""

        masked = False

        def __init__(self, program: DeviceProgram) -> None:
            self._program = program
            self.outputs = program.outputs

        def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(-output for output in self._program(*inputs))

    monkeypatch.setattr(DeviceProgram, "with_custom_kernels", lambda program: Opposite(program))
    checkpoint = write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=1)
    texts = tmp_path / "texts.txt"
    texts.write_text("turn the volume down\nopen\nplay music\nis the bakery open\n", encoding="utf-8")
    config = linnet_export.ExportConfig(
        model=str(checkpoint), output=tmp_path / "m.pte", auto_mixed_precision=True, proof=texts
    )
    with pytest.raises(OverBudgetError, match="every linear layer in float32"):
        linnet_export.export(config)


def test_it_needs_a_proof_and_a_recipe_that_quantizes(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="auto_mixed_precision is set although the proof"):
        linnet_export.ExportConfig(model="x", auto_mixed_precision=True, prove=False)
    config = linnet_export.ExportConfig(model="x", output=tmp_path / "m.pte", recipe="fp32", auto_mixed_precision=True)
    with pytest.raises(InvalidArgumentError, match="auto-mixed-precision has no effect on recipe fp32"):
        linnet_export.export(config)
    assert torch.is_grad_enabled()
