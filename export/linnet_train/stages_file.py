"""TOML files with the stages of a training, such as teacher and student, and the export settings."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_train.config import DataConfig, TrainConfig
from linnet_train.fields import build

__all__ = ["Stage", "StagesFile", "find_stages", "read_stages"]

_STAGE = "stage:"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """One training of several.

    Attributes:
        name: its directory, and what later stages call it.
        settings: of :class:`TrainConfig`, without output and data.
    """

    name: str
    settings: Mapping[str, Any]

    def config(self, directory: Path, data: DataConfig, *, resume: bool, force: bool) -> TrainConfig:
        """Return its settings; `stage:NAME` becomes the directory of that stage."""
        settings = {**self.settings, "model": _place(self.settings.get("model", ""), directory)}
        distillation = settings.get("distillation")
        if isinstance(distillation, Mapping) and "teacher" in distillation:
            settings["distillation"] = {**distillation, "teacher": _place(distillation["teacher"], directory)}
        extra = {"output": directory / self.name, "data": data, "resume": resume, "force": force}
        return build(TrainConfig, {**settings, **extra}, f"stage {self.name}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class StagesFile:
    """Stages, and how the last one is exported.

    Attributes:
        stages: in their order.
        export: settings of :class:`linnet_export.ExportConfig`, without model and output.
    """

    stages: tuple[Stage, ...]
    export: Mapping[str, Any]


def find_stages(model: str) -> str:
    """Return the path of the file of stages that comes with linnet under this name; else ``model`` itself.

    `few-shot` and `few_shot` are the same name. A local file or directory of that name comes first.
    """
    name = model.replace("-", "_")
    if not name.isidentifier() or Path(model).exists():
        return model
    path = Path(str(importlib.resources.files("linnet_train"))) / "stages" / f"{name}.toml"
    return str(path) if path.is_file() else model


def read_stages(path: Path, model: str | None = None) -> StagesFile:
    """Read a file of stages.

    Args:
        path: a TOML file with a list `stages` and perhaps a table `export`.
        model: replaces the model of the first stage.

    Raises:
        InvalidArgumentError: it cannot be read, or has a key that is unknown.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidArgumentError(f"{path}: cannot be read as TOML: {error}") from error
    unknown = sorted(content.keys() - {"stages", "export"})
    if unknown or not content.get("stages"):
        wrong = f"unknown {', '.join(unknown)}" if unknown else "no stages"
        raise InvalidArgumentError(f"{path}: {wrong}; expected [[stages]], and perhaps [export]")
    stages = [_stage(path, number, table) for number, table in enumerate(content["stages"], 1)]
    if model is not None:
        stages[0] = dataclasses.replace(stages[0], settings={**stages[0].settings, "model": model})
    return StagesFile(stages=tuple(stages), export=content.get("export", {}))


def _stage(path: Path, number: int, table: Mapping[str, Any]) -> Stage:
    name = table.get("name")
    if not isinstance(name, str) or not name.isidentifier():
        raise InvalidArgumentError(f"{path}: stage {number} is named {name!r}, expected a word of letters and digits")
    return Stage(name=name, settings={key: value for key, value in table.items() if key != "name"})


def _place(name: str, directory: Path) -> str:
    return str(directory / name.removeprefix(_STAGE)) if name.startswith(_STAGE) else name
