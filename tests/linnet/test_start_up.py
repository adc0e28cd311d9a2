"""Which modules an import, a help and a run load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_importing_linnet_is_light() -> None:
    loaded = modules_after("import linnet")
    assert not loaded & {"numpy", "linnet_runtime", "rich", "argparse", "importlib.metadata"}


def test_version_and_help_load_no_numpy() -> None:
    for argument in ("--version", "--help"):
        code = f"from linnet.cli.main import main\ntry:\n    main(['{argument}'])\nexcept SystemExit:\n    pass"
        assert not modules_after(code) & {"numpy", "rich"}


def test_a_run_loads_only_what_it_needs(files: Path) -> None:
    path = files / "text-classification.pte"
    run = f"from linnet.cli.main import main\nmain(['run', {str(path)!r}, 'x'])"
    modules_after(run)  # the first load on a machine repeats golden cases, and notes it
    loaded = modules_after(run)
    assert not loaded & {
        "rich",
        "csv",
        "linnet.format.evidence",
        "linnet.format.golden",
        "linnet.golden_replay",
        "linnet_bench.accuracy.evaluation",
        "importlib.metadata",
        "torch",
    }
