"""Golden cases: what a proven file answered where it was proven, to be repeated on any machine.

One case is a :class:`linnet.format.evidence.GoldenCase`. It is repeated if the answer is that of ``forward`` or of
``forward_fused``: which of them runs is up to the machine, and quantized activations make them differ by as much as
the tolerance.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from linnet.errors import LinnetError, RunFailedError, TrailerDamagedError
from linnet.format.evidence import GoldenCase, GoldenOutput
from linnet.model import Model
from linnet.runtime import Encoding, FloatArray, IntArray

__all__ = [
    "DEFAULT_TOLERANCE",
    "STORED_VALUES",
    "TALLEST_TILE",
    "CaseResult",
    "answer_outputs",
    "compare_outputs",
    "make_case",
    "record_case",
    "replay_case",
    "replay_evidence",
    "rerun_evidence",
    "stored_cases",
]

STORED_VALUES = 64
"""Numbers of each output that a case keeps."""

DEFAULT_TOLERANCE = 1e-3
"""Largest difference, relative to the output's largest value if that is above 1; the evidence may differ."""

TALLEST_TILE = 16
"""Rows (tokens) that XNNPACK's tallest matrix kernels compute at once: 16 with AMX and with SME's vectors of 512 bits,
less on every other processor (``mr`` in its src/configs/gemm-config.c). One token more is a whole tile and a rest.
"""

_Doubles: TypeAlias = npt.NDArray[np.float64]

_DIGITS = 7  # significant digits of a stored number; float32 has 7.2


@dataclasses.dataclass(frozen=True)
class CaseResult:
    """One replayed case.

    Attributes:
        text, pair: its input.
        problems: what differs, as sentences; empty if nothing does.
        error: largest difference of an output relative to its largest value; NaN if the ids differ.
    """

    text: str
    pair: str | None
    problems: tuple[str, ...]
    error: float


def answer_outputs(model: Model, text: str, pair: str | None) -> tuple[Encoding, dict[str, FloatArray]]:
    """Tokenize and run one text as proof and replay do.

    Returns:
        The encoding, and the outputs without the batch axis; for fill-mask the rows of the mask tokens.
    """
    encoding = model.tokenize(text, pair)
    return encoding, _outputs(model, encoding)


def _outputs(model: Model, encoding: Encoding) -> dict[str, FloatArray]:
    outputs = model.run(encoding)
    if model.manifest.task == "fill-mask":
        masks = encoding.ids == model.manifest.mask_id
        outputs = {name: rows[masks] for name, rows in outputs.items()}
    return outputs


def record_case(model: Model, text: str, pair: str | None = None) -> GoldenCase:
    """Run one text and return its golden case; the file's default prompt is put before the text.

    Raises:
        RunFailedError: an output has NaN or infinity.
    """
    prompted = _default_prompt(model) + text
    encoding, outputs = answer_outputs(model, prompted, pair)
    return make_case(prompted, pair, encoding, outputs)


def make_case(text: str, pair: str | None, encoding: Encoding, outputs: Mapping[str, FloatArray]) -> GoldenCase:
    """Return the golden case of an answer of :func:`answer_outputs`.

    Raises:
        RunFailedError: an output has NaN or infinity.
    """
    return GoldenCase(
        text=text,
        pair=pair,
        ids=tuple(encoding.ids.tolist()),
        type_ids=tuple(encoding.type_ids.tolist()),
        output={name: _record_output(name, values) for name, values in outputs.items()},
    )


def _default_prompt(model: Model) -> str:
    from linnet.tasks.feature_extraction import choose_prompt

    return choose_prompt(model.manifest, None, None)


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


def replay_evidence(model: Model) -> list[CaseResult]:
    """Replay every golden case of the file's evidence.

    Raises:
        TrailerDamagedError: the evidence has not the form above.
    """
    with _well_formed():
        cases, tolerance = stored_cases(model)
        return [replay_case(model, case, tolerance) for case in cases]


