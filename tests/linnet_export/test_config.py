"""Settings of an export that cannot be, and what is named instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_export.config import RECIPES, ExportConfig, unknown_recipe
from linnet_export.output.deliver import choose_output


@pytest.mark.parametrize(("name", "nearest"), [
    ("int4", "8da4w"), ("INT4", "8da4w"), ("w4a8", "8da4w"), ("float16", "fp16"), ("half", "fp16"), ("float32", "fp32"),
    ("fp23", "fp32"), ("int8-dynamic", "int8"), ("static", "int8-static"), ("int8_static", "int8-static"),
])  # fmt: skip
def test_the_nearest_recipe_is_named(name: str, nearest: str) -> None:
    assert unknown_recipe(name).endswith(f"; did you mean {nearest!r}?")
    assert nearest in RECIPES


@pytest.mark.parametrize("name", ["x.onnx", "x.TFLITE", "x.gguf", "x.safetensors", "x.bin", "x.pt", "x.mlpackage"])
def test_a_file_is_not_named_like_another_format(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"linnet writes ExecuTorch programs: name it x\.pte"):
        choose_output(ExportConfig(model="a", output=tmp_path / name))


@pytest.mark.parametrize("name", ["x.pte", "x", "x.model"])
def test_other_names_are_taken(name: str, tmp_path: Path) -> None:
    assert choose_output(ExportConfig(model="a", output=tmp_path / name)) == tmp_path / name
