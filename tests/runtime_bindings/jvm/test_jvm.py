"""The Kotlin API on the desktop JVM: the same answers from the same files as Python, errors, threads, leaks."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.monitoring.snapshot import check_snapshot
from tests.conformance.reader import CASES
from tests.conformance.runners import MissingReader
from tests.runtime_bindings.jvm.jvm import ROOT, java_command, run_java

SOURCES = ROOT / "runtime_bindings" / "jvm" / "kotlin" / "dev" / "linnet"
JNI = ROOT / "runtime_bindings" / "jvm" / "jni"
HEADER = ROOT / "runtime_bindings" / "include" / "linnet.h"


@pytest.fixture(autouse=True, scope="module")
def _built() -> None:
    try:
        java_command()
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")


def python_answers(model: linnet.Model) -> list[list[Any]]:
    """What tests/runtime_bindings/jvm/Main.kt prints, from the SDK."""
    text = "the [MASK] is open"
    task = model.manifest.task
    if task == "text-classification":
        return [[answer["label"], answer["score"]] for answer in model(text, top_k=None)]
    if task == "token-classification":
        names = ("entity_group", "score", "word", "start", "end")
        return [[entity[name] for name in names] for entity in model(text, aggregation_strategy="simple")]
    if task == "fill-mask":
        return [[proposal[name] for name in ("token", "score", "token_str", "sequence")] for proposal in model(text)]
    if task == "question-answering":
        answer = model(question="how", context="turn it down and up again")
        return [[answer[name] for name in ("score", "start", "end", "answer")]]
    if task == "feature-extraction":
        return [model.encode(text, normalize_embeddings=True).tolist()]
    return [[passage["corpus_id"], passage["score"]] for passage in model.rank("music", ["play music", "the bank"])]


@pytest.mark.parametrize(
    "task",
    [
        "text-classification",
        "token-classification",
        "fill-mask",
        "question-answering",
        "feature-extraction",
        "text-ranking",
    ],
)
def test_the_same_answers_as_python(files: Path, task: str) -> None:
    lines = [line.split("\t") for line in run_java("answers", files / f"{task}.pte")]
    with linnet.load(files / f"{task}.pte") as model:
        expected = python_answers(model)
    assert len(lines) == len(expected) > 0
    for line, answer in zip(lines, expected, strict=True):
        for found, value in zip(line, answer, strict=True):
            assert float(found) == pytest.approx(value, rel=1e-6) if isinstance(value, float) else found == str(value)


def test_answer_and_rank_give_the_best_of_any_number(files: Path) -> None:
    assert run_java("verbs", files) == ["answer 3 true", "options true", "answers true", "rank 3 true"]


def test_errors_have_the_codes_of_the_header(files: Path, tmp_path: Path) -> None:
    for name in ("text-classification", "fill-mask"):
        shutil.copy(files / f"{name}.pte", tmp_path)
    found = dict(line.split(" ", 1) for line in run_java("errors", tmp_path))
    assert len(found.pop("digest")) == 64
    assert found == {
        "missing": "FILE_NOT_FOUND",
        "zero": "INVALID_ARGUMENT",
        "long": "TEXT_TOO_LONG",
        "surrogate": "INVALID_UTF8",
        "task": "INVALID_ARGUMENT",
        "field": "UNKNOWN_FIELD",
        "threads": "THREADS_FIXED",
        "memory": "true",
        "damaged": "PROGRAM_DAMAGED",
        "check": "PROGRAM_DAMAGED",
        "closed": "INVALID_ARGUMENT",
    }


def test_a_device_tells_what_it_counted(files: Path) -> None:
    nothing, name, counted = run_java("statistics", files / "text-classification.pte")
    assert (nothing, name) == ("nothing INVALID_ARGUMENT", "name INVALID_ARGUMENT")
    snapshot = check_snapshot(json.loads(counted))
    assert snapshot["metrics"]["inferences"] == [{"labels": {"model": "intents"}, "value": 2}]


def test_an_engine_of_the_app(files: Path) -> None:
    assert run_java("engines", CASES) == [
        "engine IllegalStateException the engine stopped",
        "shape MANIFEST_INVALID",
        "torn INVALID_ARGUMENT",
    ]


def test_threads_share_a_model(files: Path) -> None:
    assert run_java("threads", files) == ["threads true"]


def test_the_status_table_and_the_abi_version_are_those_of_the_header() -> None:
    header = HEADER.read_text(encoding="utf-8")
    kotlin = (SOURCES / "Status.kt").read_text(encoding="utf-8")
    block = header.split("typedef int32_t linnet_status;")[1].split("};")[0]
    expected = {name: number for name, number in re.findall(r"LINNET_(\w+) = (\d+)", block) if number != "0"}
    assert dict(re.findall(r"^    (\w+)\((\d+)\)[,;]", kotlin, re.MULTILINE)) == expected
    (version,) = re.findall(r"#define LINNET_ABI_VERSION (\d+)", header)
    assert f"ABI_VERSION = {version}\n" in (SOURCES / "Native.kt").read_text(encoding="utf-8")


def test_the_rules_for_shrinkers_keep_what_native_code_names() -> None:
    """A shrinker would rename or remove what only native code uses, and the app would fail at its first call."""
    native = (JNI / "linnet_jni_classes.c").read_text(encoding="utf-8")
    rules = (JNI.parent / "android" / "consumer-rules.pro").read_text(encoding="utf-8")
    kept = dict(re.findall(r"^-keep class dev\.linnet\.(\w+) \{ (.*) \}$", rules, re.MULTILINE))
    classes = re.findall(r'\{&java\.(\w+), "dev/linnet/(\w+)", (?:"\((.*)\)V"|NULL)\}', native)
    assert {name for _, name, _ in classes} | {"Native"} == set(kept)
    for _, name, constructor in classes:
        assert constructor == "" or f"<init>({java_types(constructor)});" in kept[name]
    owners = {variable: name for variable, name, _ in classes}
    fields = re.findall(r'\{&java\.\w+, &java\.(\w+), "(\w+)", "(.*?)"\}', native)
    assert len(fields) == 6
    for owner, field, signature in fields:
        assert f"{java_types(signature)} {field};" in kept[owners[owner]]


def java_types(signature: str) -> str:
    """Types of a JNI signature as Java writes them."""
    names = {"I": "int", "J": "long", "F": "float", "D": "double", "B": "byte", "Z": "boolean"}
    parts = re.findall(r"(\[*)(?:L([\w/]+);|([IJFDBZ]))", signature)
    return ", ".join((name.replace("/", ".") or names[letter]) + "[]" * len(depth) for depth, name, letter in parts)


@pytest.mark.slow
def test_100_000_calls_leak_nothing(files: Path) -> None:
    """Each call that leaked a single answer or an encoding would show as 10 MB or more."""
    heap = ("-Xms48m", "-Xmx48m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC")  # Java's own memory cannot grow
    (line,) = run_java("leaks", files, 100_000, timeout=560, options=heap)
    name, kilobytes = line.split()
    assert name == "leak"
    assert int(kilobytes) < 8_000
