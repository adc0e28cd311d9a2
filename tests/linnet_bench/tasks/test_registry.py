"""The benchmark's tasks: each of the manifest's has its module, under its own name."""

from __future__ import annotations

import pytest

from linnet.format.manifest import TASKS
from linnet_bench.tasks import get_task


@pytest.mark.parametrize("name", TASKS)
def test_every_task_of_a_manifest_is_known_by_its_name(name: str) -> None:
    task = get_task(name)
    assert task.name == name
    assert task.metrics
