"""Models that are pickled, copied and sent to other processes: opened again from their path."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import linnet
from linnet.assets import default_model
from linnet.errors import FileDamagedError, InvalidArgumentError

TEXT = "turn the volume down"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(default_model(), tmp_path / "intents.pte"))


def answer(model: linnet.Model) -> object:
    return model(TEXT)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_answers_alike_and_lives_alone(again: object, path: Path) -> None:
    assert callable(again)
    with linnet.load(path) as model:
        expected = model(TEXT)
        copied = again(model)
    assert copied(TEXT) == expected
    assert copied.path == str(path)
    copied.close()


def test_settings_are_kept(path: Path) -> None:
    with linnet.load(path, fused=False, self_test=False) as model:
        copied = pickle.loads(pickle.dumps(model))
        assert copied.reopening == model.reopening
        assert (copied.reopening[1][2]["fused"], copied.reopening[1][2]["self_test"]) == (False, False)
        copied.close()


def test_another_process_opens_it_from_another_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with linnet.load("intents.pte") as model:
        monkeypatch.chdir("/")
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            assert pool.submit(answer, model).result(timeout=120) == model(TEXT)


def test_a_file_that_was_replaced_is_not_opened_in_its_place(path: Path, toys: Path) -> None:
    with linnet.load(path) as model:
        data = pickle.dumps(model)
        shutil.copy(toys / "toy.pte", path.with_name("new.pte"))
        path.with_name("new.pte").replace(path)
        with pytest.raises(FileDamagedError, match="another file than when the model was loaded"):
            pickle.loads(data)
        assert model(TEXT)


def test_what_has_no_path_says_so(path: Path) -> None:
    with linnet.load(path.read_bytes()) as model, pytest.raises(InvalidArgumentError, match="got one from bytes"):
        pickle.dumps(model)
    with linnet.load(path) as closed:
        pass
    with pytest.raises(InvalidArgumentError, match="closed"):
        copy.copy(closed)
