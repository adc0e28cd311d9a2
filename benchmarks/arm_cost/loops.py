"""Inner loops in a compiler's assembly output: where they are, and what is in them. Pure text."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence

__all__ = ["Loop", "find_loops", "macs_of", "widest"]

_FUNCTION = re.compile(r"^([A-Za-z_][\w.$]*):")
_LABEL = re.compile(r"^(\.L[\w.$]+):")
_DIRECTIVE = re.compile(r"^\s*(\.|//|#|$)")
_BRANCH = re.compile(r"^\s*(?:b\.?\w*|cbn?z|tbn?z)\s.*?(\.L[\w.$]+)\s*$")

_MACS = (
    (re.compile(r"^(s|u|us|su)dot$"), {"4s": 16, "2s": 8}),
    (re.compile(r"^(s|u|us)mmla$"), {"4s": 32}),
    (re.compile(r"^[su](mull|mlal)2?$"), {"8h": 8, "4s": 4, "2d": 2}),
)
_KINDS = (
    ("pairwise", re.compile(r"^[su]adalp$")),
    ("load", re.compile(r"^ld")),
    ("store", re.compile(r"^st")),
    ("prefetch", re.compile(r"^prfm$")),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loop:
    """An innermost loop.

    Attributes:
        function: mangled name of the function that it is in.
        lines: label, instructions, and the branch back.
    """

    function: str
    lines: Sequence[str]

    @property
    def instructions(self) -> list[str]:
        """The instructions, without labels."""
        return [line.strip() for line in self.lines if not _LABEL.match(line)]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of 8-bit numbers that one pass executes."""
        return sum(map(macs_of, self.instructions))

    @property
    def kinds(self) -> dict[str, int]:
        """Number of instructions by kind: multiply, pairwise, load, store, prefetch, vector, scalar."""
        return dict(Counter(map(_kind, self.instructions)))

    @property
    def multiplication(self) -> str:
        """The instruction that does most of the multiply-accumulates, as it is written."""
        found: Counter[str] = Counter()
        for instruction in self.instructions:
            found[instruction.split()[0]] += macs_of(instruction)
        name = found.most_common(1)[0][0]
        return next(one for one in self.instructions if one.split()[0] == name)


def macs_of(instruction: str) -> int:
    """Return the multiply-accumulates of an instruction of NEON, 0 for any other."""
    name, *operands = instruction.split(None, 1)
    shape = re.match(r"v\d+\.(\w+)", operands[0]) if operands else None
    if shape is None:
        return 0
    return next((counts.get(shape[1], 0) for names, counts in _MACS if names.match(name)), 0)


def _kind(instruction: str) -> str:
    if macs_of(instruction):
        return "multiply"
    name = instruction.split()[0]
    scalar = "vector" if re.search(r"\bv\d+\.", instruction) else "scalar"
    return next((kind for kind, names in _KINDS if names.match(name)), scalar)


def find_loops(assembly: str) -> Iterator[Loop]:
    """Yield the innermost loops of a file: from a label to the first branch back to it, with no such loop inside."""
    function, labels = "", dict[str, int]()
    kept: list[str] = []
    for line in assembly.splitlines():
        if start := _FUNCTION.match(line):
            function, labels, kept = start[1], {}, []
        elif label := _LABEL.match(line):
            labels[label[1]] = len(kept)
            kept.append(line)
        elif not _DIRECTIVE.match(line):
            kept.append(line)
            branch = _BRANCH.match(line)
            if branch and branch[1] in labels:
                begin = labels[branch[1]]
                yield Loop(function=function, lines=kept[begin:])
                # a later branch to an earlier label closes a loop around this one
                labels = {name: at for name, at in labels.items() if at > begin}


def widest(loops: Iterator[Loop], function: str) -> Loop:
    """Return the loop with the most multiply-accumulates in functions whose name contains ``function``.

    Raises:
        ValueError: there is none with any.
    """
    found = max((loop for loop in loops if function in loop.function), key=lambda loop: loop.macs, default=None)
    if found is None or found.macs == 0:
        raise ValueError(f"found no loop that multiplies in a function named like {function}")
    return found
