"""The written file: its manifest, its evidence, and the report of the export."""
