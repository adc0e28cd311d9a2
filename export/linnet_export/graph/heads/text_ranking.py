"""A score for a query and a passage (a cross-encoder): logits [batch, labels], mostly one label."""

from __future__ import annotations

from linnet_export.graph.heads.base import TaskSpec
from linnet_export.graph.heads.text_classification import sequence_head

__all__ = ["TASK"]

TASK = TaskSpec(
    "text-ranking",
    "AutoModelForSequenceClassification",
    takes_pairs=True,
    outputs=lambda settings: ("logits",),
    head=sequence_head,
)
