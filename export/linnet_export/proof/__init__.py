"""Proof of a written file: its outputs, computed without torch, against those of the original model on real text."""

from linnet_export.proof.budget import Budget, default_budget
from linnet_export.proof.driver import Proof, choose_calibration, choose_texts, prove
from linnet_export.proof.layer_errors import LayerError, layer_errors
from linnet_export.proof.reference import device_inputs
from linnet_export.proof.texts import ProofText

__all__ = [
    "Budget",
    "LayerError",
    "Proof",
    "ProofText",
    "choose_calibration",
    "choose_texts",
    "default_budget",
    "device_inputs",
    "layer_errors",
    "prove",
]
