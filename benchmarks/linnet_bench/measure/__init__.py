"""The measuring engine: worker processes, the code that runs inside them, and their events."""
