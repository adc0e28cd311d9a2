"""ExecuTorch's own black-box tests of servers with OpenAI's chat, from its wheel, against a running service."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.calling_decoder import calling_file
from tests.support.serving import serving


@pytest.mark.slow
def test_executorch_contract_holds(tmp_path: Path) -> None:
    found = importlib.util.find_spec("executorch")
    if found is None or not found.submodule_search_locations:
        pytest.skip("executorch is not installed")
    suite = Path(next(iter(found.submodule_search_locations))) / "examples" / "llm_server" / "conformance"
    if not suite.is_dir():
        pytest.skip("this wheel of executorch has no such tests")
    with serving(tmp_path, f"executorch={calling_file()}", "--threads", "1") as served:
        environment = {**os.environ, "OPENAI_BASE_URL": f"{served.url}/v1"}
        command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), str(suite)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, timeout=300, cwd=tmp_path
        )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "7 passed" in done.stdout
