"""Options of `linnet export`, read without an export."""

from __future__ import annotations

from pathlib import Path

from linnet_export.cli import _labels


def test_a_byte_order_mark_is_no_part_of_the_first_label(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("\ufeffjoy\nanger\n")
    assert _labels(str(file)) == ("joy", "anger")
