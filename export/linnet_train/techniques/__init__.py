"""Ways of training: adapters, contrastive and adversarial training, quantization-aware training."""
