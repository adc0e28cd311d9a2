"""The Optuna study of a search, stored in an SQLite file beside the trials."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError, LinnetError, NoSpaceError
from linnet_bench import tasks as measured
from linnet_export.checkpoint.opening import open_checkpoint
from linnet_train.atomic import atomic_directory
from linnet_train.config import TrainConfig
from linnet_train.errors import TrainingExistsError
from linnet_train.output import check_same_settings, deciding_settings
from linnet_train.progress import QuietTraining, TrainListener
from linnet_train.search.config import SearchConfig
from linnet_train.search.report import SearchReport, Trial
from linnet_train.search.space import choose, settings_of
from linnet_train.search.trial import FILE, run_trial
from linnet_train.tasks import METRICS as TRAINED_BY
from linnet_train.tasks.base import get_task

__all__ = ["search"]

_STUDY = "linnet"
_HEARTBEAT_SECONDS = 30
_EXCESS, _FIGURES, _FAILURE, _SETTINGS = "excess", "figures", "failure", "settings"


def search(
    base: TrainConfig,
    config: SearchConfig,
    exported: Mapping[str, Any] | None = None,
    listener: TrainListener | None = None,
) -> SearchReport:
    """See :func:`linnet_train.search.search`."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    metric = get_task(base.task).watched(base)
    _check_metric(metric, base.task)
    layers = _layers(base.model)
    _prepare(base)
    study = _study(base, config, exported or {})
    listener = listener or QuietTraining()

    def objective(trial: Any) -> tuple[float, float, float]:
        settings = settings_of(base, choose(trial, config.space), layers, _directory(base, trial.number))
        listener.epoch_finished(f"trial {trial.number + 1}: {_said(trial.params)}")
        try:
            outcome = run_trial(settings, exported or {}, config.budget.tokens, listener)
        except NoSpaceError:  # the next trial would find none either
            raise
        except LinnetError as error:
            trial.set_user_attr(_FAILURE, str(error))
            raise optuna.TrialPruned(str(error)) from error
        if metric not in outcome.figures:
            raise InvalidArgumentError(
                f"metric is {metric!r}, of the file these rows give {', '.join(outcome.figures)}"
            )
        trial.set_user_attr(_FIGURES, dict(outcome.figures))
        trial.set_user_attr(_EXCESS, config.budget.excess(outcome.megabytes, outcome.milliseconds))
        return outcome.figures[metric], outcome.megabytes, outcome.milliseconds

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    left = config.trials - len(study.get_trials(deepcopy=False, states=states))
    if left > 0:
        enough = optuna.study.MaxTrialsCallback(config.trials, states=states)
        study.optimize(objective, n_trials=left, callbacks=[enough])
    report = _report(base, metric, study.get_trials(deepcopy=False, states=states))
    _keep_best(base, report)
    return report


def _check_metric(metric: str, task: str) -> None:
    known = measured.get_task("feature-extraction" if task == "sentence-similarity" else task).metrics
    if metric not in known:
        raise InvalidArgumentError(
            f"metric is {metric!r}, which is not measured of a file; a search for {task} can choose by "
            f"{', '.join(name for name in known if name in TRAINED_BY)}"
        )


def _prepare(base: TrainConfig) -> None:
    """Make the directory, or find the search that is to go on."""
    there = base.output.exists() and any(base.output.iterdir())
    if there and base.force:
        shutil.rmtree(base.output)
    elif there and not base.resume:
        what = "an earlier search: --resume goes on with it" if _storage(base).is_file() else "something already"
        raise TrainingExistsError(f"{base.output} holds {what}; --force starts over, -o chooses another directory")
    elif there and not _storage(base).is_file():
        raise TrainingExistsError(f"{base.output} holds no search to resume; -o chooses another directory")
    base.output.mkdir(parents=True, exist_ok=True)


def _storage(base: TrainConfig) -> Path:
    return base.output / "search.db"


def _directory(base: TrainConfig, number: int) -> Path:
    return base.output / "trials" / f"{number:04d}"


def _study(base: TrainConfig, config: SearchConfig, exported: Mapping[str, Any]) -> Any:
    import optuna

    storage = optuna.storages.RDBStorage(
        f"sqlite:///{_storage(base)}", heartbeat_interval=_HEARTBEAT_SECONDS, grace_period=2 * _HEARTBEAT_SECONDS
    )
    sampler = optuna.samplers.TPESampler(
        seed=base.seed, constraints_func=lambda trial: trial.user_attrs.get(_EXCESS, (1.0, 1.0))
    )
    study = optuna.create_study(
        study_name=_STUDY, storage=storage, load_if_exists=True, sampler=sampler,
        directions=["maximize", "minimize", "minimize"],
    )  # fmt: skip
    wanted = _plain(base, config, exported)
    check_same_settings(f"the search in {base.output}", study.user_attrs.get(_SETTINGS, wanted), wanted)
    study.set_user_attr(_SETTINGS, wanted)
    optuna.storages.fail_stale_trials(study)
    return study


def _plain(base: TrainConfig, config: SearchConfig, exported: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the result; the number of trials may grow."""
    searched = {name: dataclasses.asdict(part) for name, part in (("space", config.space), ("budget", config.budget))}
    settings = {"training": deciding_settings(base), **searched, "export": dict(exported)}
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return plain


def _layers(model: str) -> int:
    return int(open_checkpoint(model).config.num_hidden_layers)


def _said(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in params.items())


def _report(base: TrainConfig, metric: str, trials: Any) -> SearchReport:
    succeeded, failures = [], []
    for trial in trials:
        if trial.values is None:
            failures.append(str(trial.user_attrs.get(_FAILURE, "")))
            continue
        succeeded.append(
            Trial(
                number=trial.number + 1,
                directory=_directory(base, trial.number),
                chosen=dict(trial.params),
                figures=trial.user_attrs[_FIGURES],
                value=trial.values[0],
                megabytes=trial.values[1],
                milliseconds=trial.values[2],
                fits=all(excess <= 0 for excess in trial.user_attrs[_EXCESS]),
            )
        )
    if not succeeded:
        raise LinnetError(
            f"all {len(failures)} trials failed, the last one: {failures[-1] if failures else 'none ran'}"
        )
    return SearchReport(output=base.output, metric=metric, trials=tuple(succeeded), failures=tuple(failures))


def _keep_best(base: TrainConfig, report: SearchReport) -> None:
    if report.best is None:
        return
    size = sum(path.stat().st_size for path in report.best.directory.rglob("*"))
    with atomic_directory(base.output / "best", size) as aside:
        shutil.copytree(report.best.directory, aside, dirs_exist_ok=True)
        assert (aside / FILE).is_file()
