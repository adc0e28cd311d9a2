"""Output of an export: manifest, evidence and trailer of the file, and the report."""
