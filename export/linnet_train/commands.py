"""The commands that train."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["init", "train"]

train = Command(
    help="turn labelled rows into a small checkpoint, or a proven file",
    group="make a file",
    module="linnet_train.cli",
    common=("--data", "--task", "--output", "--validation", "--teacher", "--epochs", "--export", "--recipe"),
    extra="train",
)
init = Command(
    help="make a new model with its own vocabulary, to be pre-trained",
    group="make a file",
    module="linnet_train.new_model.cli",
    rare=True,
    common=("--model-type", "--texts", "--output", "--vocab-size", "--config-overrides"),
    extra="train",
)
