"""Settings that cannot be are refused together; files of stages know no unknown key."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_train.config import DataConfig, OptimizerConfig, ShrinkConfig, TrainConfig
from linnet_train.errors import TrainingExistsError
from linnet_train.output import check_same_settings
from linnet_train.stages_file import find_stages, read_stages

DATA = DataConfig(train=Path("rows.jsonl"))


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        TrainConfig(
            model="m",
            output=Path("o"),
            data=DataConfig(train=Path("rows"), validation_split=1.5),
            task="chess",
            optimizer=OptimizerConfig(epochs=0, learning_rate=0, schedule="steep"),
            shrink=ShrinkConfig(frequent=3, layers=(2, 1)),
        )
    for part in ("validation_split", "chess", "epochs is 0", "learning_rate is 0", "steep", "frequent", "[2, 1]"):
        assert part in str(caught.value)


def test_settings_of_an_earlier_version_lack_what_came_later() -> None:
    data = {"train": "a", "no_header": False, "delimiter": None}
    now = {"seed": 0, "data": data}
    check_same_settings("it", {"seed": 0, "data": {"train": "a"}}, now)
    with pytest.raises(TrainingExistsError, match=r"\(data.delimiter: None there, ; now; seed: 1 there, 0 now\)"):
        check_same_settings("it", {"seed": 1, "data": {"train": "a"}}, {"seed": 0, "data": {**data, "delimiter": ";"}})


def stages_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "stages.toml"
    file.write_text(text)
    return file


def test_a_stage_stands_for_its_directory(tmp_path: Path) -> None:
    file = stages_file(
        tmp_path,
        """
        [[stages]]
        name = "teacher"
        model = "hub/id"
        [[stages]]
        name = "student"
        model = "stage:teacher"
        distillation = {teacher = "stage:teacher"}
        shrink = {layers = [0, 2]}
        """,
    )
    found = read_stages(file, model="other")
    student = found.stages[1].config(tmp_path, DATA, resume=True, force=False)
    assert found.stages[0].config(tmp_path, DATA, resume=True, force=False).model == "other"
    assert student.model == str(tmp_path / "teacher")
    assert student.distillation is not None
    assert student.distillation.teacher == str(tmp_path / "teacher")
    assert student.shrink.layers == (0, 2)
    assert (student.output, student.resume) == (tmp_path / "student", True)


def test_a_byte_order_mark_is_no_part_of_a_stages_file(tmp_path: Path) -> None:
    file = stages_file(tmp_path, "\ufeffstages = [{name = 'a', model = 'm'}]")
    assert read_stages(file, None).stages[0].name == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "unknown x"),
        ("", "no stages"),
        ("stages = [{model = 'm'}]", "stage 1 is named None"),
        ("stages", "cannot be read as TOML"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        read_stages(stages_file(tmp_path, text))


def test_an_unknown_key_is_named_with_its_table(tmp_path: Path) -> None:
    found = read_stages(stages_file(tmp_path, "stages = [{name = 'a', model = 'm', optimizer = {epoch = 3}}]"))
    with pytest.raises(InvalidArgumentError, match=r"stage a, optimizer: unknown epoch; known are epochs"):
        found.stages[0].config(tmp_path, DATA, resume=False, force=False)


@pytest.mark.parametrize(
    ("name", "stages"), [("intents", ["teacher", "student"]), ("few_shot", ["embedder", "classifier"])]
)
def test_the_shipped_stages_are_valid(tmp_path: Path, name: str, stages: list[str]) -> None:
    from importlib import resources

    found = read_stages(Path(str(resources.files("linnet_train") / "stages" / f"{name}.toml")))
    assert [stage.name for stage in found.stages] == stages
    for stage in found.stages:
        stage.config(tmp_path, DATA, resume=False, force=False)


def test_stages_that_come_with_linnet_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("few_shot", "few-shot"):
        assert [stage.name for stage in read_stages(Path(find_stages(name))).stages] == ["embedder", "classifier"]
    assert find_stages("intents").endswith("intents.toml")
    for other in ("few", "few_shot.toml", "./few_shot", "sentence-transformers/all-MiniLM-L6-v2", "../stages/few_shot"):
        assert find_stages(other) == other
    (tmp_path / "intents").mkdir()
    assert find_stages("intents") == "intents"
