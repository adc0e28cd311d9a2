"""Distillation: the teacher's outputs, transfer of hidden states, and losses."""
