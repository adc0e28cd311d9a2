"""Architectures by `model_type`: each rewrites a Hugging Face encoder for the device."""

from __future__ import annotations

from transformers import PreTrainedModel

from linnet_export.architectures import (
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
from linnet_export.architectures.base import Architecture, DeviceBody, UnsupportedConfigError
from linnet_export.errors import CheckpointError

__all__ = [
    "Architecture",
    "DeviceBody",
    "UnknownArchitectureError",
    "UnsupportedConfigError",
    "device_body",
    "get_architecture",
    "supported",
]

_KNOWN: dict[str, Architecture] = {
    each.ARCHITECTURE.model_type: each.ARCHITECTURE
    for each in (
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
}


class UnknownArchitectureError(CheckpointError):
    """The checkpoint's `model_type` is not supported."""


def supported() -> tuple[str, ...]:
    """Return the supported values of `model_type`, sorted."""
    return tuple(sorted(_KNOWN))


def get_architecture(model_type: str) -> Architecture:
    """Return the architecture of a `model_type`.

    Raises:
        UnknownArchitectureError: there is none; the message lists the supported ones.
    """
    if model_type not in _KNOWN:
        raise UnknownArchitectureError(
            f"model_type is {model_type!r}, supported are {', '.join(supported())}; "
            "export a checkpoint of one of these architectures"
        )
    return _KNOWN[model_type]


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
