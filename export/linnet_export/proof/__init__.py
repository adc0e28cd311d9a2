"""Proof of an exported file: comparison of its outputs, without torch, with those of the original on real text."""

from linnet_export.proof.budget import Budget, default_budget
from linnet_export.proof.drift_reference import choose_reference, measure_drift_reference
from linnet_export.proof.driver import choose_calibration, choose_texts, prove, unproven
from linnet_export.proof.layer_errors import layer_errors
from linnet_export.proof.reference import device_inputs
from linnet_export.proof.texts import ProofText

__all__ = [
    "Budget",
    "ProofText",
    "choose_calibration",
    "choose_reference",
    "choose_texts",
    "default_budget",
    "device_inputs",
    "layer_errors",
    "measure_drift_reference",
    "prove",
    "unproven",
]
