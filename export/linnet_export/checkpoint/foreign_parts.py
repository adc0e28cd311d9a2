"""Parts of a checkpoint that the program does not take over: weights that nothing runs, code of its own, pickles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from linnet_export.checkpoint.weights import LoadedModel
from linnet_export.errors import CheckpointError
from linnet_export.file_damage import read_json_if_there
from linnet_export.tasks import Task

__all__ = ["check_files", "check_weights"]

_SHOWN = 4
_PICKLES = ("*.pkl", "*.pickle", "*.joblib")
_SETFIT = "config_setfit.json"


def check_files(directory: Path, settings: Mapping[str, Any], task: Task, *, chosen: bool) -> tuple[str, ...]:
    """Return notes about code and pickles in a checkpoint that an export leaves out.

    Args:
        directory: folder of the checkpoint.
        settings: its config.json.
        task: the task of the export.
        chosen: the task was chosen by the user, who so asks for an export without these parts.

    Raises:
        CheckpointError: the task was not chosen, and there are such parts; the message names them.
    """
    return _left_out(list(_foreign_files(directory, settings, task)), task, chosen=chosen)


def check_weights(loaded: LoadedModel, task: Task, *, chosen: bool) -> tuple[str, ...]:
    """Return notes about weights that the program does not run; see :func:`check_files`.

    Heads of other tasks are always left out: transformers leaves them out, too.
    """
    heads = [head for head in loaded.other_heads if head != "pooler"]
    notes = (f"weights of other heads are left out: {', '.join(heads)}",) if heads else ()
    found = []
    if loaded.unknown:
        more = f" and {len(loaded.unknown) - _SHOWN} more" if len(loaded.unknown) > _SHOWN else ""
        shown = ", ".join(loaded.unknown[:_SHOWN]) + more
        found.append(f"weights that {type(loaded.model).__name__} of transformers does not have ({shown})")
    return notes + _left_out(found, task, chosen=chosen)


def _foreign_files(directory: Path, settings: Mapping[str, Any], task: Task) -> Iterator[str]:
    owner = settings
    tokenizer = directory / "tokenizer_config.json"
    for name, kinds in (("config.json", (task.auto_class, "AutoModel")), (tokenizer.name, ("AutoTokenizer",))):
        if name == tokenizer.name:
            owner = read_json_if_there(tokenizer)
        table = owner.get("auto_map")
        code = [table[kind] for kind in kinds if table.get(kind)] if isinstance(table, Mapping) else []
        if code:
            yield f"code of its own (auto_map in {name}: {code[0]}), which linnet never runs"
    pickles = sorted(path.name for pattern in _PICKLES for path in directory.glob(pattern))
    if pickles:
        owner_name = "the classifier of SetFit in " if (directory / _SETFIT).is_file() else ""
        yield f"{owner_name}{', '.join(pickles)}, a pickle, which linnet never loads"
    elif (directory / _SETFIT).is_file():
        yield f"the classifier of SetFit ({_SETFIT})"


def _left_out(found: list[str], task: Task, *, chosen: bool) -> tuple[str, ...]:
    if found and not chosen:
        raise CheckpointError(
            f"the checkpoint has {'; and '.join(found)}: a program without it answers differently; "
            f"--task {task.name} exports it without, and says so in the file"
        )
    return tuple(f"left out of the program: {part}" for part in found)
