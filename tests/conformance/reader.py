"""Reads cases.tsv and compares what the Python SDK answers; README.md beside it describes the records."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.format.manifest import Manifest, RawValue
from linnet.masking import Masker
from linnet.masking.span import spans_of
from linnet.model import Model
from linnet.runtime import FloatArray, core
from tests.support.generating_fake import GeneratingFake
from tests.support.sdk_fakes import FakeRuntime

__all__ = ["CASES", "VERSION", "Line", "Reader", "read_lines"]

VERSION = 1
CASES = Path(__file__).parent / "cases.tsv"
RESULTS = frozenset({"window", "class", "entity", "proposal", "span", "completion", "finding"})
Line = Sequence[str | None]
_MEANINGS = {"t": "\t", "n": "\n", "r": "\r", "0": "\0"}


def read_lines(path: Path) -> list[list[str | None]]:
    """Return the records of a file."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [[_unescape(cell) for cell in line.split("\t")] for line in lines if line and not line.startswith("#")]


def _unescape(text: str) -> str | None:
    if text == "\\-":
        return None
    return re.sub(r"\\(.)", lambda found: _MEANINGS.get(found[1], found[1]), text)


def _numbers(text: str | None) -> list[int]:
    return [int(number) for number in (text or "").split()]


def _near(found: float, expected: str | float | None) -> bool:
    return found == pytest.approx(float(expected or 0), rel=2e-5, abs=1e-6)


