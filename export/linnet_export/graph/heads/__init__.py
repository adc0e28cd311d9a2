"""Heads on the encoder, one file per kind."""
