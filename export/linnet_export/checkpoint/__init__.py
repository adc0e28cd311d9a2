"""Loading of checkpoints: the original model, its tokenizer and what is known about them."""

from linnet_export.checkpoint.loading import Checkpoint, load_checkpoint

__all__ = ["Checkpoint", "load_checkpoint"]
