"""Measuring linnet files: speed, memory, accuracy, on this machine and on others."""
