"""Layout of the output directory of a training, and checks before it is written or resumed."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.atomic_file import named_full_disk
from linnet.cli.output import write_text
from linnet_train.checkpoints import model_bytes
from linnet_train.config import TrainConfig
from linnet_train.data.rows import Examples
from linnet_train.errors import TrainingExistsError
from linnet_train.fields import setting_of
from linnet_train.page import training_page
from linnet_train.report import TrainReport

if TYPE_CHECKING:  # not at run time: the command names the directory of a training before PyTorch is imported
    from linnet_train.tasks.base import TrainingTask

__all__ = ["Output", "check_same_settings", "deciding_settings", "find_output", "prepare_output"]

_BEFORE_IT_BEGINS = ("texts.", "proof.", "held_out.", "teacher-", ".", "checkpoints", "tensorboard")

_BEFORE_IT_WAS_A_SETTING = {"pooling": "first"}
"""Settings that came later: as what a training ran that was begun without them."""

_DECIDES_NO_LONGER = ("early_stopping",)
"""Settings that earlier versions kept among those that decide the result."""

_FEWEST_PROOF_TEXTS = 16
"""Texts of a proof: training rows join fewer held-out ones. A proof needs four; one that differs of 16 is 6 %."""
_MOST_TEXTS = 20_000  # what calibration and proof read of is chosen from these; a corpus need not be there twice


@dataclasses.dataclass(frozen=True)
class Output:
    """Output directory of a training.

    Attributes:
        directory: of the trained checkpoint.
        report: of a training that is already finished, else None.
    """

    directory: Path
    report: TrainReport | None = None

    @property
    def training(self) -> Path:
        """Directory of everything that is not part of the checkpoint."""
        return self.directory / "training"

    @property
    def settings(self) -> Path:
        """Settings that determine the result of the training."""
        return self.training / "settings.json"

    @property
    def interrupted(self) -> Path:
        """Name of :attr:`settings` once there was no space left: the same command then goes on without `resume`."""
        return self.training / "settings.no-space.json"

    @property
    def finished(self) -> Path:
        """Report of a finished training."""
        return self.training / "report.json"

    @property
    def checkpoints(self) -> Path:
        """Directory of the optimizer's checkpoints."""
        return self.training / "checkpoints"

    @property
    def log(self) -> Path:
        """Metrics of every epoch, JSON lines."""
        return self.training / "log.jsonl"

    @property
    def page(self) -> Path:
        """HTML page of a finished training."""
        return self.training / "report.html"

    def _logged(self) -> list[dict[str, Any]]:
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.is_file() else []
        return [json.loads(line) for line in lines]

    @property
    def teacher(self) -> Path:
        """Base name of the cache of the teacher's outputs."""
        return self.training / "teacher.safetensors"

    def keep_rows(self, examples: Examples, task: TrainingTask, tokenizer: Any) -> None:
        """Write the rows that the export reads: training texts for calibration, held-out texts for the proof.

        The proof of few held-out rows has training rows too, since both can tell a file from its checkpoint.
        """
        few = max(0, _FEWEST_PROOF_TEXTS - len(examples.validation))
        parts = {"texts": examples.train, "proof": (*examples.validation, *examples.train[:few])}
        files = {
            name: list(itertools.islice((text for row in rows for text in task.texts(row, tokenizer)), _MOST_TEXTS))
            for name, rows in parts.items()
        }
        files["held_out"] = task.held_out_rows(examples.validation, tokenizer)
        self.training.mkdir(parents=True, exist_ok=True)
        for name, rows in files.items():
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            write_text(lines, self.training / f"{name}.jsonl", force=True)

    def begin(self, config: TrainConfig) -> None:
        """Mark the training as begun: from here on it can be resumed, and is not overwritten."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        write_text(json.dumps(deciding_settings(config), indent=2) + "\n", self.settings, force=True)

    def finish(self, model: Any, tokenizer: Any, report: TrainReport, config: TrainConfig, task: TrainingTask) -> None:
        """Write the checkpoint, and the report last: its presence marks the output as complete."""
        aside = self.directory / f".partial-{os.getpid()}"
        with named_full_disk(self.directory, model_bytes(model)):
            try:
                model.save_pretrained(aside)
                tokenizer.save_pretrained(aside)
                for path in sorted(aside.iterdir()):
                    path.replace(self.directory / path.name)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        (self.directory / "modules.json").unlink(missing_ok=True)  # of an embedder that was here before
        task.finish(self.directory, model, config)
        write_text(training_page(report, self._logged()), self.page, force=True)
        write_text(json.dumps(report.to_json(), indent=2) + "\n", self.finished, force=True)
        if not config.keep_checkpoints:
            shutil.rmtree(self.checkpoints, ignore_errors=True)

    def let_same_command_go_on(self) -> None:
        """Mark a training that was begun as one without space: a rename, which needs none."""
        if self.settings.is_file():
            self.settings.replace(self.interrupted)


def prepare_output(config: TrainConfig) -> Output:
    """Find the training to resume, or make room for a new one; :meth:`Output.begin` writes the first file.

    Raises:
        TrainingExistsError: the directory holds something, and neither `resume` nor `force` was given, or
            the training that is there has other settings or other rows.
    """
    output = Output(config.output)
    without_space = output.interrupted.is_file() and not config.force
    if without_space or (config.resume and output.settings.is_file()):
        begun = output.interrupted if without_space else output.settings
        before = json.loads(begun.read_text(encoding="utf-8"))
        check_same_settings(f"the training in {config.output}", before, deciding_settings(config))
        begun.replace(output.settings)
        return find_output(dataclasses.replace(config, resume=True))
    if config.output.exists() and not _is_free(output):
        _check_overwritable(config, output.settings.is_file() and not output.finished.is_file())
        shutil.rmtree(output.training, ignore_errors=True)
    return output


def find_output(config: TrainConfig) -> Output:
    """Return the output that another process has prepared, with the report of a training that is finished."""
    output = Output(config.output)
    done = config.resume and output.finished.is_file()
    return Output(config.output, TrainReport.read(output.finished, config.output)) if done else output


def _is_free(output: Output) -> bool:
    """Whether the directory holds nothing, or only what was left by a training that never began."""
    if not output.directory.is_dir():
        return False
    if not {path.name for path in output.directory.iterdir()} <= {output.training.name}:
        return False
    left = output.training.iterdir() if output.training.is_dir() else ()
    return all(path.name.startswith(_BEFORE_IT_BEGINS) for path in left)


def _check_overwritable(config: TrainConfig, unfinished: bool) -> None:
    if not config.output.is_dir():
        raise TrainingExistsError(f"{config.output} is a file, expected a directory")
    if config.force:
        return
    way = "an unfinished training: --resume goes on with it" if unfinished else "something already"
    raise TrainingExistsError(f"{config.output} holds {way}; --force starts over, -o chooses another directory")


def deciding_settings(config: TrainConfig) -> dict[str, Any]:
    """Return what determines the result: settings, and the SHA-256 of the rows."""
    settings = dataclasses.asdict(config)
    for field in dataclasses.fields(config):
        if not setting_of(field).decides_result:
            settings.pop(field.name)
    files = (config.data.train, config.data.validation)
    settings["data_sha256"] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path is not None]
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return plain


def check_same_settings(what: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Check that ``what`` was begun with the same settings.

    Raises:
        TrainingExistsError: it names every setting that differs.
    """
    right = _leaves(wanted)
    # an earlier version wrote nothing of a setting that came later, and trained as without it
    left: dict[str, Any] = {key: value for key, value in right.items() if value is None or value is False}
    names = {key: key.rpartition(".")[2] for key in right}  # those of a search stand below "training"
    left |= {key: _BEFORE_IT_WAS_A_SETTING[name] for key, name in names.items() if name in _BEFORE_IT_WAS_A_SETTING}
    left |= {key: value for key, value in _leaves(found).items() if key.rpartition(".")[2] not in _DECIDES_NO_LONGER}
    different = sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key))
    if different:
        shown = "; ".join(_difference(key, left.get(key), right.get(key)) for key in different)
        raise TrainingExistsError(f"{what} has other settings ({shown}); give the same ones, or --force to start over")


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the settings by their dotted names, as `optimizer.epochs`."""
    leaves: dict[str, Any] = {}
    for name, value in settings.items():
        leaves |= _leaves(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return leaves


def _difference(name: str, there: Any, now: Any) -> str:
    if name.endswith("data_sha256"):
        return "the rows differ"
    return f"{name}: {there} there, {now} now"
