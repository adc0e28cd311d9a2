"""Fixtures of the SDK's tests. Nothing heavy is imported here: most tests run without torch."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
for _folder in (_HERE, _HERE.parent):  # sdk_fakes and support, whatever import mode pytest uses
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
