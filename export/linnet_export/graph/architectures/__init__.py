"""Registry of encoder architectures by `model_type`, one file each."""

from __future__ import annotations

from transformers import PreTrainedModel

from linnet_export.errors import CheckpointError
from linnet_export.graph.architectures import (
    albert,
    bert,
    deberta_v2,
    distilbert,
    electra,
    mobilebert,
    modernbert,
    mpnet,
    roberta,
    xlm_roberta,
)
from linnet_export.graph.architectures.base import Architecture, DeviceBody, UnsupportedConfigError
from linnet_export.registry import Registry

__all__ = [
    "Architecture",
    "DeviceBody",
    "UnknownArchitectureError",
    "UnsupportedConfigError",
    "device_body",
    "get_architecture",
    "supported",
]


class UnknownArchitectureError(CheckpointError):
    """The checkpoint's `model_type` is not supported."""


_MODULES = (albert, bert, deberta_v2, distilbert, electra, mobilebert, modernbert, mpnet, roberta, xlm_roberta)
_KNOWN: Registry[Architecture] = Registry(
    "model_type",
    {module.ARCHITECTURE.model_type: module.ARCHITECTURE for module in _MODULES},
    UnknownArchitectureError,
    "export a checkpoint of one of these architectures",
)


def supported() -> tuple[str, ...]:
    """Return the supported values of `model_type`, sorted."""
    return _KNOWN.names()


def get_architecture(model_type: str) -> Architecture:
    """Return the architecture of a `model_type`.

    Raises:
        UnknownArchitectureError: there is none; the message lists the supported ones.
    """
    return _KNOWN.get(model_type)


def device_body(model: PreTrainedModel, max_length: int, *, token_types: bool = False) -> DeviceBody:
    """Return the encoder of ``model`` as a device graph with its own copies of the weights.

    Args:
        model: any Hugging Face model with or without a head.
        max_length: most tokens of one text; positions behind it are left out.
        token_types: forward takes `token_type_ids`, if the architecture has them.

    Raises:
        UnknownArchitectureError: the `model_type` is not supported.
        UnsupportedConfigError: a setting of the configuration is not.
    """
    architecture = get_architecture(model.config.model_type)
    architecture.check(model.config)
    return architecture.body(model, max_length, token_types)
