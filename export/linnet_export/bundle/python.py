"""Target python: a folder that pip installs, with a package for each file and the wheel of linnet."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from linnet.version import version
from linnet_export.bundle.constants import constant_names, quoted
from linnet_export.bundle.content import Content
from linnet_export.bundle.guide import Guide
from linnet_export.bundle.notices import HERE, notices
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import QUESTION, Subject
from linnet_export.bundle.wheel_backend import python_of
from linnet_export.bundle.wheels import linnet_wheel
from linnet_export.tasks.base import SampleValues

__all__ = ["content", "guide"]


_quoted = functools.partial(quoted, language="python")


def content(subjects: Sequence[Subject], settings: BundleSettings) -> Content:
    """Return the packages, a sample, the wheel of linnet and what pip needs to install them."""
    wheel, data = linnet_wheel(settings)
    files: Content = {
        "pyproject.toml": _project(subjects).encode(),
        "wheel_backend.py": HERE / "wheel_backend.py",
        "requirements.txt": _requirements(subjects, wheel).encode(),
        f"wheels/{wheel}": data,
        "sample.py": _sample(subjects).encode(),
        **notices(subjects),
    }
    for subject in subjects:
        files[f"{subject.name}/__init__.py"] = _package(subject).encode()
        files[f"{subject.name}/{subject.asset}"] = subject.path
    return files


def guide(subjects: Sequence[Subject], settings: BundleSettings) -> Guide:
    """Return what to do with the folder."""
    wheel, _ = linnet_wheel(settings)
    return Guide(
        parts=(
            *((f"{subject.name}/", f"package with {subject.asset}, its labels and `load()`") for subject in subjects),
            (f"wheels/{wheel}", "linnet itself"),
            ("requirements.txt", "the wheel and this folder, for pip"),
            ("pyproject.toml, wheel_backend.py", "how pip makes a wheel of this folder, without an index"),
            ("sample.py", "asks each model once"),
        ),
        steps=(
            f"In this folder, with {python_of(wheel)}: `python -m pip install -r requirements.txt`. It installs linnet "
            "from `wheels/` and the models from here; only numpy comes from your index.",
            "`python sample.py`",
        ),
        language="python",
        uses=tuple(map(_use, subjects)),
        notes=(
            "Never list `linnet` by its name alone in requirements: it is on no index, so somebody else could put a "
            "package of that name there. The same holds for the names of these packages.",
            f"`{wheel}` is for {python_of(wheel)}; pip says of another Python or machine that it is not a supported "
            "wheel on this platform. Write the bundle for that one with `--wheel FILE`: `make wheel` in a clone of "
            "linnet makes one for CPython 3.11 and one for 3.12 and newer.",
            "A model opens in milliseconds and may be used by several threads; keep it open.",
        ),
    )


def _requirements(subjects: Sequence[Subject], wheel: str) -> str:
    extra = "" if all(subject.manifest.has_core_tokenizer for subject in subjects) else "[tokenizers]"
    head = f"# from this folder, with {python_of(wheel)}: python -m pip install -r requirements.txt"
    # this folder first: its backend says what is wrong where the wheel is for another Python, pip does not
    return f"{head}\n.\n./wheels/{wheel}{extra}\n"


def _project(subjects: Sequence[Subject]) -> str:
    names = [subject.name for subject in subjects]
    packages = ", ".join(map(_quoted, names))
    return f"""\
# Written by linnet bundle. It names no dependency, since linnet is on no index: requirements.txt has its wheel.
[build-system]
requires = []
build-backend = "wheel_backend"
backend-path = ["."]

[project]
name = "linnet-model-{"-".join(names).replace("_", "-")}"
version = "{version()}"
requires-python = ">=3.11"

[tool.linnet-bundle]
packages = [{packages}]
"""


def _package(subject: Subject) -> str:
    labels = subject.manifest.labels
    lines = [
        f'"""{subject.asset}: {subject.manifest.task}. Written by linnet bundle."""',
        "",
        *(["import enum"] if labels else []),
        "from pathlib import Path",
        "",
        "try:",
        "    import linnet",
        "except ModuleNotFoundError as missing:",
        "    raise ModuleNotFoundError(",
        '        "linnet is not installed; in the folder of the bundle: python -m pip install -r requirements.txt"',
        "    ) from missing",
        "",
        f"FILE = Path(__file__).with_name({_quoted(subject.asset)})",
        "",
    ]
    if labels:
        lines += ["", f"class {subject.type_name}(str, enum.Enum):", '    """The classes."""', ""]
        lines += [f"    {name} = {_quoted(label)}" for name, label in zip(constant_names(labels), labels, strict=True)]
        lines += [""]
    return "\n".join(
        [*lines, "", "def load() -> linnet.Model:", '    """Open the file."""', "    return linnet.load(FILE)", ""]
    )


def _sample(subjects: Sequence[Subject]) -> str:
    imports = "\n".join(f"import {name}" for name in sorted(subject.name for subject in subjects))
    return f"{imports}\n\n" + "\n".join(map(_asked, subjects))


def _use(subject: Subject) -> str:
    return f"import {subject.name}\n\n{_asked(subject)}"


def _asked(subject: Subject) -> str:
    labels = f"{subject.name}.{subject.type_name}"
    values = SampleValues(_quoted(subject.text), _quoted(QUESTION), labels, subject.embedding_size)
    return f"with {subject.name}.load() as model:\n    {subject.task.python_sample(values)}\n"
