"""The namespace of linnet's own operators, known to PyTorch while a program is made."""

from __future__ import annotations

import torch

__all__ = ["LIBRARY"]

LIBRARY = torch.library.Library("linnet", "FRAGMENT")
