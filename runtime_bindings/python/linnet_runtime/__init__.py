"""The compiled core of linnet: tokenize a text, run a program. Applications use the package `linnet`."""

import os
import sys

# Another ExecuTorch in this process must never bind to the symbols of ours, whatever flags were set.
_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_NOW | os.RTLD_LOCAL)
try:
    from linnet_runtime._core import (
        Constraint,
        Encoding,
        Entity,
        Event,
        Generation,
        Masker,
        MaskSession,
        Model,
        Proposal,
        Task,
        TextStream,
        Tokenizer,
        runtime_info,
        verify_file,
    )
finally:
    sys.setdlopenflags(_flags)

__all__ = [
    "Constraint",
    "Encoding",
    "Entity",
    "Event",
    "Generation",
    "MaskSession",
    "Masker",
    "Model",
    "Proposal",
    "Task",
    "TextStream",
    "Tokenizer",
    "runtime_info",
    "verify_file",
]
