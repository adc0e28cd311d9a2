"""What a device counts in C beside what Python counts: the same names, labels and buckets, and the same numbers."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import linnet
import linnet_runtime
from linnet.assets import default_model
from linnet.monitoring import METRICS, Metrics, merge, prometheus
from linnet.monitoring.snapshot import check_snapshot
from tests.support.decoder_file import decoder_file

TEXTS = ["turn the volume down", "set an alarm for seven", "zzqq ♥ ☃", "", "what is the meaning of life", "x " * 300]
SAME = ("inferences", "tokens", "unknown_tokens", "truncated", "labels", "text_length")


class Text(ctypes.Structure):
    """`linnet_text` of linnet.h."""

    _fields_ = [("bytes", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Engine(ctypes.Structure):
    """`linnet_engine`."""

    _fields_ = [("run", ctypes.c_void_p), ("context", ctypes.c_void_p)]


class Device:
    """The model that comes with linnet, used as an app in C uses it."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(Path(linnet_runtime.__file__).parent / "lib" / "liblinnet.so"))
        self.model, self.task, self.engine = ctypes.c_void_p(), ctypes.c_void_p(), Engine()
        must(self.library.linnet_model_open(str(default_model()).encode(), None, ctypes.byref(self.model)))
        must(self.library.linnet_model_task(self.model, ctypes.byref(self.task)))
        must(self.library.linnet_model_engine(self.model, ctypes.byref(self.engine)))

    def classify(self, text: str, truncate: int = 1) -> int:
        answers, encoded = ctypes.c_void_p(), text.encode()
        status: int = self.library.linnet_classify(
            self.task, ctypes.byref(self.engine), Text(encoded, len(encoded)), Text(None, 0), truncate, None,
            ctypes.byref(answers),
        )  # fmt: skip
        self.library.linnet_answers_free(answers)
        return status

    def snapshot(self) -> dict[str, Any]:
        buffer, size = ctypes.create_string_buffer(1 << 16), ctypes.c_size_t()
        must(self.library.linnet_stats_json(self.task, buffer, ctypes.c_size_t(len(buffer)), ctypes.byref(size)))
        made: dict[str, Any] = json.loads(buffer.raw[: size.value])
        return made


def must(status: int) -> None:
    assert status == 0


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.library.linnet_model_free(made.model)


def series(snapshot: dict[str, Any], name: str) -> dict[tuple[str, ...], Any]:
    return {tuple(one["labels"].values()): one.get("value", one.get("buckets")) for one in snapshot["metrics"][name]}


@pytest.mark.filterwarnings("ignore::linnet.TruncationWarning")
def test_a_device_counts_as_python_does(device: Device) -> None:
    must(device.library.linnet_stats_start(device.task, b"intents"))
    for text in TEXTS:
        must(device.classify(text))
    assert device.classify("x " * 300, truncate=0) == linnet.errors.TextTooLongError.status
    found = device.snapshot()
    metrics = Metrics()
    with linnet.load(watch=metrics) as model:
        for text in TEXTS:
            model(text)
        with pytest.raises(linnet.errors.TextTooLongError):
            model("x " * 300, truncation=False)
    expected = metrics.snapshot()
    for name in (*SAME, "errors"):
        assert series(found, name) == series(expected, name), name
    # the two sum up the same floats in another order, and a score may stand on an edge
    confidence = found["metrics"]["confidence"][0]
    assert confidence["sum"] == pytest.approx(expected["metrics"]["confidence"][0]["sum"], abs=1e-4)
    latencies = series(found, "latency")
    assert {stage for _, stage, _ in latencies} == {"tokenize", "run", "decode", "total"}
    assert all(sum(buckets) == len(TEXTS) for buckets in _by_stage(latencies).values())


def _by_stage(latencies: dict[tuple[str, ...], list[int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for (_, stage, _), buckets in latencies.items():
        found[stage] = found.get(stage, []) + buckets
    return found


def test_the_names_of_a_device_are_those_of_the_table(device: Device) -> None:
    must(device.library.linnet_stats_start(device.task, b"intents"))
    must(device.classify("turn the volume down"))
    found = device.snapshot()
    assert found["metrics"].keys() == {metric.name for metric in METRICS if metric.device}
    checked = check_snapshot(found)
    for name, rows in found["metrics"].items():
        assert [row["labels"] for row in checked["metrics"][name]] == [row["labels"] for row in rows], name
    both = merge([found, found])
    assert both["sources"] == 2
    assert series(both, "inferences") == {("intents",): 2}
    assert 'linnet_inferences_total{model="intents"} 2' in prometheus(both)


def test_what_is_not_started_is_not_counted(device: Device) -> None:
    must(device.classify("turn the volume down"))
    size = ctypes.c_size_t()
    assert device.library.linnet_stats_json(device.task, None, ctypes.c_size_t(0), ctypes.byref(size)) == 100
    must(device.library.linnet_stats_start(device.task, b"intents"))
    must(device.library.linnet_stats_stop(device.task))
    must(device.classify("turn the volume down"))
    assert series(device.snapshot(), "inferences") == {("intents",): 0}


def test_a_decoder_counts_its_tokens() -> None:
    library = ctypes.CDLL(str(Path(linnet_runtime.__file__).parent / "lib" / "liblinnet.so"))
    model, task, text = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    must(library.linnet_model_open(str(decoder_file()).encode(), None, ctypes.byref(model)))
    must(library.linnet_model_task(model, ctypes.byref(task)))
    must(library.linnet_stats_start(task, b"decoder"))
    must(library.linnet_generation_create(model, 0, ctypes.byref(text)))
    must(library.linnet_generation_append(text, (ctypes.c_int64 * 5)(9, 8, 7, 6, 5), ctypes.c_size_t(5)))
    sampling, token = (ctypes.c_uint8 * 64)(), (ctypes.c_int64 * 1)()
    must(library.linnet_task_sampling(task, sampling))
    for _ in range(3):
        must(library.linnet_generation_sample(text, sampling, ctypes.c_size_t(5), token, None))
        must(library.linnet_generation_append(text, token, ctypes.c_size_t(1)))
    assert library.linnet_generation_append(text, (ctypes.c_int64 * 99)(), ctypes.c_size_t(99)) == 108  # full
    buffer, size = ctypes.create_string_buffer(1 << 16), ctypes.c_size_t()
    must(library.linnet_stats_json(task, buffer, ctypes.c_size_t(len(buffer)), ctypes.byref(size)))
    found = check_snapshot(json.loads(buffer.raw[: size.value]))
    library.linnet_generation_free(text)
    library.linnet_model_free(model)
    assert series(found, "tokens") == {("decoder", "input"): 5, ("decoder", "output"): 3}
    assert series(found, "inferences") == {("decoder",): 1}
    assert series(found, "errors") == {("decoder", "context_full"): 1}
    counts = {name: found["metrics"][name][0]["count"] for name in ("time_to_first_token", "time_per_token")}
    assert counts == {"time_to_first_token": 1, "time_per_token": 2}
