"""Import cycles between the modules of the repository: prints the first one, with exit status 1.

python tools/check_cycles.py
"""

from __future__ import annotations

import graphlib
import sys

import grimp

PACKAGES = (
    "linnet",
    "linnet_bench",
    "linnet_export",
    "linnet_train",
    "linnet_runtime",
    "benchmarks.peers",
    "benchmarks.studies",
    "examples",
)


def main() -> int:
    """Build the graph of all imports, those inside functions and for type checkers included, and sort it."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        print("import cycle:", " <- ".join(error.args[1]), file=sys.stderr)
        return 1
    print(f"{len(imports)} modules without an import cycle")
    return 0


if __name__ == "__main__":
    sys.exit(main())
