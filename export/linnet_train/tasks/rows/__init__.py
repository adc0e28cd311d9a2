"""Rows of each task, read, checked and split: one file a task, each with a `DESCRIPTION`.

Nothing here imports torch, so rows that cannot be trained on are refused in the first moment.
"""
