"""A training that finds no space: the same settings go on afterwards, with the same weights."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path
from typing import Any

import pytest
import transformers

from linnet.errors import NoSpaceError
from linnet_train import DataConfig, OptimizerConfig, TrainConfig, train
from linnet_train.errors import TrainingExistsError
from tests.support.training import assert_same_weights, easy_rows, write_rows


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", easy_rows(48))


@pytest.fixture(scope="module")
def whole(encoder: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    """Return the settings of a training that ran to its end."""
    settings = TrainConfig(
        model=str(encoder), output=tmp_path_factory.mktemp("whole") / "out", data=DataConfig(train=rows),
        optimizer=OptimizerConfig(epochs=2, batch_size=8), max_length=16,
    )  # fmt: skip
    train(settings)
    return settings


def without_space(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: int) -> None:
    """Let a method write a half, and fail for lack of space, after so many calls."""
    left = [calls]
    method = getattr(owner, name)

    def write(self: Any, *given: Any, **options: Any) -> Any:
        left[0] -= 1
        result = method(self, *given, **options)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return result

    monkeypatch.setattr(owner, name, write)


@pytest.mark.parametrize(
    ("owner", "name", "calls"),
    [
        (transformers.Trainer, "_save_checkpoint", 1),  # the second one
        (transformers.PreTrainedTokenizerBase, "save_pretrained", 0),  # what is delivered
    ],
    ids=["second checkpoint", "model"],
)
def test_the_same_settings_go_on(
    whole: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, calls: int
) -> None:
    settings = dataclasses.replace(whole, output=tmp_path / "out")
    with monkeypatch.context() as patch:
        without_space(patch, owner, name, calls)
        with pytest.raises(NoSpaceError, match=rf"{tmp_path}/out.*at least [1-9]\d* bytes are needed") as caught:
            train(settings)
    kept = [path.name for path in (tmp_path / "out" / "training" / "checkpoints").iterdir()]
    assert len(kept) == (calls if owner is transformers.Trainer else 2), "half-written ones are removed"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["training"]
    assert "same command again" in str(caught.value)
    with pytest.raises(TrainingExistsError, match="seed"):
        train(dataclasses.replace(settings, seed=1))
    report = train(settings)
    assert report.epochs == 2
    assert_same_weights(settings.output, whole.output)
