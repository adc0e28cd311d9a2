"""What an inference costs on 64-bit ARM processors that are not at hand: counted and modelled, never timed."""
