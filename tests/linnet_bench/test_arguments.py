"""Arguments that the measuring commands share: JSON on standard output or in a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_bench.arguments import add_output_arguments, refuse_surplus, write_output


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    add_output_arguments(parser, "the record")
    return parser.parse_intermixed_args(words)


def test_json_is_a_switch_and_output_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    args = parsed("--json", "a.pte", "-o", str(out))
    refuse_surplus(args)
    write_output(lambda: '{"ü": 1}\n', args)
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text(encoding="utf-8")) == {"ü": 1}
    with pytest.raises(InvalidArgumentError, match="--force"):
        write_output(lambda: "{}", args)
    capsys.readouterr()
    write_output(lambda: "{}", parsed("a.pte", "--output", str(out), "--force"))
    assert out.read_text(encoding="utf-8") == "{}"
    write_output(lambda: "{}", parsed("a.pte"))
    assert capsys.readouterr().out == ""


def test_a_file_after_json_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidArgumentError, match=r"got more: out.json; --json takes no file: .* -o OUT"):
        refuse_surplus(parsed("a.pte", "--json", "out.json"))
    with pytest.raises(InvalidArgumentError, match=r"^expected one FILE, got more: b.pte$"):
        refuse_surplus(parsed("a.pte", "b.pte"))
