"""Training techniques: adapters, contrastive and adversarial training, quantization awareness, calibration."""
