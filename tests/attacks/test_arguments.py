"""Arguments of the Python API beyond what the compiled runtime can take: an error of linnet, never a TypeError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import linnet
from linnet.assets import default_model
from linnet.errors import InvalidArgumentError
from linnet_runtime import Model as Core

OLD_FILES = Path(__file__).parents[1] / "linnet" / "format" / "old_files"
HUGE = (2**31, 2**63, 2**70, 10**400)


@pytest.mark.parametrize("value", HUGE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize(
    ("file", "call"),
    [
        ("classification-int8", lambda model, value: model("a", top_k=value)),
        ("masks-unproven", lambda model, value: model("the [MASK] sat", top_k=value)),
        ("answering-8da4w", lambda model, value: model(question="who", context="the cat", top_k=value)),
        ("answering-8da4w", lambda model, value: model(question="who", context="the cat", max_answer_len=value)),
        ("answering-8da4w", lambda model, value: model(question="who", context="the cat", max_seq_len=value)),
        ("answering-8da4w", lambda model, value: model(question="who", context="the cat", doc_stride=value)),
    ],
    ids=["classes", "masks", "answers", "answer length", "window", "stride"],
)
def test_options_of_a_call(file: str, call: Callable[[linnet.Model, int], object], value: int) -> None:
    with linnet.load(OLD_FILES / f"{file}.pte", self_test=False) as model, pytest.raises(InvalidArgumentError):
        call(model, value)


@pytest.mark.parametrize("value", HUGE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("name", ["threads", "sessions"])
def test_settings_of_load(name: str, value: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name} is"):
        linnet.load(default_model(), self_test=False, **{name: value})  # type: ignore[arg-type]


def test_a_huge_batch_is_the_largest_of_the_file() -> None:
    with linnet.load(self_test=False) as model:
        assert model(["a", "b"], batch_size=2**70) == model(["a", "b"])


def test_the_threads_of_the_runtime_have_a_limit() -> None:
    with pytest.raises(InvalidArgumentError, match="expected 0"):
        Core(str(default_model()), threads=2**31 - 1)
