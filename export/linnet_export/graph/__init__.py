"""The model rewritten for the device: encoder architectures, task heads and their layers."""
