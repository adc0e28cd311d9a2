"""Automatic mixed precision: which layers to keep in a higher precision, found by measuring each of them.

Every linear layer is quantized alone, and the change of the model's answers is its sensitivity. Then layers
are raised to the next precision, those first that take the most squared error away for each byte they cost,
until the answers are good enough. The squares of small, independent errors add up, which is why they and not
the errors are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import nn

from linnet.format.evidence import CurvePoint, LayerSensitivity, MixedPrecision
from linnet_export.config import QuantizationConfig
from linnet_export.quantize.calibration import CalibrationTexts
from linnet_export.quantize.observers import Observer
from linnet_export.quantize.plan import is_kept, quantizable
from linnet_export.quantize.precisions import Precision
from linnet_export.quantize.quantize import put_layer, stored_bytes, watch_layers

__all__ = ["Measure", "Measured", "mix_precisions"]

_CURVE_POINTS = 8


@dataclasses.dataclass(frozen=True)
class Measured:
    """How far a module is from the original.

    Attributes:
        error: norm of the difference of all outputs, divided by the norm of the original's.
        figures: what a budget limits, by name, as the proof measures it.
        within: the budget holds.
    """

    error: float
    figures: Mapping[str, float]
    within: bool


class Measure(Protocol):
    """Measures the module as it is at the moment."""

    def __call__(self, *, quick: bool) -> Measured:
        """Return its distance from the original; ``quick``: on fewer texts, enough to compare layers."""


def mix_precisions(
    module: nn.Module,
    plan: Mapping[str, Precision],
    settings: QuantizationConfig,
    texts: CalibrationTexts,
    measure: Measure,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[MixedPrecision, Mapping[str, Precision]]:
    """Quantize ``module`` in place, with as few layers in a higher precision as the budget needs.

    Args:
        module: the device graph in float32.
        plan: the recipe's precision of every layer; what ``settings.keep`` names stays as it is.
        settings: of the quantization.
        texts: for calibration.
        measure: measures ``module`` as it is at the moment.
        progress: told what happens, in a few words.

    Returns:
        what was measured, and the precision that every layer has now.
    """
    with torch.no_grad():
        search = _Search(module, plan, settings, watch_layers(module, plan, settings, texts, progress))
        order = search.sensitivities(measure, progress)
        return search.shortest(order, measure, progress)


class _Search:
    def __init__(
        self,
        module: nn.Module,
        plan: Mapping[str, Precision],
        settings: QuantizationConfig,
        observed: Mapping[str, Observer],
    ) -> None:
        self._module = module
        self._plan = dict(plan)
        self._settings = settings
        self._observed = observed
        self._originals = quantizable(module)
        self._made: dict[tuple[str, Precision], nn.Module] = {}

    def sensitivities(self, measure: Measure, progress: Callable[[str], None]) -> list[LayerSensitivity]:
        """Measure every layer that could be raised, alone; return them in the order to raise them."""
        names = [name for name in self._originals if self._higher(name, self._plan[name])]
        sensitivities: list[LayerSensitivity] = []
        for number, name in enumerate(names, 1):
            progress(f"sensitivity of layer {number} of {len(names)}: {name}")
            precision = self._plan[name]
            higher = self._higher(name, precision)
            assert higher is not None
            put_layer(self._module, name, self._layer(name, precision))
            error = measure(quick=True).error
            put_layer(self._module, name, self._originals[name])
            sizes = [stored_bytes(self._layer(name, candidate)) for candidate in (precision, higher)]
            sensitivities.append(LayerSensitivity(name, precision.name, error, sizes[0], higher.name, sizes[1]))
        return sorted(
            sensitivities, key=lambda layer: -(layer.error**2) / max(1, layer.higher_bytes - layer.stored_bytes)
        )

    def shortest(
        self, order: list[LayerSensitivity], measure: Measure, progress: Callable[[str], None]
    ) -> tuple[MixedPrecision, Mapping[str, Precision]]:
        """Find the least number of steps within the budget, leave the module so, and return its precisions too."""
        steps = self._steps(order)
        points: dict[int, CurvePoint] = {}

        def point(raised: int) -> CurvePoint:
            if raised not in points:
                progress(f"mixture with {raised} of {len(steps)} steps")
                self._put(steps[:raised])
                points[raised] = self._point(raised, measure)
            return points[raised]

        share = max(1, len(steps) // _CURVE_POINTS)
        grid = sorted({*range(0, len(steps), share), len(steps)})
        for raised in grid:
            point(raised)
        high = next((raised for raised in grid if point(raised).within), len(steps))
        low = max((raised for raised in grid if raised < high), default=high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if point(middle).within else (middle, high)
        chosen = self._put(steps[:high])
        curve = tuple(points[raised] for raised in sorted(points))
        names = {name: precision.name for name, precision in chosen.items()}
        return MixedPrecision(tuple(order), curve, high, point(high).within, names), chosen

    def _steps(self, order: list[LayerSensitivity]) -> list[tuple[str, Precision]]:
        """All layers to the next precision, then all to the one after it, until float32."""
        steps: list[tuple[str, Precision]] = []
        level = [(layer.name, self._plan[layer.name]) for layer in order]
        while level := [(name, higher) for name, now in level if (higher := self._higher(name, now))]:
            steps += level
        return steps

    def _put(self, steps: list[tuple[str, Precision]]) -> dict[str, Precision]:
        plan = {**self._plan, **dict(steps)}
        for name, precision in plan.items():
            put_layer(self._module, name, self._layer(name, precision))
        return plan

    def _point(self, raised: int, measure: Measure) -> CurvePoint:
        measured = measure(quick=False)
        size = sum(stored_bytes(self._module.get_submodule(name)) for name in self._plan)
        return CurvePoint(raised, size, measured.error, measured.figures, measured.within)

    def _layer(self, name: str, precision: Precision) -> nn.Module:
        if (name, precision) not in self._made:
            layer = precision.quantize(self._originals[name], self._settings, self._observed.get(name))
            self._made[name, precision] = layer
        return self._made[name, precision]

    def _higher(self, name: str, precision: Precision) -> Precision | None:
        """Return the next precision of a layer, None if it has none or the user chose."""
        return None if is_kept(name, self._settings) else precision.higher
