"""Hyperparameter search under a size and latency budget: each trial is trained, exported and measured.

=========  ===========================================================================
config     settings: search space and budget of the device
space      parameters of a trial -> settings of its training
trial      training, export and measurement of one trial
study      Optuna study in an SQLite file: resumable, shared by processes
report     results as a table and as JSON
page       results as one HTML page
=========  ===========================================================================

Importing this package is light.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from linnet_export.threads import wait_asleep
from linnet_train.requirements import require_extra
from linnet_train.search.config import Budget, SearchConfig, Space
from linnet_train.tasks import read_examples

if TYPE_CHECKING:
    from linnet_train.config import TrainConfig
    from linnet_train.progress import TrainListener
    from linnet_train.search.report import SearchReport

__all__ = ["Budget", "SearchConfig", "Space", "search"]


def search(
    base: TrainConfig,
    config: SearchConfig,
    exported: Mapping[str, Any] | None = None,
    listener: TrainListener | None = None,
) -> SearchReport:
    """Run trials until there are ``config.trials``, and copy the best one that fits to `best/`.

    Several processes with the same output share the trials.

    Args:
        base: settings that all trials have in common; its output is the directory of the search.
        config: what is searched over, and the budget.
        exported: settings of the export, without model and output.
        listener: receives the progress.

    Raises:
        ExtraMissingError: the `search` extra is not installed.
        BadDataError: rows cannot be trained on; the message names them.
        CheckpointError: the model cannot be used.
        TrainingExistsError: the output holds something else, or a search with other settings.
        LinnetError: every trial failed; the message is the last one's.
    """
    require_extra("a search", "optuna", extra="search")
    read_examples(base.data, base.seed, base.task)  # bad rows are refused once, and not by every trial
    wait_asleep()
    from linnet_train.search.study import search as run

    return run(base, config, exported, listener)
