"""Manifest of an exported program, from checkpoint, tokenizer and graph."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from linnet.format.manifest import Manifest
from linnet.version import version
from linnet_export.checkpoint import Checkpoint
from linnet_export.graph.decoder_program import DecoderProgram
from linnet_export.graph.program import DeviceProgram
from linnet_export.lower.lowering import ProgramFacts
from linnet_export.quantize.recipes import QuantizationSummary
from linnet_export.tokenizer import ROLES, TokenizerBytes

__all__ = ["make_manifest"]


def make_manifest(
    checkpoint: Checkpoint,
    tokenizer: TokenizerBytes,
    program: DeviceProgram | DecoderProgram,
    summary: QuantizationSummary,
    facts: ProgramFacts,
    max_batch: int,
) -> Manifest:
    """Return the manifest of a program.

    Args:
        checkpoint: the original.
        tokenizer: its tokenizer in the binary format of the device.
        program: the device graph of `forward`.
        summary: summary of the quantization.
        facts: backends, kernel libraries and operators that the lowered program needs.
        max_batch: largest batch of `forward_batch`, 0 if there is no such method.

    Raises:
        ManifestInvalidError: the fields contradict each other.
    """
    return Manifest(
        **_answers(checkpoint),
        **_tokens(checkpoint, tokenizer),
        **_origin(checkpoint),
        max_batch=max_batch,
        inputs=program.inputs,
        batch_inputs=(*program.inputs, "attention_mask") if max_batch else (),
        outputs=program.outputs,
        recipe=summary.recipe,
        quantization=summary.text,
        backends=facts.backends,
        kernel_libraries=facts.kernel_libraries,
        operators=facts.operators,
        **_decoder(checkpoint, program),
    )


def _answers(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the fields that say what the outputs mean."""
    sentence = checkpoint.sentence
    prompts = sentence.prompts if sentence else {}
    truncated = sentence is not None and sentence.truncate_dim is not None
    return {
        "task": checkpoint.task.name,
        "labels": checkpoint.labels,
        "score_function": checkpoint.score_function,
        "embedding_size": checkpoint.embedding_size,
        "pooling": checkpoint.pooling,
        "normalized": checkpoint.normalize and not truncated,
        "prompt_names": tuple(prompts),
        "prompts": tuple(prompts.values()),
        "default_prompt": sentence.default_prompt if sentence else "",
    }


def _decoder(checkpoint: Checkpoint, program: DeviceProgram | DecoderProgram) -> dict[str, Any]:
    """Return the fields of a decoder: how it is called, chat template, end tokens, recommended sampling."""
    if checkpoint.generation is None or not isinstance(program, DecoderProgram):
        return {}
    return {**checkpoint.generation.fields(), **program.manifest_fields()}


def _tokens(checkpoint: Checkpoint, tokenizer: TokenizerBytes) -> dict[str, Any]:
    """Return the fields that say how a text becomes token ids."""
    return {
        "tokenizer_kind": tokenizer.kind,
        "tokenizer": tokenizer.data,
        "tokenizer_version": tokenizer.version,
        "vocab_size": checkpoint.vocab_size,
        **{f"{role}_id": checkpoint.special_id(role) for role in ROLES},
        "max_length": checkpoint.max_length,
        "refuses_pairs": checkpoint.task.takes_pairs and not checkpoint.takes_pairs,
    }


def _origin(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the fields that say what the program was made of, and with what."""
    return {
        "model_type": checkpoint.model.config.model_type,
        "source": checkpoint.source.name,
        "source_commit": checkpoint.source.commit,
        "source_sha256": checkpoint.sha256,
        "license": checkpoint.license,
        "producer": f"linnet {version()}",
        "executorch_version": metadata.version("executorch"),
    }
