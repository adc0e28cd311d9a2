"""Jobs for the C runner, and the check of its answers: the runner knows neither tokenizers nor golden cases.

The form of a job file is in ``runtime_bindings/runner/job.h``.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linnet.cli.console import shorten
from linnet.errors import DeviceError
from linnet.format.evidence import GoldenCase
from linnet.format.golden import compare_outputs
from linnet.golden_replay import stored_cases
from linnet.model import Model
from linnet.runtime import FloatArray, Runtime, open_runtime
from linnet.tasks import get_task
from linnet_bench.measure.decoder import decodes, longest_input, prompts
from linnet_bench.measure.probe import clip_lengths, forward_inputs
from linnet_bench.record.record import OutputCheck

__all__ = ["RunnerJob", "prepare_job"]

_PROMPTS = 8  # of each length of a decoder, which take turns


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunnerJob:
    """A job and the data to check its answers.

    Attributes:
        text: text of the job file.
        cases: golden cases, in the order of the job.
        rows: for each case, which rows of its outputs the runner writes; None: all.
        outputs: their names, in the order of the program.
        tolerance: tolerance of the file's evidence.
        decoder: the runner writes, for each token of a case, the largest logit and the one at the recorded place.
    """

    text: str
    cases: Sequence[GoldenCase]
    rows: Sequence[Sequence[int] | None]
    outputs: Sequence[str]
    tolerance: float
    decoder: bool = False

    def judge(self, answers: Mapping[int, Sequence[Mapping[str, Any]]], before: OutputCheck | None) -> OutputCheck:
        """Compare the answers to all cases with the recorded ones.

        Args:
            answers: by the number of the case, each output with ``shape`` and ``values``.
            before: the check before the timing; None if this is that check.

        Raises:
            DeviceError: an answer is missing.
        """
        if not self.cases:
            message = "the file has no golden cases (it is unproven), so no answer was checked"
            return OutputCheck(cases=0, before=True, after=None if before is None else True, message=message)
        problems = []
        for number, case in enumerate(self.cases):
            if len(answers.get(number, ())) != len(self.outputs):
                raise DeviceError(f"the C runner gave no answer to golden case {number}; is it another version?")
            arrays = self._logits(case, answers[number]) if self.decoder else self._arrays(number, answers[number])
            result = compare_outputs(case, arrays, self.tolerance)
            problems += [f"{shorten(case.text, 40)!r}: {result.problems[0]}"] if result.problems else []
        message = f"{len(problems)} of {len(self.cases)} golden cases differ, first {problems[0]}" if problems else ""
        if before is None:
            return OutputCheck(cases=len(self.cases), before=not problems, after=None, message=message)
        return dataclasses.replace(before, after=not problems, message=message)

    def _arrays(self, number: int, told: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
        """Return the outputs as float32 arrays without the batch axis, only with the requested rows."""
        rows = self.rows[number]
        arrays = {}
        for name, output in zip(self.outputs, told, strict=True):
            # JSON has no NaN; the runner writes null
            values = np.array([np.nan if value is None else value for value in output["values"]], dtype=np.float32)
            shape = output["shape"][1:] if rows is None else [len(rows), *output["shape"][2:]]
            if int(np.prod(shape)) != values.size:
                raise DeviceError(f"the C runner told {values.size} numbers of {name}, expected the shape {shape}")
            arrays[name] = values.reshape(shape)
        return arrays

    def _logits(self, case: GoldenCase, told: Sequence[Mapping[str, Any]]) -> dict[str, FloatArray]:
        """Return logits with what is compared of them, minus infinity elsewhere: float32 [tokens, vocabulary]."""
        (output,), (name,) = told, self.outputs
        logits = np.full(output["shape"], -np.inf, dtype=np.float32)
        if len(logits) != len(output["rows"]):
            raise DeviceError(f"the C runner told {len(output['rows'])} rows of {name}, expected {len(logits)}")
        places = _places(case, name)
        for row, (best, most, recorded) in enumerate(output["rows"]):
            # JSON has no NaN; the runner writes null
            logits[row, places[row]] = np.nan if recorded is None else recorded
            logits[row, best] = np.nan if most is None else most
        first = [np.nan if value is None else value for value in output["values"]]
        logits.ravel()[: len(first)] = first
        return {name: logits}


def _places(case: GoldenCase, name: str) -> Sequence[int]:
    """Return the recorded likeliest token behind each token of a case."""
    return case.output[name].argmax or (0,) * len(case.ids)


def prepare_job(path: Path, lengths: Sequence[int]) -> tuple[RunnerJob, tuple[int, ...]]:
    """Return the job of a file and its input lengths after clipping.

    Args:
        path: path of the file, which is opened here for its tokenizer, manifest and evidence.
        lengths: tokens, before clipping to the file's limit.

    Raises:
        LinnetError: the file cannot be opened, or its tokenizer is not installed.
    """
    runtime = open_runtime(str(path), 0)
    model = Model(runtime, path=str(path))
    if decodes(model):
        return _decoder_job(model, lengths)
    clipped = clip_lengths(lengths, model.manifest.max_length)
    lines = [f"linnet-bench-job 1 {len(model.manifest.inputs)}", *_lengths(model, runtime, clipped)]
    cases, tolerance = stored_cases(model)
    task = get_task(model.manifest.task)
    rows = [task.counted_positions(model.manifest, case.ids) for case in cases]
    lines += [_case(model, case, which) for case, which in zip(cases, rows, strict=True)]
    job = RunnerJob(
        text="\n".join(lines) + "\n", cases=cases, rows=rows, outputs=model.manifest.outputs, tolerance=tolerance
    )
    return job, clipped


def _decoder_job(model: Model, lengths: Sequence[int]) -> tuple[RunnerJob, tuple[int, ...]]:
    clipped = clip_lengths(lengths, longest_input(model.manifest.task, model.manifest.max_length))
    lines = ["linnet-bench-job 1 1"]
    for tokens in clipped:
        for ids in itertools.islice(prompts(model, tokens), _PROMPTS):
            lines.append(" ".join(map(str, ["length", tokens, *ids])))
    cases, tolerance = stored_cases(model)
    (name,) = model.manifest.outputs
    lines += [
        " ".join(map(str, ["case", len(case.ids), *case.ids, len(case.ids), *_places(case, name)])) for case in cases
    ]
    job = RunnerJob(
        text="\n".join(lines) + "\n", cases=cases, rows=[None] * len(cases), outputs=(name,), tolerance=tolerance,
        decoder=True,
    )  # fmt: skip
    return job, clipped


def _lengths(model: Model, runtime: Runtime, lengths: Iterable[int]) -> Iterable[str]:
    for tokens in lengths:
        arrays = forward_inputs(model, runtime, tokens)
        yield " ".join(["length", str(tokens), *(str(value) for array in arrays for value in array.ravel().tolist())])


def _case(model: Model, case: GoldenCase, rows: Sequence[int] | None) -> str:
    pooled = [int(place >= case.prompt_tokens) for place in range(len(case.ids))]
    arrays = {"input_ids": case.ids, "token_type_ids": case.type_ids, "pooling_mask": pooled}
    values = [value for name in model.manifest.inputs for value in arrays[name]]
    told = [-1] if rows is None else [len(rows), *rows]
    return " ".join(map(str, ["case", len(case.ids), *values, *told]))
