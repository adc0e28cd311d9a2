"""The benchmark record: its dataclasses, statistics, profile, table and JSON Schema."""
