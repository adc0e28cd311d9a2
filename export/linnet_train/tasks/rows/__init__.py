"""Row readers and descriptions of the tasks: one file each, with a `DESCRIPTION`.

Nothing here imports PyTorch, so that unusable rows are reported at once.
"""
