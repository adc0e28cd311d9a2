"""Bundles of real models, built and run from the written folder alone: the model that comes with linnet, and MiniLM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.peers.models import minilm_folder
from linnet.assets import default_model
from linnet.cli import main as cli
from tests.support.bundles import check_android_module, check_c_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files by name; MiniLM is exported now."""
    try:
        checkpoint = minilm_folder()
    except ModuleNotFoundError as missing:
        pytest.skip(str(missing))
    file = tmp_path_factory.mktemp("real") / "minilm.pte"
    assert cli.main(["export", str(checkpoint), "-o", str(file), "--recipe", "int8"]) == 0
    return {"intents": default_model(), "minilm": file}


@pytest.mark.parametrize("check", [check_c_project, check_android_module], ids=["c", "android"])
def test_both_answer_in_one_app(
    models: dict[str, Path], tmp_path: Path, check: Callable[[list[Path], Path], object]
) -> None:
    check([models["intents"], models["minilm"]], tmp_path)
