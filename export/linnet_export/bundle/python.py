"""Target python: a package that contains the file."""

from __future__ import annotations

import functools

from linnet_export.bundle.constants import constant_names, quoted, type_name
from linnet_export.bundle.content import Content
from linnet_export.bundle.notices import notices
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.tasks.base import SampleValues

__all__ = ["content"]


_quoted = functools.partial(quoted, language="python")


def content(subject: Subject) -> Content:
    """Return the package, a sample and a requirements file."""
    package = subject.name
    return {
        f"{package}/__init__.py": _package(subject).encode(),
        f"{package}/{subject.asset}": subject.path,
        "sample.py": _sample(subject).encode(),
        "requirements.txt": _requirement(subject).encode(),
        **notices(subject),
    }


def _requirement(subject: Subject) -> str:
    extra = "" if subject.manifest.tokenizer_kind == "wordpiece" else "[tokenizers]"
    return f"linnet{extra}\n"


def _package(subject: Subject) -> str:
    labels = subject.manifest.labels
    lines = [
        f'"""{subject.asset}: {subject.manifest.task}. Written by linnet bundle."""',
        "",
        *(["import enum"] if labels else []),
        "from pathlib import Path",
        "",
        "import linnet",
        "",
        f"FILE = Path(__file__).with_name({_quoted(subject.asset)})",
        "",
    ]
    if labels:
        lines += ["", f"class {type_name(subject.name)}(str, enum.Enum):", '    """The classes."""', ""]
        lines += [f"    {name} = {_quoted(label)}" for name, label in zip(constant_names(labels), labels, strict=True)]
        lines += [""]
    return "\n".join(
        [*lines, "", "def load() -> linnet.Model:", '    """Open the file."""', "    return linnet.load(FILE)", ""]
    )


def _sample(subject: Subject) -> str:
    package = subject.name
    labels = f"{package}.{type_name(package)}"
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), labels, subject.embedding_size)
    return f"import {package}\n\nwith {package}.load() as model:\n    {subject.task.python_sample(values)}\n"
