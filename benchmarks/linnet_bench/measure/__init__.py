"""The measuring engine: worker processes, what runs inside of them, and what they report."""
