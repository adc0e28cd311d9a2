"""Training data: rows, batches, masking and augmentation."""
