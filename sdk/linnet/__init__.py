"""linnet: small language models on small devices.

    import linnet

    model = linnet.load("intents.pte")  # without a path: the model that linnet ships with
    model("turn the volume down")

Importing this package loads neither numpy nor the compiled runtime; the first use of a public name imports them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linnet import errors
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.assets import default_model
    from linnet.format.manifest import Manifest
    from linnet.loading import load
    from linnet.model import Model
    from linnet.tokenization.truncation import TruncationWarning

    __version__: str

__all__ = ["LinnetError", "Manifest", "Model", "TruncationWarning", "__version__", "default_model", "errors", "load"]

_HOMES = {
    "Manifest": "linnet.format.manifest",
    "Model": "linnet.model",
    "TruncationWarning": "linnet.tokenization.truncation",
    "default_model": "linnet.assets",
    "load": "linnet.loading",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use (PEP 562)."""
    if name == "__version__":
        from linnet.version import version

        value: Any = version()
    elif name in _HOMES:
        import importlib

        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'linnet' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
