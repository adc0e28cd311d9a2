"""The benchmark's tasks: each of the manifest's has its module, but the one that is not measured."""

from __future__ import annotations

import pytest

from linnet.errors import InvalidArgumentError
from linnet.format.manifest import TASKS
from linnet_bench.tasks import get_task


@pytest.mark.parametrize("name", [task for task in TASKS if task != "text-generation"])
def test_every_task_of_a_manifest_is_known_by_its_name(name: str) -> None:
    task = get_task(name)
    assert task.name == name
    assert task.metrics


def test_what_is_not_measured_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match="text-generation, which linnet does not benchmark yet"):
        get_task("text-generation")
