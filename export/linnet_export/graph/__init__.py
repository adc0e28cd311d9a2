"""Device graph of a model: encoder architectures, task heads and their layers."""
