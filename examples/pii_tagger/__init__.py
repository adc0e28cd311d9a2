"""Tagger of persons, places and organizations for the masking of personal data: its texts, and where they come from."""
