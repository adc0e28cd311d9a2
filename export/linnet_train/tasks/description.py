"""Description of a task without PyTorch: name, metrics, settings, row reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Examples
from linnet_train.fields import changed, setting_of

__all__ = ["TaskDescription"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskDescription:
    """One task by its Hugging Face name.

    Attributes:
        name: as `text-classification`.
        metrics: figures on the held-out rows, by the names of `linnet eval`; the first chooses the best epoch
            unless another is asked for.
        read: (files and columns, seed of the split) -> rows, checked and split; raises BadDataError.
        settings: those that only some tasks have (:attr:`linnet_train.fields.Setting.of_some_tasks`).
        keeps: settings of all other tasks that must have their defaults here.
        why_kept: the same in words, for the error.
    """

    name: str
    metrics: tuple[str, ...]
    read: Callable[[DataConfig, int], Examples]
    settings: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    why_kept: str = ""

    def check_settings(self, config: Any) -> None:
        """Check that the task supports all settings.

        Args:
            config: a :class:`linnet_train.config.TrainConfig`, which itself imports the tasks for their names.

        Raises:
            InvalidArgumentError: it does not; the message lists all of them.
        """
        given = changed(config, lambda field: setting_of(field).of_some_tasks)
        problems = [f"{self.name} has no {name.replace('_', ' ')}" for name in given if name not in self.settings]
        known = (*self.metrics, "loss")
        if config.metric not in (None, *known):
            problems.append(f"metric is {config.metric!r}, {self.name} has {', '.join(known)}")
        if changed(config, lambda field: field.name in self.keeps):
            problems.append(f"{self.name} {self.why_kept}")
        if problems:
            raise InvalidArgumentError("; ".join(problems))
