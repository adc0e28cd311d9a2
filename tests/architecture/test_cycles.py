"""Import cycles that pass through the ``__init__`` of a package, which grimp's graph does not hold."""

from __future__ import annotations

import pytest

from tests.support.build_tools import build_tool


@pytest.mark.parametrize(
    ("importer", "imported", "executed"),
    [
        ("pkg.plan", "pkg.recipes.base", {"pkg.recipes"}),
        ("pkg.recipes.other", "pkg.recipes.base", set()),
        ("pkg.recipes", "pkg.recipes.base", set()),
        ("other", "pkg.recipes.base", {"pkg", "pkg.recipes"}),
        ("pkg_of_another_name", "pkg.plan", {"pkg"}),
        ("pkg.plan", "numpy", set()),
    ],
)
def test_an_import_runs_the_init_of_packages_that_do_not_hold_the_importer(
    importer: str, imported: str, executed: set[str]
) -> None:
    assert build_tool("check_cycles").executed_packages(importer, imported) == executed
