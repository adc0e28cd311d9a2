"""Requests that schemathesis makes from the OpenAPI document: every one is answered, none with 500."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.serving import Served, serving

REQUESTS = int(os.environ.get("LINNET_FUZZ_REQUESTS", "10000"))
ALLOWED = {200, 400, 401, 403, 404, 405, 406, 408, 413, 429, 431, 503}


def fuzz(served: Served, requests: int) -> dict[int, int]:
    """Send requests of all operations; return how often each status came."""
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations: list[Any] = [result.ok() for result in schema.get_all_operations()]
    # the others have few different requests
    with_bodies = sum(operation.method == "post" for operation in operations) - 1
    names = [model["name"] for model in served.models]
    seen: dict[int, int] = {}
    draw = random.Random(0)

    def send(case: Any) -> None:
        # a name that is there leads further than one that is not
        if isinstance(case.body, dict) and draw.random() < 0.8:
            if "model" in case.body:
                case.body["model"] = draw.choice(names)
            if "max_tokens" in case.body:
                case.body["max_tokens"] = draw.randrange(1, 8)
        answer = case.call(base_url=served.url)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code in ALLOWED, f"{answer.status_code} {answer.text[:300]} for {case.as_curl_command()}"

    for operation in operations:
        if operation.path == "/admin/reload":
            continue
        each: Any = settings(
            max_examples=-(-requests // with_bodies), deadline=None, database=None, derandomize=True,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        strategy: Any = operation.as_strategy()
        test: Any = each(given(strategy)(send))  # type: ignore[no-untyped-call]
        test()
    return seen


def test_some_requests_of_every_operation_are_answered(served: Served) -> None:
    seen = fuzz(served, 300)
    assert seen[200] > 20


@pytest.mark.slow
def test_ten_thousand_requests_are_answered(files: Path, decoder: Path, tmp_path: Path) -> None:
    models: list[str | Path] = [*sorted(files.glob("*.pte")), f"chat={decoder}"]
    with serving(tmp_path, *models) as served:
        before = served.workers()
        seen = fuzz(served, REQUESTS)
        assert served.workers() == before
        assert sum(seen.values()) >= REQUESTS, seen
        assert served.get("/health/ready").status_code == 200
    assert "Error" not in served.log.read_text()
