"""README.md of a bundle, and the next steps that ``linnet bundle`` prints."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

from linnet_export.bundle.subject import Subject

__all__ = ["Guide", "readme"]


@dataclasses.dataclass(frozen=True)
class Guide:
    """What an app developer does with a bundle.

    Attributes:
        parts: what is in the folder: path and meaning.
        steps: what to do, in Markdown.
        language: name of the language of ``use`` in Markdown.
        uses: for each model, the lines that load it and ask it.
        notes: what to know beside that.
    """

    parts: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    language: str
    uses: tuple[str, ...]
    notes: tuple[str, ...]


def readme(guide: Guide, subjects: Sequence[Subject], target: str, options: Sequence[str]) -> bytes:
    """Return README.md.

    Args:
        guide: what the target says.
        subjects: the files.
        target: its name.
        options: further options of the command that made the bundle.
    """
    names = ", ".join(subject.asset for subject in subjects)
    command = ["linnet", "bundle", *(subject.path.name for subject in subjects), "--target", target, *options]
    text = f"""\
# {names} for {target}

Written by `{shlex.join(command)} -o FOLDER`. Run it again to update the
folder, with more files to add models; files that you changed are not overwritten.

| model | task | labels | tokens at most |
|---|---|---:|---:|
{_models(subjects)}

## Add it

{_steps(guide)}

## Use it

{_uses(guide, subjects)}

## What is here

| path | what |
|---|---|
{_parts(guide)}
| `LICENSES/`, `SIZE.txt` | publish the licences with your app; bytes of each file, as it is and compressed |

## To know

{_notes(guide)}
"""
    return text.encode()


def _models(subjects: Sequence[Subject]) -> str:
    return "\n".join(
        f"| `{subject.asset}` | {subject.manifest.task} | {_labels(subject)} | {subject.manifest.max_length} |"
        for subject in subjects
    )


def _labels(subject: Subject) -> str:
    return str(len(subject.manifest.labels)) if subject.manifest.labels else "none"


def _steps(guide: Guide) -> str:
    indented = (step.replace("\n", "\n   ") for step in guide.steps)
    return "\n".join(f"{number}. {step}" for number, step in enumerate(indented, 1))


def _uses(guide: Guide, subjects: Sequence[Subject]) -> str:
    titles = [f"`{subject.asset}`, {subject.manifest.task}:\n\n" if len(subjects) > 1 else "" for subject in subjects]
    return "\n\n".join(
        f"{title}```{guide.language}\n{use.rstrip()}\n```" for title, use in zip(titles, guide.uses, strict=True)
    )


def _parts(guide: Guide) -> str:
    return "\n".join(f"| `{path}` | {meaning} |" for path, meaning in guide.parts)


def _notes(guide: Guide) -> str:
    return "\n".join(f"- {note}" for note in guide.notes)
