"""Export of a checkpoint to one proven `.pte` file.

::

    import linnet_export
    report = linnet_export.export(linnet_export.ExportConfig(model="./my-classifier"))

Importing this package is light; PyTorch, transformers and ExecuTorch are imported by :func:`export`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from linnet.errors import ExtraMissingError, InvalidArgumentError
from linnet.version import install_line
from linnet_export.config import ExportConfig, QuantizationConfig
from linnet_export.threads import wait_asleep

if TYPE_CHECKING:
    from linnet_export.output.report import ExportReport
    from linnet_export.progress import Listener

__all__ = ["ExportConfig", "QuantizationConfig", "export"]

_NEEDED = ("torch", "torchao", "executorch", "transformers", "safetensors", "tokenizers")


def export(config: ExportConfig, listener: Listener | None = None) -> ExportReport:
    """Export ``config.model`` to one `.pte` file, prove it against the original and write it.

    Args:
        config: what to export and how.
        listener: receives the progress; None shows nothing.

    Returns:
        The report; its `path` is the written file.

    Raises:
        InvalidArgumentError: a file of texts is not there, or settings do not go together.
        ExtraMissingError: the `export` extra is not installed.
        CheckpointError: the checkpoint is incomplete or holds something unsupported.
        OutputExistsError: the output is taken.
        OverBudgetError: the program answers too differently from the original.
    """
    _check_files(config)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"exporting needs {', '.join(missing)}, not installed here; run: {install_line('export')}"
        )
    wait_asleep()
    from linnet_export.pipeline import export as run

    return run(config, listener)


def _check_files(config: ExportConfig) -> None:
    """Check that files of texts exist, before seconds are spent on imports."""
    named = {"proof": config.proof, "calibration": config.calibration}
    problems = [f"{what} is {path}, which is no file" for what, path in named.items() if path and not path.is_file()]
    if problems:
        raise InvalidArgumentError("; ".join(problems))
