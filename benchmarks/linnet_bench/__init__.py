"""Measurement of linnet files: speed, memory and accuracy, on this machine and on others."""
