"""The whole export on one page: checkpoint, graph, quantize, lower, write, prove, deliver."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from linnet.format.evidence import Evidence, LayerError, Report
from linnet_export.checkpoint import Checkpoint, load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.graph.heads import DeviceProgram, device_module, get_task
from linnet_export.lower.lowering import LowerResult, lower
from linnet_export.lower.ranges import structural_ranges
from linnet_export.output.contract import make_manifest
from linnet_export.output.deliver import choose_output, write_trailer, written_aside
from linnet_export.output.details import make_details, measure_layers
from linnet_export.output.methods import fused_method
from linnet_export.output.report import ExportReport
from linnet_export.progress import Listener, Quiet, Stages
from linnet_export.proof import (
    choose_calibration,
    choose_texts,
    default_budget,
    device_inputs,
    prove,
    unproven,
)
from linnet_export.quantize.mixed_precision import quantize_within_budget
from linnet_export.quantize.recipes import QuantizationSummary, apply_recipe, check_settings, get_recipe, is_calibrated
from linnet_export.tokenizer import TokenizerBytes, tokenizer_bytes

__all__ = ["export"]

_MOST_CALIBRATION_TEXTS = 1024
"""More texts would only take longer: the papers of GPTQ and AWQ use 128 pieces of a corpus."""


def export(config: ExportConfig, listener: Listener | None = None) -> ExportReport:
    """See :func:`linnet_export.export`."""
    stages = Stages(listener or Quiet())
    output = choose_output(config)
    recipe = get_recipe(config.recipe)
    check_settings(
        recipe, config.quantization, calibrated=config.calibration is not None, mixed=config.auto_mixed_precision
    )
    with stages.stage("checkpoint"):
        checkpoint = load_checkpoint(config)
        tokenizer = tokenizer_bytes(checkpoint.tokenizer, clean_up=checkpoint.clean_up)
        # a file of texts that cannot serve is refused before minutes are spent
        takes_pairs = get_task(checkpoint.task).takes_pairs
        texts = choose_texts(config, checkpoint, takes_pairs)
        calibrated = is_calibrated(recipe, config.quantization)
        calibration = choose_calibration(config, checkpoint, takes_pairs) if calibrated else []
    with stages.stage("graph"):
        program = _device_program(checkpoint)
    budget = default_budget(checkpoint.task, recipe.exact, config.budget, recipe.weight_bits)
    with stages.stage("quantize"):
        fitted = device_inputs(checkpoint, calibration[:_MOST_CALIBRATION_TEXTS], program.inputs)
        mixed = None
        if config.auto_mixed_precision:
            summary, mixed = quantize_within_budget(config, checkpoint, program, fitted, texts, budget, stages.detail)
        else:
            summary = apply_recipe(program, config.recipe, config.quantization, fitted, stages.detail)
        errors: tuple[dict[str, LayerError], int] = ({}, 0)
        if config.prove:
            # here and not beside the proof: the exact copy that it needs is gone again before graphs take the room
            errors = measure_layers(checkpoint, _device_program(checkpoint), program, texts, stages.detail)
    with stages.stage("lower"):
        lowered = _lower(checkpoint, tokenizer, program, summary, config.max_batch, stages)
    with written_aside(output) as partial:
        ranges = structural_ranges(lowered.program)
        with stages.stage("write"):
            write_trailer(partial, lowered.program, ranges, unproven("not proven yet"))
        if config.prove:
            with stages.stage("prove"):
                fused = "forward_fused" in lowered.facts.partitions
                evidence = prove(partial, checkpoint, texts, budget, stages.detail, fused=fused)
        else:
            evidence = unproven("exported with --no-proof")
        report = _report(config, checkpoint, tokenizer, lowered, summary, stages)
        evidence = dataclasses.replace(
            evidence,
            report=dataclasses.replace(report, mixed_precision=mixed),
            details=make_details(lowered, *errors),
            places=lowered.facts.places,
        )
        write_trailer(partial, lowered.program, ranges, evidence)
        digest, size = _digest(partial), partial.stat().st_size
    return _finished(evidence, output, digest, size)


def _finished(evidence: Evidence, path: Path, sha256: str, size: int) -> ExportReport:
    report = {field.name: getattr(evidence.report, field.name) for field in dataclasses.fields(Report)}
    return ExportReport(
        **{**report, "file_bytes": size},
        path=path,
        sha256=sha256,
        status=evidence.status,
        budget=evidence.budget,
        figures=evidence.figures,
        fused=evidence.proof_fused,
        texts=evidence.texts,
    )


def _device_program(checkpoint: Checkpoint) -> DeviceProgram:
    return device_module(
        checkpoint.model,
        checkpoint.task,
        pooling=checkpoint.pooling,
        normalize=checkpoint.normalize,
        max_length=checkpoint.max_length,
    )


def _lower(
    checkpoint: Checkpoint,
    tokenizer: TokenizerBytes,
    program: DeviceProgram,
    summary: QuantizationSummary,
    max_batch: int,
    stages: Stages,
) -> LowerResult:
    methods = {"forward": program}
    fused = fused_method(program, summary.recipe)
    if fused is not None:
        methods["forward_fused"] = fused
    if max_batch:
        methods["forward_batch"] = program.with_mask()
    return lower(
        methods,
        max_length=checkpoint.max_length,
        max_batch=max_batch,
        constant_methods=lambda facts: make_manifest(
            checkpoint, tokenizer, program, summary, facts, max_batch
        ).to_raw(),
        progress=stages.detail,
    )


def _report(
    config: ExportConfig,
    checkpoint: Checkpoint,
    tokenizer: TokenizerBytes,
    lowered: LowerResult,
    summary: QuantizationSummary,
    stages: Stages,
) -> Report:
    return Report(
        task=checkpoint.task,
        recipe=config.recipe,
        file_bytes=len(lowered.program),
        checkpoint_bytes=checkpoint.size,
        parts=dataclasses.asdict(lowered.sizes),
        partitions=dict(lowered.facts.partitions),
        operators_outside={name: dict(counts) for name, counts in lowered.facts.operators_outside.items()},
        planned_bytes=dict(lowered.facts.planned_bytes),
        max_length=checkpoint.max_length,
        max_batch=config.max_batch,
        quantization=summary.text,
        kept=summary.kept,
        layers=summary.layers,
        seconds={name: round(seconds, 3) for name, seconds in stages.seconds.items()},
        notes=_notes(config, tokenizer, lowered, is_calibrated(get_recipe(config.recipe), config.quantization)),
    )


def _notes(config: ExportConfig, tokenizer: TokenizerBytes, lowered: LowerResult, calibrated: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if calibrated and config.calibration is None:
        notes.append(
            "int4 weights were fitted to the built-in texts, which the proof measures too; "
            "--calibration FILE with texts of your own fits them to what will come"
        )
    if not config.max_batch:
        notes.append(
            "no batch method: a padded batch of long texts is slower than a loop (benchmarks/studies/batch_gain.py); "
            "--max-batch 8 adds one, which can gain with short texts on several threads"
        )
    if lowered.written_twice:
        notes.append(
            f"{lowered.written_twice / 1e6:.2f} MB are in the file twice: the word embedding, which is also the "
            "decoder, is looked up in one layout and multiplied in another"
        )
    if tokenizer.note:
        notes.append(tokenizer.note)
    return tuple(notes)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
