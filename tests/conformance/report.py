"""Shows who passes what.

python -m tests.conformance.report
"""

from __future__ import annotations

from tests.conformance.reader import CASES
from tests.conformance.runners import RUNNERS, MissingReader


def main() -> int:
    """Print a row for each kind of case and a column for each reader; return 1 if anything fails."""
    found = {}
    for name, run in RUNNERS.items():
        try:
            found[name] = run(CASES)
        except MissingReader as missing:
            print(f"{name}: not run, it needs {missing}")
    kinds = sorted({kind for counts in found.values() for kind in counts})
    print("  ".join(["kind".ljust(10), *(name.rjust(12) for name in found)]))
    for kind in kinds:
        cells = [_cell(*counts.get(kind, (0, 0))) for counts in found.values()]
        print("  ".join([kind.ljust(10), *(cell.rjust(12) for cell in cells)]))
    return int(any(failed for counts in found.values() for _, failed in counts.values()))


def _cell(passed: int, failed: int) -> str:
    return f"{passed} of {passed + failed}"


if __name__ == "__main__":
    raise SystemExit(main())
