"""Proof of an exported file: comparison of its outputs, without torch, with those of the original on real text."""

from linnet_export.proof.budget import Budget, default_budget
from linnet_export.proof.drift_reference import choose_reference, measure_drift_reference
from linnet_export.proof.driver import choose_calibration, choose_texts, prove, proven_methods, unproven
from linnet_export.proof.entities import LabelledProof, prove_entities, read_proof_rows
from linnet_export.proof.layer_errors import layer_errors
from linnet_export.proof.reference import device_inputs
from linnet_export.proof.texts import ProofText

__all__ = [
    "Budget",
    "LabelledProof",
    "ProofText",
    "choose_calibration",
    "choose_reference",
    "choose_texts",
    "default_budget",
    "device_inputs",
    "layer_errors",
    "measure_drift_reference",
    "prove",
    "prove_entities",
    "proven_methods",
    "read_proof_rows",
    "unproven",
]
