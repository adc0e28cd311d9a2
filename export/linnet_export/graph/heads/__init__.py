"""Heads on the encoder, one file per kind: the layers between the hidden state and a task's outputs."""
