"""Stages of an export: load, quantize, lower, write, prove, deliver."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from linnet.format.evidence import Evidence, LayerError, MixedPrecision, Report
from linnet_bench.accuracy.datasets import Table
from linnet_bench.accuracy.entity_errors import EntityError
from linnet_export.bundle.support import app_notes
from linnet_export.checkpoint import Checkpoint, load_checkpoint
from linnet_export.config import ExportConfig
from linnet_export.graph.decoder_program import LONGEST_CHUNK, DecoderProgram, decoder_module
from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.lower.lowering import LowerResult, lower
from linnet_export.lower.structural_ranges import structural_ranges
from linnet_export.output.deliver import atomic_write, choose_output, write_trailer
from linnet_export.output.details import make_details, measure_layers
from linnet_export.output.manifest import make_manifest
from linnet_export.output.report import ExportReport
from linnet_export.progress import Listener, Quiet, Stages
from linnet_export.proof import (
    Budget,
    ProofText,
    choose_calibration,
    choose_reference,
    choose_texts,
    default_budget,
    device_inputs,
    measure_drift_reference,
    prove,
    prove_entities,
    proven_methods,
    read_proof_rows,
    unproven,
)
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.mixed_precision import quantize_within_budget
from linnet_export.quantize.plan import check_settings, decoder_settings, is_calibrated
from linnet_export.quantize.recipes import QuantizationSummary, Recipe, get_recipe
from linnet_export.quantize.rotation import int4_error, rotate
from linnet_export.tokenizer import TokenizerBytes, tokenizer_bytes

__all__ = ["export"]

_ROTATED_BITS = 8
"""Most bits of weights of a recipe that rotates decoders: with more, activations are not rounded."""

_MOST_CALIBRATION_TEXTS = 1024
"""More texts would only take longer: the papers of GPTQ and AWQ use 128 pieces of a corpus."""


@dataclasses.dataclass(frozen=True)
class _Loaded:
    """Inputs of an export, read and checked before any work.

    Attributes:
        config: settings of the export.
        recipe: the chosen one.
        checkpoint: the original, its task among it.
        tokenizer: its tokenizer, written for the device.
        texts: of the proof; empty if it is switched off.
        reference: texts of the reference for drift; empty if there are none.
        calibration: texts for calibration; empty if the recipe needs none.
        built_in: the calibration is the built-in set, which the proof measures too.
        budget: limits of the proof.
        rows: labelled rows of the proof; None: there are none.
    """

    config: ExportConfig
    recipe: Recipe
    checkpoint: Checkpoint
    tokenizer: TokenizerBytes
    texts: Sequence[ProofText]
    reference: Sequence[ProofText]
    calibration: Sequence[ProofText]
    built_in: bool
    budget: Budget
    rows: Table | None = None


@dataclasses.dataclass(frozen=True)
class _Quantized:
    """The methods of the program, which share every parameter.

    Attributes:
        methods: device graphs by method name, `forward` first.
        summary: what the recipe did.
        mixed: what automatic mixed precision measured; None if it was not asked for.
        errors: error of each layer by name; empty if the proof is switched off.
        error_texts: number of texts behind them.
    """

    methods: Mapping[str, DeviceProgram | DecoderProgram]
    summary: QuantizationSummary
    mixed: MixedPrecision | None
    errors: Mapping[str, LayerError] = dataclasses.field(default_factory=dict)
    error_texts: int = 0

    @property
    def forward(self) -> DeviceProgram | DecoderProgram:
        return self.methods["forward"]


def export(config: ExportConfig, listener: Listener | None = None) -> ExportReport:
    """See :func:`linnet_export.export`."""
    stages = Stages(listener or Quiet())
    output = choose_output(config)
    loaded = _load(config, stages)
    quantized = _quantize(loaded, stages)
    lowered = _lower(loaded, quantized, stages)
    with atomic_write(output, len(lowered.program)) as partial:
        proven, errors = _write_and_prove(loaded, lowered, partial, stages)
        report = _report(loaded, quantized, lowered, stages.seconds)
        evidence = dataclasses.replace(
            proven,
            report=report,
            details=make_details(lowered, quantized.errors, quantized.error_texts),
            places=lowered.facts.debug_map,
        )
        write_trailer(partial, lowered.program, structural_ranges(lowered.program), evidence)
        digest, size = _digest(partial), partial.stat().st_size
    return dataclasses.replace(_finished(evidence, output, digest, size), entity_errors=errors)


def _load(config: ExportConfig, stages: Stages) -> _Loaded:
    recipe, settings = get_recipe(config.recipe), config.quantization
    check_settings(recipe, settings, calibrated=config.calibration is not None, mixed=config.auto_mixed_precision)
    with stages.stage("checkpoint"):
        checkpoint = load_checkpoint(config)
        if checkpoint.task.generates:
            settings = decoder_settings(recipe, settings, mixed=config.auto_mixed_precision)
            config = dataclasses.replace(config, quantization=settings)
        tokenizer = tokenizer_bytes(checkpoint.tokenizer, clean_up=checkpoint.clean_up)
        # texts are read here, before the slow stages, so that a wrong file fails at once
        texts = choose_texts(config, checkpoint)
        reference = choose_reference(config, checkpoint)
        rows = read_proof_rows(config, checkpoint)
        calibrated = is_calibrated(recipe, settings)
        calibration = choose_calibration(config, checkpoint)[:_MOST_CALIBRATION_TEXTS] if calibrated else []
    return _Loaded(
        config=config,
        recipe=recipe,
        checkpoint=checkpoint,
        tokenizer=tokenizer,
        texts=texts,
        reference=reference,
        calibration=calibration,
        built_in=calibrated and config.calibration is None,
        budget=default_budget(checkpoint.task, recipe.exact, config.budget, recipe.weight_bits),
        rows=rows,
    )


def _quantize(loaded: _Loaded, stages: Stages) -> _Quantized:
    config, checkpoint, recipe = loaded.config, loaded.checkpoint, loaded.recipe
    settings = config.quantization
    with stages.stage("graph"):
        rotated = _rotates(checkpoint, recipe)
        methods = _methods(loaded, rotated=rotated)
        program = methods["forward"]
    with stages.stage("quantize"):
        inputs = device_inputs(checkpoint, loaded.calibration, program.inputs)
        mixed = None
        if config.auto_mixed_precision:
            encoders = [method for method in methods.values() if not isinstance(method, DecoderProgram)]
            measured = [method for method in encoders if not method.masked]
            summary, mixed = quantize_within_budget(
                measured, recipe, settings, inputs, checkpoint, loaded.texts, loaded.budget, stages.detail
            )
        else:
            summary = apply_recipe(program, recipe, settings, inputs, stages.detail)
        if not config.prove:
            return _Quantized(methods, summary, mixed)
        # here and not beside the proof: the exact copy that it needs is gone again before graphs take the room
        original = _device_program(checkpoint, rotated=rotated)
        errors, count = measure_layers(checkpoint, original, program, loaded.texts, stages.detail)
    return _Quantized(methods, summary, mixed, errors, count)


def _methods(loaded: _Loaded, *, rotated: bool) -> dict[str, DeviceProgram | DecoderProgram]:
    """Return the methods of the file in float32; they share their layers, so quantizing one quantizes all."""
    program = _device_program(loaded.checkpoint, rotated=rotated)
    methods: dict[str, DeviceProgram | DecoderProgram] = {"forward": program}
    if isinstance(program, DecoderProgram):
        return {**methods, "forward_fused": program.with_custom_kernels()}
    if loaded.recipe.fused:
        methods["forward_fused"] = program.with_custom_kernels()
    if loaded.config.max_batch:
        methods["forward_batch"] = program.with_mask()
    return methods


def _finished(evidence: Evidence, path: Path, sha256: str, size: int) -> ExportReport:
    """Return the report with what the evidence cannot have: path, hash and size of the file that it is a part of."""
    report = {field.name: getattr(evidence.report, field.name) for field in dataclasses.fields(Report)}
    return ExportReport(
        **{**report, "file_bytes": size},
        path=path,
        sha256=sha256,
        status=evidence.status,
        budget=evidence.budget,
        figures=evidence.figures,
        fused=evidence.proof_fused,
        seven_bits=evidence.proof_seven_bits,
        activation_bits=evidence.activation_bits,
        texts=evidence.texts,
        entities=evidence.entities,
    )


def _device_program(checkpoint: Checkpoint, *, rotated: bool) -> DeviceProgram | DecoderProgram:
    """Return `forward` in float32; ``rotated`` says whether a decoder is rotated for the recipe."""
    if checkpoint.task.generates:
        decoder = _decoder_program(checkpoint)
        if rotated:
            rotate(decoder.body)
        return decoder
    sentence = checkpoint.sentence
    return device_module(
        checkpoint.model,
        checkpoint.task,
        pooling=checkpoint.pooling,
        layers=sentence.layers if sentence else (),
        normalize=checkpoint.normalize,
        truncate_dim=sentence.truncate_dim if sentence else None,
        max_length=checkpoint.max_length,
        token_types=checkpoint.token_types.needed,
        pools_part=sentence is not None and not sentence.include_prompt,
    )


def _decoder_program(checkpoint: Checkpoint) -> DecoderProgram:
    length = checkpoint.max_length
    return decoder_module(checkpoint.model, length, min(LONGEST_CHUNK, length))


def _rotates(checkpoint: Checkpoint, recipe: Recipe) -> bool:
    """Return whether the recipe gains by a rotation of the decoder, as :mod:`linnet_export.quantize.rotation` says."""
    if not checkpoint.task.generates or recipe.weight_bits > _ROTATED_BITS:
        return False
    if recipe.weight_bits > 4:
        return True
    body = _decoder_program(checkpoint).body
    error = int4_error(body)
    rotate(body)
    return int4_error(body) <= error


def _lower(loaded: _Loaded, quantized: _Quantized, stages: Stages) -> LowerResult:
    checkpoint, max_batch = loaded.checkpoint, loaded.config.max_batch
    with stages.stage("lower"):
        return lower(
            quantized.methods,
            max_length=checkpoint.max_length,
            max_batch=max_batch,
            constant_methods=lambda facts: make_manifest(
                checkpoint, loaded.tokenizer, quantized.forward, quantized.summary, facts, max_batch
            ).to_raw(),
            progress=stages.detail,
        )


def _write_and_prove(
    loaded: _Loaded, lowered: LowerResult, path: Path, stages: Stages
) -> tuple[Evidence, tuple[EntityError, ...]]:
    """Write the program to ``path`` with a preliminary trailer, without which no file opens, and prove it."""
    with stages.stage("write"):
        ranges = structural_ranges(lowered.program)
        write_trailer(path, lowered.program, ranges, unproven("not proven yet"))
    evidence = unproven("exported with --no-proof")
    errors: tuple[EntityError, ...] = ()
    if loaded.config.prove:
        with stages.stage("prove"):
            evidence, errors = _prove(loaded, lowered, path, stages)
    if not loaded.reference:
        return evidence, errors
    with stages.stage("reference"):
        reference = measure_drift_reference(path, loaded.reference)
    return dataclasses.replace(evidence, drift_reference=reference), errors


def _prove(
    loaded: _Loaded, lowered: LowerResult, path: Path, stages: Stages
) -> tuple[Evidence, tuple[EntityError, ...]]:
    """Compare the file with the original, and run the labelled rows if there are some."""
    fused = "forward_fused" in lowered.facts.partitions
    evidence = prove(path, loaded.checkpoint, loaded.texts, loaded.budget, stages.detail, fused=fused)
    if loaded.rows is None:
        return evidence, ()
    labelled = prove_entities(path, loaded.rows, loaded.config, proven_methods(evidence), stages.detail)
    return dataclasses.replace(evidence, entities=labelled.proof), labelled.errors


def _report(loaded: _Loaded, quantized: _Quantized, lowered: LowerResult, seconds: Mapping[str, float]) -> Report:
    facts, summary = lowered.facts, quantized.summary
    return Report(
        task=loaded.checkpoint.task.name,
        recipe=loaded.recipe.name,
        file_bytes=len(lowered.program),
        checkpoint_bytes=loaded.checkpoint.size,
        parts=dataclasses.asdict(lowered.sizes),
        partitions=dict(facts.partitions),
        operators_outside={name: dict(counts) for name, counts in facts.operators_outside.items()},
        planned_bytes=dict(facts.planned_bytes),
        max_length=loaded.checkpoint.max_length,
        max_batch=loaded.config.max_batch,
        quantization=summary.text,
        kept=summary.kept,
        layers=summary.layers,
        seconds={name: round(spent, 3) for name, spent in seconds.items()},
        notes=(*_notes(loaded, lowered), *app_notes(loaded.checkpoint, quantized.forward.outputs)),
        warnings=loaded.checkpoint.warnings,
        mixed_precision=quantized.mixed,
    )


def _notes(loaded: _Loaded, lowered: LowerResult) -> Iterator[str]:
    if loaded.built_in:
        yield (
            "int4 weights were fitted to the built-in texts, which the proof measures too; "
            "--calibration FILE with texts of your own fits them to what will come"
        )
    if not loaded.config.max_batch and not loaded.checkpoint.task.generates:
        yield (
            "no batch method: a padded batch of long texts is slower than a loop (benchmarks/studies/batch_gain.py); "
            "--max-batch 8 adds one, which can gain with short texts on several threads"
        )
    if lowered.written_twice:
        yield (
            f"{lowered.written_twice / 1e6:.2f} MB are in the file twice: the word embedding, which is also the "
            "decoder, is looked up in one layout and multiplied in another"
        )
    if loaded.tokenizer.note:
        yield loaded.tokenizer.note
    yield from loaded.checkpoint.notes


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
