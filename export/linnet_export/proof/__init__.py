"""Proof: the written file, run without torch, against the original model on real text."""

from linnet_export.proof.budget import Budget, default_budget
from linnet_export.proof.driver import Proof, choose_texts, prove

__all__ = ["Budget", "Proof", "choose_texts", "default_budget", "prove"]
