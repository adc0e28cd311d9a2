"""Registry of the targets of ``linnet bundle``, one module each: files as a part of an app or a program."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from linnet.errors import InvalidArgumentError
from linnet_export.bundle.content import Content
from linnet_export.bundle.guide import Guide
from linnet_export.bundle.settings import BundleSettings
from linnet_export.bundle.subject import Subject

__all__ = ["TARGETS", "Target", "get_target"]

_MODULES: Mapping[str, str] = {
    "android": "linnet_export.bundle.android",
    "c": "linnet_export.bundle.c",
    "ios": "linnet_export.bundle.ios",
    "python": "linnet_export.bundle.python",
}

TARGETS: tuple[str, ...] = tuple(_MODULES)
"""Names of the targets."""


class Target(Protocol):
    """One kind of project."""

    def content(self, subjects: Sequence[Subject], settings: BundleSettings) -> Content:
        """Return every file of the project part, by its path in the folder."""

    def guide(self, subjects: Sequence[Subject], settings: BundleSettings) -> Guide:
        """Return what an app developer does with it."""


def get_target(name: str) -> Target:
    """Return the target of that name.

    Raises:
        InvalidArgumentError: there is none.
    """
    if name not in _MODULES:
        raise InvalidArgumentError(f"there is no target {name!r}; known are {', '.join(TARGETS)}")
    return cast(Target, importlib.import_module(_MODULES[name]))