class Reader:
    """Goes through the records.

    Attributes:
        passed, failed: number of cases by kind.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = list(lines)
        self._fields: dict[str, RawValue] = {}
        self._base: dict[str, RawValue] = {}
        self._inputs: list[list[int]] = []
        self._outputs: list[FloatArray] = []
        self.passed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def run(self) -> Reader:
        """Read all records, and return this reader."""
        at = 0
        while at < len(self._lines):
            line = self._lines[at]
            end = at + 1
            while end < len(self._lines) and self._lines[end][0] in RESULTS:
                end += 1
            self._read(line, self._lines[at + 1 : end])
            at = end
        return self

    def _read(self, line: Line, expected: Sequence[Line]) -> None:
        match line:
            case ["version", version]:
                assert version == str(VERSION)
            case ["clear"]:
                self._fields = {}
            case ["field", str() as name, kind, str() as value]:
                self._fields[name] = _value(kind, value)
            case ["drop", str() as name]:
                self._fields.pop(name, None)
            case ["manifest"]:
                self._base = dict(self._fields)
            case ["input", data]:
                self._inputs.append(_numbers(data))
            case ["output", shape, data]:
                values = np.array((data or "").split(), dtype=np.float32)
                self._outputs.append(values.reshape(_numbers(shape)))
            case _:
                self._case(line, expected)

    def _case(self, line: Line, expected: Sequence[Line]) -> None:
        kind = str(line[0])
        right = _CASES[kind](self, line, expected) and not self._outputs
        (self.passed if right else self.failed)[kind] += 1
        self._inputs, self._outputs = [], []

    def _model(self) -> Model:
        manifest = Manifest.from_raw(self._base)
        if manifest.task == "question-answering":  # the SDK runs short windows first
            pairs = sorted(zip(self._outputs[::2], self._outputs[1::2], strict=True), key=lambda pair: pair[0].size)
            self._outputs = [output for pair in pairs for output in pair]

        def program(ids: Any, types: Any) -> list[FloatArray]:
            return [self._outputs.pop(0)[0] for _ in manifest.outputs]

        return Model(FakeRuntime(manifest, program))

    # -- kinds ---------------------------------------------------------------------------------

    def _verdict(self, line: Line, _: Sequence[Line]) -> bool:
        found = "LINNET_OK"
        try:
            Manifest.from_raw(self._fields)
        except LinnetError as error:
            found = error.status_name
        self._fields = dict(self._base)
        return found == line[1]

    def _tokenize(self, line: Line, expected: Sequence[Line]) -> bool:
        _, text, pair, max_length, strategy, stride = line
        windows = self._model().tokenizer.encode(
            text or "", pair, max_length=int(max_length or 0), truncation=str(strategy), stride=int(stride or 0)
        )
        found = [(window.truncated, *(array.ravel().tolist() for array in _arrays(window))) for window in windows]
        return found == [(row[1] == "1", *map(_numbers, row[2:])) for row in expected]

    def _classify(self, line: Line, expected: Sequence[Line]) -> bool:
        _, text, pair, top_k, function = line
        given: Any = text if pair is None else (text, pair)
        found = _quietly(lambda: self._model()(given, top_k=int(top_k or 0) or None, function_to_apply=function))
        return len(found) == len(expected) and all(
            answer["label"] == row[1] and _near(answer["score"], row[2])
            for answer, row in zip(found, expected, strict=True)
        )

    def _entities(self, line: Line, expected: Sequence[Line]) -> bool:
        _, text, strategy, ignored = line
        found = _quietly(lambda: self._model()(text, aggregation_strategy=strategy, ignore_labels=[ignored]))
        label = "entity" if strategy == "none" else "entity_group"
        return len(found) == len(expected) and all(
            [entity[label], entity["word"], str(entity["start"]), str(entity["end"])] == [row[1], *row[3:6]]
            and _near(entity["score"], row[2])
            for entity, row in zip(found, expected, strict=True)
        )

    def _fill_mask(self, line: Line, expected: Sequence[Line]) -> bool:
        _, text, top_k, targets = line
        found = self._model()(text, top_k=int(top_k or 0), targets=targets.split() if targets else None)
        flat = [proposal for group in found for proposal in group] if isinstance(found[0], list) else found
        return len(flat) == len(expected) and all(
            [str(proposal["token"]), proposal["token_str"], proposal["sequence"]] == [row[2], *row[4:]]
            and _near(proposal["score"], row[3])
            for proposal, row in zip(flat, expected, strict=True)
        )

    def _answer(self, line: Line, expected: Sequence[Line]) -> bool:
        _, question, context, *numbers = line
        top_k, longest, length, stride, empty, align = (int(number or 0) for number in numbers)
        found = self._model()(
            question=question,
            context=context,
            top_k=top_k,
            max_answer_len=longest,
            max_seq_len=length or None,
            doc_stride=None if stride == -1 else stride,
            handle_impossible_answer=bool(empty),
            align_to_words=bool(align),
        )
        found = found if isinstance(found, list) else [found]
        return len(found) == len(expected) and all(
            [str(answer["start"]), str(answer["end"]), answer["answer"]] == [row[2], row[3], row[6]]
            and _near(answer["score"], row[1])
            for answer, row in zip(found, expected, strict=True)
        )

    def _score(self, line: Line, _: Sequence[Line]) -> bool:
        return _near(float(self._model().predict([(line[1], line[2])])[0]), line[3])

    def _embed(self, line: Line, _: Sequence[Line]) -> bool:
        model = self._model()
        found = _quietly(lambda: model.encode(line[1], normalize_embeddings=line[2] == "1"))
        assert isinstance(model._runtime, FakeRuntime)
        given = [array[0].tolist() for array in model._runtime.given.values()]
        return (not self._inputs or given == self._inputs) and all(map(_near, found.tolist(), str(line[3]).split()))

    def _stream(self, line: Line, _: Sequence[Line]) -> bool:
        skip, ids, text, sizes = line[1:]
        stream = self._model().tokenizer.stream(skip_special=skip == "1")
        pieces = [*(stream.push(token) for token in _numbers(ids)), stream.finish()]
        return "".join(pieces) == text and (sizes is None or [len(each.encode()) for each in pieces] == _numbers(sizes))

    def _chat(self, line: Line, _: Sequence[Line]) -> bool:
        generation, prompt, *cells = map(str, line[1:])
        messages = list(zip(cells[::2], cells[1::2], strict=True))
        return self._model()._session.task.chat_prompt(messages, generation == "1") == prompt

    def _generate(self, line: Line, expected: Sequence[Line]) -> bool:
        runtime = GeneratingFake(Manifest.from_raw(self._base), self._outputs)
        found = Model(runtime).generate(
            [{"role": "user", "content": str(line[1])}] if line[2] == "1" else str(line[1]),
            **{name: kind(cell) for (name, kind), cell in zip(_OPTIONS.items(), line[3:12], strict=True) if cell},
            stop_strings=[line[12]] if line[12] else [],
            **_constraint(line[13:]),
        )
        reason, prompt_tokens, ids, logarithms, text = expected[0][1:]
        same = [found.finish_reason, str(found.prompt_tokens), list(found.ids)] == [
            reason,
            prompt_tokens,
            _numbers(ids),
        ]
        near = all(map(_near, found.log_probabilities, (logarithms or "").split()))
        return same and near and found.text == text and runtime.ran == self._inputs[0]

    def _mask(self, line: Line, expected: Sequence[Line]) -> bool:
        types, mode, given, masked = (str(cell or "") for cell in (line[1], line[2], line[4], line[5]))
        text = str(line[3])
        places = [(row[0], *map(int, row[1:3]), float(row[3]), int(row[4])) for row in _rows(given)]
        state = core().MaskSession()
        found, rows = core().Masker(types.split()).mask(text, places, mode, state)
        spans = [
            [span.type, text[span.start : span.end], span.source, str(span.start), str(span.end)]
            for span in spans_of(rows)
        ]
        stream = state.stream()
        plain = "".join(map(stream.push, found)) + stream.finish()
        loaded = core().MaskSession.load(bytes(16), state.save(bytes(16)))
        same = mode != "pseudonym" or [state.unmask(found), plain, loaded.unmask(found)] == 3 * [text]
        if not given and mode != "pseudonym":  # the package itself takes no places
            same = same and Masker(types.split() or None, mode=mode).mask(text).text == found
        return same and found == masked and spans == [list(row[1:6]) for row in expected]


def _rows(text: str) -> list[list[str]]:
    """Return lists of five words."""
    words = text.split()
    return [words[at : at + 5] for at in range(0, len(words), 5)]


def _constraint(cells: Line) -> dict[str, Any]:
    if not cells:
        return {}
    return {str(cells[0]): list(cells[1:]) if cells[0] == "choices" else cells[1]}


_OPTIONS: dict[str, Callable[[str], Any]] = {
    "max_new_tokens": int, "temperature": float, "top_k": int, "top_p": float, "min_p": float,
    "repetition_penalty": float, "presence_penalty": float, "frequency_penalty": float, "seed": int,
}  # fmt: skip


def _value(kind: str | None, text: str) -> RawValue:
    readers: dict[str | None, Callable[[str], RawValue]] = {
        "int": int,
        "bool": lambda word: word == "1",
        "float": float,
        "bytes": bytes.fromhex,
        "str": str,
    }
    return readers[kind](text)


def _arrays(window: Any) -> list[Any]:
    return [
        window.ids,
        window.type_ids,
        window.sequence_ids,
        window.offsets,
        window.offsets_utf8,
        window.offsets_utf16,
    ]


def _quietly(call: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


_CASES: dict[str, Callable[[Reader, Line, Sequence[Line]], bool]] = {
    "verdict": Reader._verdict,
    "tokenize": Reader._tokenize,
    "classify": Reader._classify,
    "entities": Reader._entities,
    "fill_mask": Reader._fill_mask,
    "answer": Reader._answer,
    "score": Reader._score,
    "embed": Reader._embed,
    "stream": Reader._stream,
    "chat": Reader._chat,
    "generate": Reader._generate,
    "mask": Reader._mask,
}
