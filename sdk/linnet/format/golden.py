"""Golden cases: outputs recorded where a file was proven, and their comparison with outputs on any machine.

One case is a :class:`linnet.format.evidence.GoldenCase`. It passes if the outputs match those of ``forward`` or of
``forward_fused``, with activations of 8 or 7 bits: which of them runs depends on the machine, and with quantized
activations they can differ by as much as the tolerance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from linnet.errors import RunFailedError
from linnet.format.evidence import GoldenCase, GoldenOutput
from linnet.runtime import Encoding, FloatArray

__all__ = ["DEFAULT_TOLERANCE", "STORED_VALUES", "CaseResult", "compare_outputs", "compare_tokens", "make_case"]

STORED_VALUES = 64
"""How many values of each output a golden case records."""

DEFAULT_TOLERANCE = 1e-3
"""Default of the largest allowed difference, relative to the largest value of the output if that is above 1."""

_Doubles: TypeAlias = npt.NDArray[np.float64]

_DIGITS = 7  # significant digits of a stored number; float32 has 7.2


@dataclasses.dataclass(frozen=True)
class CaseResult:
    """Result of one replayed golden case.

    Attributes:
        text, pair: the input.
        problems: differences, as sentences; empty if the case passes.
        error: largest difference of an output, relative to its largest value if that is above 1; NaN if the token
            ids differ.
    """

    text: str
    pair: str | None
    problems: tuple[str, ...]
    error: float


def make_case(
    text: str, pair: str | None, encoding: Encoding, outputs: Mapping[str, FloatArray], prompt_tokens: int = 0
) -> GoldenCase:
    """Record a golden case from results of :func:`linnet.golden_replay.answer_outputs`.

    Raises:
        RunFailedError: an output contains NaN or infinity.
    """
    return GoldenCase(
        text=text,
        pair=pair,
        ids=tuple(encoding.ids.tolist()),
        type_ids=tuple(encoding.type_ids.tolist()),
        prompt_tokens=prompt_tokens,
        output={name: _record_output(name, values) for name, values in outputs.items()},
    )


def _record_output(name: str, values: FloatArray) -> GoldenOutput:
    if not np.isfinite(values).all():
        raise RunFailedError(f"output {name} has NaN or infinity; the program cannot be proven")
    record = GoldenOutput(values.shape, _rounded(values.ravel()[:STORED_VALUES]))
    if name.endswith("logits") and values.size:
        rows = values.reshape(-1, values.shape[-1])
        best = tuple(rows.argmax(axis=-1).tolist())
        record = dataclasses.replace(record, argmax=best, max=_rounded(rows.max(axis=-1)))
    return record


def _rounded(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values.tolist())


def compare_outputs(case: GoldenCase, outputs: Mapping[str, FloatArray], tolerance: float) -> CaseResult:
    """Compare outputs of :func:`linnet.golden_replay.answer_outputs` with the closest recorded method."""
    methods = (case.output, case.output_fused, case.output_seven_bits)
    results = [_compare_method(case, recorded, outputs, tolerance) for recorded in methods if recorded is not None]
    return min(results, key=lambda result: (len(result.problems), result.error))


def _compare_method(
    case: GoldenCase, recorded: Mapping[str, GoldenOutput], outputs: Mapping[str, FloatArray], tolerance: float
) -> CaseResult:
    problems: list[str] = []
    error = 0.0
    for name, expected in recorded.items():
        if name not in outputs:
            problems.append(f"there is no output {name}")
            continue
        differences, distance = _compare_output(name, expected, outputs[name], tolerance)
        problems += differences
        error = max(error, distance)
    return CaseResult(case.text, case.pair, tuple(problems), error)


def compare_tokens(case: GoldenCase, encoding: Encoding) -> list[str]:
    """Compare token ids with the recorded ones; return at most one sentence."""
    recorded = {"ids": case.ids, "type_ids": case.type_ids}
    for name, found in (("ids", encoding.ids.tolist()), ("type_ids", encoding.type_ids.tolist())):
        if found != list(recorded[name]):
            at = _first_difference(found, recorded[name])
            now, then = found[at : at + 5], list(recorded[name][at : at + 5])
            return [f"{name} differ from token {at} on: {now}, recorded {then}"]
    return []


def _first_difference(left: Sequence[int], right: Sequence[int]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))


def _compare_output(name: str, expected: GoldenOutput, found: FloatArray, tolerance: float) -> tuple[list[str], float]:
    if found.shape != expected.shape:
        return [f"{name} has the shape {list(found.shape)}, recorded {list(expected.shape)}"], float("nan")
    recorded = np.asarray(expected.values, dtype=np.float64)
    measured = found.ravel()[: len(recorded)].astype(np.float64)
    best = _recorded_best(expected, found)
    everything = np.concatenate([recorded, best[0]])
    differences = np.abs(np.concatenate([measured, best[1]]) - everything)
    scale = max(1.0, float(np.abs(everything).max(initial=0.0)))
    error = float(differences.max(initial=0.0)) / scale
    problems = []
    if not error <= tolerance:  # NaN too
        problems.append(f"{name} is off by {error:.3g} of its largest value, at most {tolerance:.3g} allowed")
    # twice the tolerance, since each of the two compared values may be off by it
    problems += _compare_argmax(name, expected, found, 2 * tolerance * scale)
    return problems, error


def _recorded_best(expected: GoldenOutput, found: FloatArray) -> tuple[_Doubles, _Doubles]:
    """Return the recorded maximum of each row, and the value at the same position now."""
    if expected.argmax is None:
        return np.empty(0), np.empty(0)
    rows = found.reshape(-1, found.shape[-1])
    places = np.asarray(expected.argmax, dtype=np.int64)
    now = rows[np.arange(len(rows)), places].astype(np.float64)
    return np.asarray(expected.max, dtype=np.float64), now


def _compare_argmax(name: str, expected: GoldenOutput, found: FloatArray, slack: float) -> list[str]:
    """Compare the position of the largest value of each row.

    Another position counts as a difference only if its value exceeds the one at the recorded position by more than
    ``slack``, which rounding can explain.
    """
    if expected.argmax is None:
        return []
    rows = found.reshape(-1, found.shape[-1])
    places = np.asarray(expected.argmax, dtype=np.int64)
    lead = rows.max(axis=-1) - rows[np.arange(len(rows)), places]
    wrong = np.flatnonzero(~(lead <= slack)).tolist()
    if not wrong:
        return []
    row = wrong[0]
    return [
        f"{name} has its largest value at {int(rows[row].argmax())} instead of {int(places[row])} "
        f"in {len(wrong)} of {len(rows)} rows"
    ]
