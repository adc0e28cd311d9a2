"""Registry of the precisions of a linear layer by name, one file each."""

from __future__ import annotations

from linnet_export.quantize.precisions import fp16, fp32, int4, int8, int8_static
from linnet_export.quantize.precisions.base import Precision

__all__ = ["PRECISIONS", "Precision"]

PRECISIONS: dict[str, Precision] = {
    module.PRECISION.name: module.PRECISION for module in (fp32, fp16, int8, int8_static, int4)
}
