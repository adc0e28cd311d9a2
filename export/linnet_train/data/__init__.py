"""Training data: rows of each task, batches, masking and augmentation."""
