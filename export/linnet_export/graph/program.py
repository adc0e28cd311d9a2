"""Device graph of one method of the program: encoder and head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim
from transformers import PreTrainedModel

from linnet_export.graph.architectures import device_body, get_architecture
from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks import Task

__all__ = ["Bounds", "DeviceProgram", "device_module"]

_SHORTEST = 2
"""Tokens of an empty text: its two special tokens."""

_EXAMPLE_LENGTH = 17
_EXAMPLE_BATCH = 3


class Bounds(NamedTuple):
    """Bounds of the dynamic axes of a program.

    Attributes:
        max_length: most tokens of one text.
        max_batch: most texts of a padded batch.
    """

    max_length: int
    max_batch: int = 0


class DeviceProgram(nn.Module):
    """Encoder and head as one method of the program.

    Attributes:
        inputs: names of the inputs of forward, in order.
        outputs: names of the outputs, in order.
        masked: it takes padded batches; else one text without padding.
        fused: it calls the custom operators (:mod:`linnet_export.lower.custom_ops`).
        pools_part: it takes `pooling_mask`, 1 for each token that is pooled and 0 for those of a prompt.
    """

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        outputs: tuple[str, ...],
        masked: bool,
        *,
        fused: bool = False,
        pools_part: bool = False,
    ) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.outputs = outputs
        self.masked = masked
        self.fused = fused
        self.pools_part = pools_part
        self.inputs = (
            "input_ids",
            *(("token_type_ids",) if body.takes_token_types else ()),
            *(("pooling_mask",) if pools_part else ()),
            *(("attention_mask",) if masked else ()),
        )

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return float32 outputs in the order of :attr:`outputs`.

        ``inputs`` are int64 [1, length], or [batch, length] if masked, in the order of :attr:`inputs`.
        """
        named = dict(zip(self.inputs, inputs, strict=True))
        hidden, layout = self.body(
            named["input_ids"], named.get("token_type_ids"), named.get("attention_mask"), fused=self.fused
        )
        if self.pools_part:
            layout = layout._replace(pooled=named["pooling_mask"].to(hidden.dtype))
        results: tuple[Tensor, ...] = self.head(hidden, layout)
        return results

    def examples(self, bounds: Bounds) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs to trace with, and their dynamic axes as torch.export takes them."""
        batch = min(_EXAMPLE_BATCH, bounds.max_batch) if self.masked else 1
        example = torch.ones(batch, min(_EXAMPLE_LENGTH, bounds.max_length), dtype=torch.int64)
        dynamic: dict[int, Any] = {}
        if bounds.max_length > _SHORTEST:
            dynamic[1] = Dim("length", min=_SHORTEST, max=bounds.max_length)
        if self.masked and bounds.max_batch > 1:
            dynamic[0] = Dim("batch", min=1, max=bounds.max_batch)
        inputs = tuple(example.clone() for _ in self.inputs)
        return inputs, (tuple(dynamic for _ in inputs),)

    def with_mask(self) -> DeviceProgram:
        """Return the padded-batch method of the same encoder and head: every parameter is shared."""
        return DeviceProgram(self.body, self.head, self.outputs, masked=True, pools_part=self.pools_part).eval()

    def with_custom_kernels(self) -> DeviceProgram:
        """Return the method with custom operators, all parameters shared."""
        return DeviceProgram(
            self.body, self.head, self.outputs, masked=False, fused=True, pools_part=self.pools_part
        ).eval()


def device_module(
    model: PreTrainedModel,
    task: Task,
    *,
    pooling: str = "none",
    layers: Sequence[nn.Module] = (),
    normalize: bool = False,
    truncate_dim: int | None = None,
    max_length: int,
    masked: bool = False,
    token_types: bool | None = None,
    pools_part: bool = False,
) -> DeviceProgram:
    """Return the device graph of a Hugging Face model; the model itself stays as it is.

    For both methods of one program make the unmasked one, quantize it, and take its
    :meth:`DeviceProgram.with_mask`.

    Args:
        model: a model with the head of the task.
        task: whose head is put on the encoder.
        pooling: none, or names of :data:`linnet.format.manifest.POOLINGS` joined by + (feature-extraction only).
        layers: modules of sentence-transformers behind the pooling (feature-extraction only).
        normalize: embeddings get unit length behind them (feature-extraction only).
        truncate_dim: numbers of an embedding that are kept, the first ones; None: all (feature-extraction only).
        max_length: most tokens of one text, special tokens included.
        masked: take padded batches and `attention_mask`.
        token_types: take `token_type_ids`, if the architecture has them; None: for tasks of pairs.
        pools_part: take `pooling_mask`, which leaves tokens out of the pooling (feature-extraction only).

    Raises:
        UnknownArchitectureError: the `model_type` is not supported.
        UnsupportedConfigError: a setting of the configuration is not.
        UnsupportedHeadError: the head does not fit the task.
    """
    architecture = get_architecture(model.config.model_type)
    settings = HeadSettings(pooling, normalize, tuple(layers), truncate_dim)
    with torch.no_grad():
        head = task.head(model, architecture, settings)
        body = device_body(model, max_length, token_types=task.takes_pairs if token_types is None else token_types)
    return DeviceProgram(body, head, task.outputs(settings), masked, pools_part=pools_part).eval()
