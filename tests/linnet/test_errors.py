"""The tree in the docstring of linnet.errors, its `__all__` and its classes are the same."""

from __future__ import annotations

import inspect
import re

import linnet.errors
from linnet.errors import LinnetError, error_class

CLASSES = {
    name: cls
    for name, cls in vars(linnet.errors).items()
    if inspect.isclass(cls) and issubclass(cls, LinnetError) and cls.__module__ == "linnet.errors"
}


def tree() -> dict[str, str]:
    """Return the parent of each class in the docstring's tree."""
    parents: dict[int, str] = {}
    found: dict[str, str] = {}
    for line in (linnet.errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    ([|+ -]*)(\w+Error)\b.*", line)
        if match:
            depth = len(match[1])
            parents[depth] = match[2]
            found[match[2]] = parents.get(depth - 4, "")
    return found


def test_every_class_is_exported() -> None:
    assert sorted(linnet.errors.__all__) == sorted([*CLASSES, "error_class"])


def test_the_tree_has_every_class_below_its_base() -> None:
    bases = {name: cls.__bases__[0].__name__ if cls is not LinnetError else "" for name, cls in CLASSES.items()}
    assert tree() == bases


def test_each_status_belongs_to_one_class() -> None:
    with_status = [cls for cls in CLASSES.values() if cls.status]
    assert len({cls.status for cls in with_status}) == len(with_status)
    assert all(error_class(cls.status) is cls for cls in with_status)
