"""PyTorch namespace of the custom operators."""

from __future__ import annotations

import torch

__all__ = ["LIBRARY"]

LIBRARY = torch.library.Library("linnet", "FRAGMENT")
