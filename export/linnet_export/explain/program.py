"""Sections of `linnet explain` about partitions by delegate, and about operators outside of them with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linnet.cli.console import counted
from linnet.format.evidence import ProgramStep
from linnet_bench.html import Box, Content, element, flow_chart, table
from linnet_bench.html.figures import percent
from linnet_bench.record.profile import LengthProfile
from linnet_bench.record.table import METHODS
from linnet_export.explain.facts import Facts
from linnet_export.explain.profile import outside_shares
from linnet_export.explain.sections import missing

__all__ = ["delegate_of_step", "outside", "partitions"]

_XNNPACK, _LINNET, _UNKNOWN = "XNNPACK", "linnet's delegate", "XNNPACK or linnet's delegate"
_DELEGATES = {"XnnpackBackend": _XNNPACK, "LinnetBackend": _LINNET}
_OUTSIDE = "outside of delegates"
_LINES, _MANY = 6, 12
_PLUMBING = frozenset("view_copy permute_copy clone to_copy unsqueeze_copy squeeze_copy getitem".split())
_AROUND = ("rounding", "reshape, permute")
# operators around a quantized linear layer, which XNNPACK fuses with it into one operator
_ROUNDING = ("quantize_", "dequantize_", "choose_qparams_")


def partitions(facts: Facts) -> list[Content]:
    """Return the section about partitions: a flow chart of the steps of each method."""
    methods = facts.evidence.details.steps
    if methods is None:
        return [missing("Partitions")]
    shown: list[Content] = [element("p", f"{METHODS}.", class_="note")] if methods.get("forward_fused") else []
    for method, steps in methods.items():
        if not steps:
            continue
        places = [delegate_of_step(method, step) for step in steps]
        kinds = list(dict.fromkeys(sorted(places, key=_ORDER.index)))
        sentences = [_sentence(place, [step for step, at in zip(steps, places, strict=True) if at == place])
                     for place in kinds]  # fmt: skip
        boxes = [_box(step, kinds.index(place), _LINES if len(steps) <= _MANY else 3)
                 for step, place in zip(steps, places, strict=True)]  # fmt: skip
        sentence = f"{'; '.join(sentences)}. In the order in which they run."
        shown.append(flow_chart(f"What runs where: {method}", boxes, kinds=kinds, description=sentence))
        shown.append(_listed(method, steps))
    return shown


_ORDER = (_XNNPACK, _LINNET, _UNKNOWN, _OUTSIDE)


def delegate_of_step(method: str, step: ProgramStep) -> str:
    """Return what runs a step: XNNPACK, linnet's delegate, or none.

    Evidence of earlier versions has no name of the delegate; they called linnet's only in `forward_fused`.
    """
    if not step.partition:
        return _OUTSIDE
    return _DELEGATES.get(step.backend, _UNKNOWN if method == "forward_fused" or step.backend else _XNNPACK)


def _sentence(place: str, steps: Sequence[ProgramStep]) -> str:
    operators = counted(sum(step.count for step in steps), "operator")
    return (
        f"{operators} outside of delegates"
        if place == _OUTSIDE
        else (f"{counted(len(steps), 'partition')} of {place} with {operators}")
    )


def _box(step: ProgramStep, kind: int, lines: int) -> Box:
    # operators that compute first, then those that only round or reshape
    counts = sorted(_counted(step.operators).items(), key=lambda pair: (pair[0] in _AROUND, -pair[1], pair[0]))
    texts = [f"{count} \N{MULTIPLICATION SIGN} {name}" for name, count in counts]
    if len(texts) > lines:
        texts = [*texts[: lines - 1], f"and {sum(count for _, count in counts[lines - 1 :])} more"]
    note = "; ".join(f"{name}: {reason}" for name, reason in step.reasons.items())
    if step.partition:
        return Box(f"partition {step.partition}", texts, kind, ", ".join(f"{count} {name}" for name, count in counts))
    return Box("outside", texts, kind, note)


def _counted(operators: Mapping[str, int]) -> dict[str, int]:
    """Count operators by name, with one entry for all quantization and one for all reshaping."""
    counts: dict[str, int] = {}
    for name, count in operators.items():
        short = "rounding" if name.startswith(_ROUNDING) else "reshape, permute" if name in _PLUMBING else name
        counts[short.lstrip("_")] = counts.get(short.lstrip("_"), 0) + count
    return counts if set(counts) - set(_AROUND) else dict(operators)


def _listed(method: str, steps: Sequence[ProgramStep]) -> Content:
    rows: list[list[Content]] = [
        [
            str(number),
            f"partition {step.partition}, {delegate_of_step(method, step)}" if step.partition else "outside",
            str(step.count),
            ", ".join(f"{name} {count}" for name, count in sorted(step.operators.items(), key=lambda pair: -pair[1])),
        ]
        for number, step in enumerate(steps, 1)
    ]
    headers: list[Content] = ["step", "where", "operators", "which"]
    listed = table(headers, rows, caption=f"Steps of {method}", right=(2,), unbroken=(1,))
    return element("details", element("summary", "Every operator as a table"), listed)


def outside(facts: Facts, measured: tuple[int, str, LengthProfile] | None = None) -> list[Content]:
    """Return the section about operators outside of the delegates, with the reasons.

    Args:
        facts: facts about the file.
        measured: number of threads, method and profile, for shares of the time of that method; None: not measured.
    """
    methods = facts.evidence.details.steps
    if methods is None:
        return [missing("Operators outside of delegates")]
    rows: list[list[Content]] = []
    for method, steps in methods.items():
        counts: dict[tuple[str, str], int] = {}
        for step in steps:
            if not step.partition:
                for name, count in step.operators.items():
                    key = (name, step.reasons.get(name, "not recorded"))
                    counts[key] = counts.get(key, 0) + count
        rows += [[name, method, str(count), why] for (name, why), count in sorted(counts.items(), key=lambda x: -x[1])]
    if not rows:
        return [element("p", "Nothing: every operator runs inside of a delegate.")]
    text = (
        "XNNPACK's partitioner says why it does not take an operator; ExecuTorch's own kernels and linnet's run these."
    )
    headers: list[Content] = ["operator", "method", "times", "why"]
    if measured is not None:
        threads, timed, profile = measured
        shares = outside_shares(profile)
        headers.append(f"share of the time, {profile.tokens} tokens, {counted(threads, 'thread')}")
        for row in rows:
            name = str(row[0])
            # the share is of all occurrences of the name; only one method was timed
            row.append(percent(shares[name]) if row[1] == timed and name in shares else "\N{EN DASH}")
        text += f" In {timed} they take {percent(sum(shares.values()))} of the time together."
    listed = table(headers, rows, caption="Outside of delegates", right=(2, 4), unbroken=(0,))
    return [element("p", text), listed]
