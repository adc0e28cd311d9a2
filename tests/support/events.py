"""Events of a measuring process, made by hand."""

from __future__ import annotations

from typing import Any

from linnet_bench.machine.environment import State
from linnet_bench.measure.protocol import Event

__all__ = ["CHECK", "FACTS", "LENGTH", "OPENED", "STATE", "SUMMARY"]

STATE = State(frequency_mhz=(), load_average=(), temperature_c=None)
FACTS = {
    **{"task": "fill-mask", "model_type": "bert", "recipe": "int8", "source": "s", "source_commit": ""},
    **{"producer": "p", "executorch_version": "1.5.1", "max_length": 24},
}
CHECK: dict[str, Any] = {"cases": 2, "before": True, "after": None, "message": ""}
OPENED: Event = {
    "event": "opened",
    "load_ns": 5,
    "first_answer_ns": 7,
    "facts": {},
    "runtime": {},
    "example": "model('x')",
}
SUMMARY = {
    **{"samples": 1, "p50_ns": 9, "p90_ns": 9, "p99_ns": 9},
    **{"mean_ns": 9, "min_ns": 9, "max_ns": 9, "stdev_ns": 0},
}
LENGTH: Event = {
    "event": "length",
    "result": {"tokens": 8, "warmup_runs": 3, "summary": SUMMARY, "tokens_per_second": 1, "samples_ns": [9]},
}
