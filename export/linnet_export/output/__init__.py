"""The written file: manifest, evidence, trailer, and the report of the export."""
