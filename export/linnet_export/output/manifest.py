"""Manifest of an exported program, from checkpoint, tokenizer and graph."""

from __future__ import annotations

from importlib import metadata

from linnet.format.manifest import Manifest
from linnet.version import version
from linnet_export.checkpoint import Checkpoint
from linnet_export.checkpoint.sentence_modules import SentenceModules
from linnet_export.graph.program import DeviceProgram
from linnet_export.lower.lowering import ProgramFacts
from linnet_export.quantize.recipes import QuantizationSummary
from linnet_export.tokenizer import TokenizerBytes

__all__ = ["make_manifest"]


def make_manifest(
    checkpoint: Checkpoint,
    tokenizer: TokenizerBytes,
    program: DeviceProgram,
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
    sentence = checkpoint.sentence
    prompts = sentence.prompts if sentence else {}
    return Manifest(
        task=checkpoint.task.name,
        model_type=checkpoint.model.config.model_type,
        labels=checkpoint.labels,
        score_function=checkpoint.score_function,
        tokenizer_kind=tokenizer.kind,
        tokenizer=tokenizer.data,
        tokenizer_version=tokenizer.version,
        vocab_size=checkpoint.vocab_size,
        pad_id=checkpoint.special_id("pad"),
        unk_id=checkpoint.special_id("unk"),
        cls_id=checkpoint.special_id("cls"),
        sep_id=checkpoint.special_id("sep"),
        mask_id=checkpoint.special_id("mask"),
        max_length=checkpoint.max_length,
        refuses_pairs=checkpoint.task.takes_pairs and not checkpoint.takes_pairs,
        max_batch=max_batch,
        inputs=program.inputs,
        batch_inputs=(*program.inputs, "attention_mask") if max_batch else (),
        outputs=program.outputs,
        embedding_size=checkpoint.embedding_size,
        pooling=checkpoint.pooling,
        normalized=checkpoint.normalize and not _is_truncated(sentence),
        prompt_names=tuple(prompts),
        prompts=tuple(prompts.values()),
        default_prompt=sentence.default_prompt if sentence else "",
        recipe=summary.recipe,
        quantization=summary.text,
        source=checkpoint.source.name,
        source_commit=checkpoint.source.commit,
        source_sha256=checkpoint.sha256,
        license=checkpoint.license,
        producer=f"linnet {version()}",
        executorch_version=metadata.version("executorch"),
        backends=facts.backends,
        kernel_libraries=facts.kernel_libraries,
        operators=facts.operators,
    )


def _is_truncated(sentence: SentenceModules | None) -> bool:
    return sentence is not None and sentence.truncate_dim is not None
