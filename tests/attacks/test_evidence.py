"""Evidence that somebody edited, with the hashes computed again: every reader answers, or says TrailerDamagedError."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.cli.main import main
from linnet.errors import FileError, TrailerDamagedError
from linnet.format.bounded_json import MOST_BYTES, parse_json
from linnet.format.evidence import Evidence
from linnet.format.trailer import read_trailer
from linnet.golden_replay import replay_evidence
from linnet_export.explain import Latency, explain_page, read_facts
from tests.support.hostile_files import shipped_parts, take_apart, with_evidence

OLD_FILES = Path(__file__).parents[1] / "linnet" / "format" / "old_files"
UNSIGNED = sorted(path for path in OLD_FILES.glob("*.pte") if "signed" not in path.stem)

HOSTILE: tuple[object, ...] = (
    *(None, True, "", "x" * 9999, [], {}, [[]], {"": {}}, -1, 2**31, 2**53, 2**70, 10**400, -(10**400)),
    *(1e308, -1e308, 1e-320, 0, [10**6], [-1] * 3, ["a"], [1e300], "\x1b[2J", "\u202e", {"logits": 3}),
)
WORDS: tuple[bytes, ...] = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b'"\\ud800"', b"[" * 50 + b"]" * 50)


def read_everything(path: Path) -> None:
    """Use the evidence in every way that there is."""
    with linnet.load(path, self_test=True) as model:
        replay_evidence(model)
    read_trailer(path)
    explain_page(read_facts(path), Latency(None, "not measured."))
    for command in ("inspect", "verify"):
        assert main([command, str(path), "--json"]) in (0, 1, 3)
        assert main([command, str(path)]) in (0, 1, 3)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every kind of value: of a list, the first item only."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, entry in items:
        yield from places(entry, (*path, key))


def changed(document: object, path: tuple[Any, ...], value: object) -> object:
    if not path:
        return value
    assert isinstance(document, dict | list)
    copy: Any = document.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


def evidence_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(take_apart(path).evidence)
    return document


@pytest.fixture
def judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Path, object], None]:
    """Check that a file with this evidence is answered, or refused as a file."""
    parts = {path: take_apart(path) for path in UNSIGNED}
    target = tmp_path / "edited.pte"

    def judge(path: Path, evidence: object) -> None:
        target.write_bytes(with_evidence(parts[path], evidence))
        with contextlib.suppress(FileError):
            read_everything(target)
        said = capsys.readouterr()
        assert "defect" not in said.err
        assert "NaN" not in said.out
        assert "Infinity" not in said.out

    return judge


SMALLEST = next(path for path in UNSIGNED if "tagging" in path.stem)  # mixed precision too: the most kinds of values


def pruned(value: object) -> Any:
    """Return a document with one item of each list of objects: all kinds of values, and quickly read."""
    if isinstance(value, dict):
        return {key: pruned(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [pruned(entry) for entry in (value[:1] if value and isinstance(value[0], dict | list) else value)]
    return value


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
def test_no_value_of_a_field_crashes_a_reader(value: object) -> None:
    """Every kind of field of the evidence, one after the other, without the file around it."""
    document = pruned(evidence_of(SMALLEST))
    for path in places(document):
        if not path or path == ("schema",):
            continue
        evidence = Evidence.from_json(parse_json_of(changed(document, path, value)))
        for case in evidence.golden:
            assert len(case.ids) == len(case.type_ids)
            for output in case.output.values():
                assert output.argmax is None or max(output.argmax) < output.shape[-1]


def parse_json_of(document: object) -> object:
    """Pass a document through the parser; one that it refuses is empty evidence."""
    try:
        return parse_json(json.dumps(document))
    except ValueError:
        return {}


@pytest.mark.parametrize("file", UNSIGNED, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("golden", 0, "output", "*", "argmax"), [1000000]),
        (("golden", 0, "output", "*", "argmax"), [2**70]),
        (("golden", 0, "output", "*", "argmax"), [-1]),
        (("golden", 0, "output", "*", "shape"), [10**9, 10**9]),
        (("golden", 0, "output", "*", "values"), [0.0] * 10**5),
        (("golden", 0, "output", "*", "values"), []),
        (("golden", 0, "ids"), [10**6, 5]),
        (("golden", 0, "ids"), [1] * 10000),
        (("golden", 0, "ids"), []),
        (("golden", 0, "text"), "word " * 5000),
        (("golden", 0, "pair"), "word " * 5000),
        (("golden", 0, "output"), {}),
        (("tolerance",), {"absolute": 10**400}),
        (("tolerance",), {"absolute": -1}),
        (("report",), {"layers": [["a"] * 5], "file_bytes": -5, "max_length": 2**60}),
        (("places",), {"forward": [{"partition": [{"layer": "a", "operators": ["x"] * 10**5}]}]}),
        (("details",), {"steps": {"forward": [{"partition": 2**53 - 1, "operators": {"a": 2**53 - 1}}]}}),
        (("schema",), "9.0"),
        (("schema",), 3),
        (("proof",), {"agreement": 1e308, "texts": 2**53 - 1}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_whole_of_linnet_survives(
    file: Path, path: tuple[Any, ...], value: object, judge: Callable[[Path, object], None]
) -> None:
    document = evidence_of(file)
    if document.get("golden"):
        outputs = document["golden"][0]["output"]
        path = tuple(next(iter(outputs)) if key == "*" else key for key in path)
    elif path[0] == "golden":
        pytest.skip("no golden cases")
    judge(file, changed(document, path, value))


@pytest.mark.parametrize("other", UNSIGNED, ids=lambda path: path.stem)
@pytest.mark.parametrize("file", UNSIGNED, ids=lambda path: path.stem)
def test_golden_cases_of_another_task(file: Path, other: Path, judge: Callable[[Path, object], None]) -> None:
    judge(file, evidence_of(file) | {"golden": evidence_of(other)["golden"]})


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word[:12].decode())
def test_what_only_json_texts_can_say(word: bytes, judge: Callable[[Path, object], None]) -> None:
    """Numbers and texts that json.dumps would not write, as known and as unknown fields."""
    judge(SMALLEST, b'{"schema": "1.0", "tolerance": {"absolute": %b}}' % word)
    judge(SMALLEST, b'{"schema": "1.0", "unknown": %b, "proof": {"agreement": %b}}' % (word, word))


@pytest.mark.parametrize(
    "evidence",
    [
        b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"a": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
        b"{} {}",
        b'{"a": NaN}',
    ],
    ids=["deep lists", "deep objects", "200 levels", "5000 digits", "no UTF-8", "two documents", "NaN"],
)
def test_text_that_is_no_usable_json_is_damage(evidence: bytes, tmp_path: Path) -> None:
    path = tmp_path / "edited.pte"
    path.write_bytes(with_evidence(shipped_parts(), evidence))
    for reader in (lambda: linnet.load(path, self_test=True), lambda: read_trailer(path), lambda: read_facts(path)):
        with pytest.raises(TrailerDamagedError):
            reader()
    for command in ("inspect", "verify"):
        assert main([command, str(path)]) == 3


def test_a_hundred_megabytes_of_evidence_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "edited.pte"
    path.write_bytes(with_evidence(shipped_parts(), b'{"a": "' + b"x" * 100_000_000 + b'"}'))
    for reader in (lambda: linnet.load(path, self_test=False), lambda: read_trailer(path)):
        with pytest.raises(TrailerDamagedError, match="at most 16777216"):
            reader()


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", '{"a": [[1.5, "ü", null, true]]}', "9007199254740991", json.dumps("x" * (MOST_BYTES - 2))],
    ids=lambda text: text[:20],
)
def test_ordinary_json_is_parsed_as_python_does(text: str) -> None:
    assert parse_json(text) == parse_json(text.encode()) == json.loads(text)