def rerun_evidence(model: Model) -> list[CaseResult]:
    """Run the recorded token ids of the fewest golden cases that need every kernel, without the tokenizer.

    These are the shortest case and the shortest of more than :data:`TALLEST_TILE` tokens, or the longest.

    Raises:
        TrailerDamagedError: the evidence has not the form above.
    """
    with _well_formed():
        cases, tolerance = stored_cases(model)
        cases.sort(key=lambda case: len(case.ids))
        tall = next((case for case in cases if len(case.ids) > TALLEST_TILE), cases[-1] if cases else None)
        chosen = [case for case in cases[:1] if case is not tall] + ([] if tall is None else [tall])
        return [_rerun_case(model, case, tolerance) for case in chosen]


def stored_cases(model: Model) -> tuple[list[GoldenCase], float]:
    """Return the golden cases of the file's evidence, and the largest difference that it allows.

    Raises:
        TrailerDamagedError: the evidence has not the form of :class:`linnet.format.evidence.Evidence` there.
    """
    evidence = model.evidence
    evidence.require("golden", "tolerance")
    tolerance = evidence.tolerance.absolute
    return list(evidence.golden), DEFAULT_TOLERANCE if tolerance is None else tolerance


@contextlib.contextmanager
def _well_formed() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if isinstance(error, LinnetError):
            raise
        raise TrailerDamagedError(
            f"the golden cases of the evidence have a wrong form ({error!r}); export the file again"
        ) from error


class _RecordedEncoding:
    """The token ids of a golden case, as the program takes them."""

    truncated = False

    def __init__(self, case: GoldenCase) -> None:
        self.ids, self.type_ids = (np.asarray(ids, dtype=np.int64) for ids in (case.ids, case.type_ids))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        return self.type_ids.astype(np.int32)

    @property
    def offsets(self) -> IntArray:
        return np.zeros((len(self), 2), dtype=np.int64)


def _rerun_case(model: Model, case: GoldenCase, tolerance: float) -> CaseResult:
    return compare_outputs(case, _outputs(model, _RecordedEncoding(case)), tolerance)


def replay_case(model: Model, case: GoldenCase, tolerance: float) -> CaseResult:
    """Run one golden case and say what differs."""
    encoding, outputs = answer_outputs(model, case.text, case.pair)
    problems = _compare_tokens(case, encoding)
    if problems:
        return CaseResult(case.text, case.pair, tuple(problems), float("nan"))
    return compare_outputs(case, outputs, tolerance)


def compare_outputs(case: GoldenCase, outputs: Mapping[str, FloatArray], tolerance: float) -> CaseResult:
    """Say where outputs, as those of :func:`answer_outputs`, differ from the recorded ones of the nearest method."""
    methods = [case.output] if case.output_fused is None else [case.output, case.output_fused]
    results = [_compare_method(case, recorded, outputs, tolerance) for recorded in methods]
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
        found, distance = _compare_output(name, expected, outputs[name], tolerance)
        problems += found
        error = max(error, distance)
    return CaseResult(case.text, case.pair, tuple(problems), error)


def _compare_tokens(case: GoldenCase, encoding: Encoding) -> list[str]:
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
    problems += _compare_argmax(name, expected, found, 2 * tolerance * scale)
    return problems, error


def _recorded_best(expected: GoldenOutput, found: FloatArray) -> tuple[_Doubles, _Doubles]:
    """The recorded maximum of each row, and what stands at its place now."""
    if expected.argmax is None:
        return np.empty(0), np.empty(0)
    rows = found.reshape(-1, found.shape[-1])
    places = np.asarray(expected.argmax, dtype=np.int64)
    now = rows[np.arange(len(rows)), places].astype(np.float64)
    return np.asarray(expected.max, dtype=np.float64), now


def _compare_argmax(name: str, expected: GoldenOutput, found: FloatArray, slack: float) -> list[str]:
    """Another winner is a difference only where it wins by more than rounding explains."""
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
