"""The linnet file format: manifest, evidence trailer, signature and golden cases."""
