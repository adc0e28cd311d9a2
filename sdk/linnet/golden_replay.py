"""Replay of the golden cases of a file on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from linnet.errors import CallerError, LinnetError, TrailerDamagedError
from linnet.format.evidence import GoldenCase
from linnet.format.golden import DEFAULT_TOLERANCE, CaseResult, compare_outputs, compare_tokens
from linnet.model import Model
from linnet.runtime import Encoding, FloatArray, IntArray
from linnet.tasks import get_task
from linnet.tasks.feature_extraction import choose_prompt

__all__ = [
    "TALLEST_TILE",
    "GivenIds",
    "answer_outputs",
    "replay_case",
    "replay_evidence",
    "rerun_evidence",
    "stored_cases",
]

TALLEST_TILE = 16
"""Largest number of rows (tokens) that a matrix kernel of XNNPACK computes at once.

It is 16 with AMX and with SME vectors of 512 bits, and smaller on every other processor (``mr`` in XNNPACK's
src/configs/gemm-config.c). A text of more tokens needs a full tile and a partial one.
"""


def answer_outputs(
    model: Model, text: str, pair: str | None, prompt_tokens: int = 0
) -> tuple[Encoding, dict[str, FloatArray]]:
    """Tokenize and run one text, as the proof and the replay of golden cases do.

    Returns:
        The encoding, and the outputs without the batch axis; for fill-mask only the rows of the mask tokens.
    """
    encoding = model.tokenize(text, pair)
    return encoding, _outputs(model, encoding, prompt_tokens)


def _outputs(model: Model, encoding: Encoding, prompt_tokens: int) -> dict[str, FloatArray]:
    outputs = model.run(encoding, prompt_tokens=prompt_tokens)
    positions = get_task(model.manifest.task).counted_positions(model.manifest, encoding.ids.tolist())
    return outputs if positions is None else {name: rows[positions] for name, rows in outputs.items()}


def replay_evidence(model: Model) -> list[CaseResult]:
    """Replay every golden case of a file.

    Raises:
        TrailerDamagedError: the golden cases of the evidence have an invalid form.
    """
    with _well_formed():
        cases, tolerance = stored_cases(model)
        return [replay_case(model, case, tolerance) for case in cases]


def rerun_evidence(model: Model) -> list[CaseResult]:
    """Run the recorded token ids of the fewest golden cases that use every kernel, without the tokenizer.

    These are the shortest case, and the shortest of more than :data:`TALLEST_TILE` tokens, or else the longest.

    Raises:
        TrailerDamagedError: the golden cases of the evidence have an invalid form.
    """
    with _well_formed():
        cases, tolerance = stored_cases(model)
        cases.sort(key=lambda case: len(case.ids))
        tall = next((case for case in cases if len(case.ids) > TALLEST_TILE), cases[-1] if cases else None)
        chosen = [case for case in cases[:1] if case is not tall] + ([] if tall is None else [tall])
        outputs = [_outputs(model, GivenIds(case.ids, case.type_ids), case.prompt_tokens) for case in chosen]
        return [compare_outputs(case, found, tolerance) for case, found in zip(chosen, outputs, strict=True)]


def stored_cases(model: Model) -> tuple[list[GoldenCase], float]:
    """Return the golden cases of a file, and the largest difference that its evidence allows.

    Raises:
        TrailerDamagedError: the golden cases or the tolerance do not fit :class:`linnet.format.evidence.Evidence`.
    """
    evidence = model.evidence
    evidence.require("golden", "tolerance")
    tolerance = evidence.tolerance.absolute
    return list(evidence.golden), DEFAULT_TOLERANCE if tolerance is None else tolerance


@contextlib.contextmanager
def _well_formed() -> Iterator[None]:
    try:
        yield
    except (CallerError, ValueError) as error:
        if isinstance(error, LinnetError) and not isinstance(error, CallerError):
            raise
        raise TrailerDamagedError(
            f"the golden cases of the evidence have a wrong form ({error!r}); export the file again"
        ) from error


class GivenIds:
    """Encoding of token ids without their text: those of a golden case, or of a client that tokenized itself."""

    truncated = False

    def __init__(self, ids: npt.ArrayLike, type_ids: npt.ArrayLike) -> None:
        self.ids, self.type_ids = (np.asarray(given, dtype=np.int64) for given in (ids, type_ids))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        return self.type_ids.astype(np.int32)

    @property
    def offsets(self) -> IntArray:
        return np.zeros((len(self), 2), dtype=np.int64)


def replay_case(model: Model, case: GoldenCase, tolerance: float) -> CaseResult:
    """Run one golden case and return the differences from its recorded tokens and outputs."""
    prompt = choose_prompt(model.manifest, None, None)
    encoding, outputs = answer_outputs(model, case.text, case.pair, model.prompt_tokens(prompt))
    problems = compare_tokens(case, encoding)
    if problems:
        return CaseResult(case.text, case.pair, tuple(problems), float("nan"))
    return compare_outputs(case, outputs, tolerance)
