"""``linnet bench`` as tests call it: parsed, or in a process of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from linnet_bench.bench.command import add_arguments, settings_from
from linnet_bench.record.record import Record, Settings, from_json

__all__ = ["bench", "parse", "read", "settings"]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def settings(*arguments: str) -> Settings:
    return settings_from(parse("file.pte", *arguments))


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "linnet", "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(path: Path) -> Record:
    return from_json(path.read_text(encoding="utf-8"))
