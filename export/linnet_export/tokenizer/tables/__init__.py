"""Serialization of a tokenizer as tables for the compiled core (kind ``tables``).

``runtime_bindings/runtime/text/tokenizer/tables/format.h`` has the layout and is the reader. One module for each group
of parts: what the tables cannot say exactly is refused by name, never approximated; the kind ``tokenizers`` then
carries it (tokenizer_json.py).
"""

from __future__ import annotations

from linnet_export.tokenizer.tables.check import check_tables
from linnet_export.tokenizer.tables.writer import tables_blob

__all__ = ["check_tables", "tables_blob"]
