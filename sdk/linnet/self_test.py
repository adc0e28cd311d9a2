"""Self-test at load: two golden cases of a file, run once for each file and machine.

A processor, an emulator or a kernel can compute wrongly without an error: QEMU 7.2 computes the instruction SMOPA
wrongly (QEMU 10 does not), and therefore every int8 answer. The golden cases in the file detect this. A passed test
is recorded in the cache folder of the user, so later loads only read a small file.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.atomic_file import replace_file
from linnet.cache import cache_folder
from linnet.errors import GoldenMismatchError, InvalidArgumentError
from linnet.runtime import runtime_info

if TYPE_CHECKING:
    from linnet.model import Model

__all__ = ["SWITCH_VARIABLE", "is_wanted", "run_self_test"]

SWITCH_VARIABLE = "LINNET_SELF_TEST"
"""Environment variable: 0 skips the self-test; 1, empty or unset runs it."""

_IDENTITY_FIELDS = ("version", "executorch", "cpu", "cpu_features", "kernels")


def is_wanted(argument: bool | None) -> bool:
    """Return whether to run the self-test: ``argument``, or the environment variable if ``argument`` is None.

    Raises:
        InvalidArgumentError: ``argument`` or the environment variable has an invalid value.
    """
    if isinstance(argument, bool):
        return argument
    if argument is not None:
        raise InvalidArgumentError(f"self_test is {argument!r}, expected True, False or None")
    value = os.environ.get(SWITCH_VARIABLE, "")
    if value not in ("", "0", "1"):
        raise InvalidArgumentError(f"the environment variable {SWITCH_VARIABLE} is {value!r}, expected 0 or 1")
    return value != "0"


def run_self_test(model: Model, identity: str) -> None:
    """Run the self-test of a file, unless it passed on this machine before.

    Args:
        model: the open file.
        identity: result of :func:`linnet.format.footer.file_identity`.

    Raises:
        GoldenMismatchError: the outputs on this machine differ from the recorded ones.
        TrailerDamagedError: the golden cases have an invalid form.
    """
    info = runtime_info()
    machine = "\n".join(f"{name}={info.get(name, '')}" for name in _IDENTITY_FIELDS)
    note = _note(identity, machine)
    if note is not None and _reads(note, machine):
        return
    _repeat_cases(model, info)
    if note is not None:
        _write(note, machine)


def _repeat_cases(model: Model, info: Mapping[str, str]) -> None:
    from linnet.golden_replay import rerun_evidence

    results = rerun_evidence(model)
    wrong = [result for result in results if result.problems]
    if wrong:
        raise GoldenMismatchError(
            f"{model.path or 'the file'}: the self-test failed, this machine does not answer as the file was "
            f"proven to: {len(wrong)} of {len(results)} golden cases differ, first: {wrong[0].problems[0]}. "
            f"The processor is {info.get('cpu') or 'unknown'} ({info.get('cpu_features') or 'no features known'})"
            f"{_known_fault(info)}. Export with --recipe fp32 for this machine; "
            f"{SWITCH_VARIABLE}=0 or self_test=False loads the file anyway"
        )


def _known_fault(info: Mapping[str, str]) -> str:
    """Return a hint for processors with SME, which QEMU 7.2 emulates wrongly, or "".

    Measured by tests/aarch64/sme_outer_product.c: wrong in QEMU 7.2, right in QEMU 10.
    """
    if "sme" not in info.get("cpu_features", "").split(","):
        return ""
    return "; QEMU 7.2 computes int8 wrongly with SME and QEMU 10 does not: use a newer one, or -cpu max,sme=off"


def _note(identity: str, machine: str) -> Path | None:
    """Return the path of the record of a passed test, or None if there is no cache folder."""
    folder = cache_folder()
    return None if folder is None else folder / "self-test" / f"{identity}-{zlib.crc32(machine.encode()):08x}"


def _reads(note: Path, machine: str) -> bool:
    try:
        return note.read_text(encoding="utf-8") == machine
    except (OSError, ValueError):
        return False


def _write(note: Path, machine: str) -> None:
    # a read-only or full cache folder is not an error: the next load just tests again
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        replace_file(note, machine)
