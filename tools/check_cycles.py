"""Import cycles between the modules of the repository: prints the first one, with exit status 1.

python tools/check_cycles.py
"""

from __future__ import annotations

import graphlib
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("sdk", "benchmarks", "export", "runtime_bindings/python", ".")
PACKAGES = (
    "linnet",
    "linnet_bench",
    "linnet_export",
    "linnet_monitor",
    "linnet_serve",
    "linnet_train",
    "linnet_runtime",
    "benchmarks.peers",
    "benchmarks.studies",
    "examples",
)


def executed_packages(importer: str, imported: str) -> set[str]:
    """Return the packages whose ``__init__`` runs before ``imported`` does, except those that hold ``importer``.

    Python runs every parent's ``__init__`` first; grimp has no edge for that. What holds the importer is already
    running, so it cannot close a cycle.
    """
    parts = imported.split(".")
    parents = {".".join(parts[:depth]) for depth in range(1, len(parts))}
    return {parent for parent in parents if not f"{importer}.".startswith(f"{parent}.")}


def main() -> int:
    """Build the graph of all imports, those inside functions and for type checkers included, and sort it."""
    sys.path[:0] = [str(ROOT / folder) for folder in SOURCES]  # the sources, not what is installed
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {
        module: {
            executed
            for imported in graph.find_modules_directly_imported_by(module)
            for executed in {imported} | (executed_packages(module, imported) & graph.modules)
        }
        for module in graph.modules
    }
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        print("import cycle:", " <- ".join(error.args[1]), file=sys.stderr)
        return 1
    print(f"{len(imports)} modules without an import cycle")
    return 0


if __name__ == "__main__":
    sys.exit(main())
