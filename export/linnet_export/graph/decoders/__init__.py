"""Registry of decoder architectures by `model_type`, one file each."""

from __future__ import annotations

from linnet_export.graph.decoders import gemma3, gpt2, llama, qwen2, qwen3
from linnet_export.graph.decoders.base import Decoder, DecoderBody, UnknownDecoderError
from linnet_export.registry import Registry

__all__ = ["Decoder", "DecoderBody", "UnknownDecoderError", "get_decoder", "supported_decoders"]

_MODULES = (gemma3, gpt2, llama, qwen2, qwen3)
_KNOWN: Registry[Decoder] = Registry(
    "model_type",
    {module.DECODER.model_type: module.DECODER for module in _MODULES},
    UnknownDecoderError,
    "export a decoder of one of these architectures",
)


def supported_decoders() -> tuple[str, ...]:
    """Return the supported values of `model_type`, sorted."""
    return _KNOWN.names()


def get_decoder(model_type: str) -> Decoder:
    """Return the decoder architecture of a `model_type`.

    Raises:
        UnknownDecoderError: there is none; the message lists the supported ones.
    """
    return _KNOWN.get(model_type)
