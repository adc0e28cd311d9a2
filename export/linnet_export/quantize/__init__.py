"""Quantization: recipes, precisions of a layer, calibration and mixed precision."""
