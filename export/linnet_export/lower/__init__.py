"""Lowering to an ExecuTorch program for XNNPACK and linnet's own delegate."""
