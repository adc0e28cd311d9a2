"""The benchmark's tasks: each of the manifest's has its module."""

from __future__ import annotations

import pytest

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import TASKS
from linnet_bench.tasks import get_task


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_a_manifest_is_known_by_its_name(name: str) -> None:
    task = get_task(name)
    assert task.name == name
    assert bool(task.metrics) is (name != "text-generation")


def test_rows_of_a_decoder_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="text-generation, which has no metric"):
        get_task("text-generation").measure(None)  # type: ignore[arg-type]


def test_what_is_not_measured_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match="image-to-text, which linnet does not benchmark yet"):
        get_task("image-to-text")
