"""Command ``linnet bundle``: arguments, and the printed summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from linnet.cli.console import Console, counted
from linnet.errors import InvalidArgumentError
from linnet_export.bundle import TARGETS, get_target
from linnet_export.bundle.content import Kind, Written, write
from linnet_export.bundle.guide import readme
from linnet_export.bundle.notices import size_report
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import read_subjects
from linnet_export.bundle.wheels import ARCHITECTURES

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The folder gets linnet's sources or library once, and for each file: the file where the project expects it, its labels
as typed constants, and a sample for its task. README.md says what to add to the app, LICENSES/ what to publish with
it, SIZE.txt how large all of it is.

Running it again changes nothing, with more files it adds them. A folder with other content, with files that you
changed, or with the bundle of another target or other models is left alone.

examples:
  linnet bundle intents.pte --target android -o app/linnet
  linnet bundle intents.pte qa.pte --target ios -o LinnetModels
  linnet bundle qa.pte --target c --wheel linnet-0.1.0-cp312-abi3-manylinux_2_34_aarch64.whl -o third_party/qa
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="linnet files (.pte)")
    parser.add_argument("--target", required=True, choices=TARGETS, help="kind of project that the bundle is for")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder to write the bundle to")
    parser.add_argument(
        "--arch", choices=ARCHITECTURES, help="processor of the machine that runs the model, for targets c and python"
    )
    parser.add_argument(
        "--wheel",
        metavar="WHEEL",
        type=Path,
        help="a wheel of linnet for that machine, for targets c and python (default: the installed linnet)",
    )
    parser.add_argument("--force", action="store_true", help="replace the bundle of another target or model in DIR")


def run(args: argparse.Namespace) -> int:
    """Write it and return the exit status."""
    settings = _settings(args)
    subjects, target = read_subjects(args.files), get_target(args.target)
    content, guide = target.content(subjects, settings), target.guide(subjects, settings)
    options = ["--wheel", settings.wheel.name] if settings.wheel is not None else []
    content["README.md"] = readme(guide, subjects, args.target, options)
    sizes = size_report(content)
    content["SIZE.txt"] = sizes
    changed = write(
        content, args.output, Kind(args.target, tuple(subject.name for subject in subjects)), force=args.force
    )
    console = Console()
    console.line(f"{args.output}: {counted(len(content), 'file')} for {args.target}, {_changed(changed)}")
    *_, total = sizes.decode().splitlines()
    _, size, packed = total.split()
    console.line(f"{int(size) / 1e6:.1f} MB on disk, {int(packed) / 1e6:.1f} MB compressed (SIZE.txt)")
    console.heading(f"next ({args.output / 'README.md'} has more)")
    for number, step in enumerate(guide.steps, 1):
        lines = [line.replace("`", "") for line in step.splitlines() if not line.startswith("```")]
        console.line(f"{number}. " + "\n   ".join(lines))
    return 0


def _settings(args: argparse.Namespace) -> BundleSettings:
    if args.target not in ("c", "python") and (args.arch or args.wheel):
        raise InvalidArgumentError(
            f"expected target c or python with --arch or --wheel, got {args.target}, which is built from sources; "
            "leave them out"
        )
    return BundleSettings(args.wheel, args.arch)


def _changed(changed: Written) -> str:
    removed = f", {len(changed.removed)} removed" if changed.removed else ""
    return f"{len(changed.written)} written now{removed}"
