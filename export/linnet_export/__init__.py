"""From a checkpoint to one proven `.pte` file.

::

    import linnet_export
    report = linnet_export.export(linnet_export.ExportConfig(model="./my-classifier"))

Importing this package is light; PyTorch, transformers and ExecuTorch are imported by :func:`export`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from linnet.errors import ExtraMissingError
from linnet_export.config import ExportConfig, QuantizationConfig

if TYPE_CHECKING:
    from linnet_export.progress import Listener
    from linnet_export.report import ExportReport

__all__ = ["ExportConfig", "QuantizationConfig", "export"]

_NEEDED = ("torch", "torchao", "executorch", "transformers", "safetensors", "tokenizers")


def export(config: ExportConfig, listener: Listener | None = None) -> ExportReport:
    """Export ``config.model`` to one `.pte` file, prove it against the original and write it.

    Args:
        config: what to export and how.
        listener: is told about the progress; None shows nothing.

    Returns:
        The report; its `path` is the written file.

    Raises:
        ExtraMissingError: the `export` extra is not installed.
        CheckpointError: the checkpoint is incomplete or holds something unsupported.
        OutputExistsError: the output is taken.
        OverBudgetError: the program answers too differently from the original.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f'exporting needs {", ".join(missing)}, not installed here; run: pip install "linnet[export]"'
        )
    from linnet_export.pipeline import export as run

    return run(config, listener)
