"""Overrides of a new model's configuration, converted to the types of the fields and validated."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from transformers.activations import ACT2FN

from linnet.errors import InvalidArgumentError

__all__ = ["read_overrides"]

_SET_ELSEWHERE: Mapping[str, str] = {
    "model_type": "--model-type sets it",
    "vocab_size": "--vocab-size sets it",
    "pad_token_id": "the vocabulary has its padding at 0",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "hidden_act": tuple(sorted(ACT2FN)),
    "activation": tuple(sorted(ACT2FN)),
    "normalization_type": ("layer_norm", "no_norm"),
}


def read_overrides(model_type: str, plain: Any, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in the types of their defaults; from the command line they are strings.

    Args:
        model_type: of the configuration, for messages.
        plain: the configuration as transformers makes it.
        overrides: values by field.

    Raises:
        InvalidArgumentError: a field is unknown, set elsewhere or impossible; the message names all of them.
    """
    unknown = sorted(name for name in overrides if not hasattr(plain, name))
    problems = [f"{model_type} has no {', '.join(unknown)}; see its config.json"] if unknown else []
    values: dict[str, Any] = {}
    for name, value in overrides.items():
        if name in unknown:
            continue
        usual = getattr(plain, name)
        try:
            values[name] = _in_type_of(usual, value)
        except ValueError as error:
            problems.append(f"{name} is {value!r}, expected {error}")
        else:
            problems += _impossible(name, usual, values[name])
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    return values


def _in_type_of(usual: Any, value: Any) -> Any:
    """Return the value as its default is: a ValueError says what is needed."""
    if not isinstance(value, str) or isinstance(usual, str):
        return value
    wanted = "true or false" if isinstance(usual, bool) else "a whole number" if isinstance(usual, int) else "a number"
    if usual is not None and not isinstance(usual, bool | int | float):
        return value
    try:
        read = json.loads(value.lower())
    except ValueError as error:
        if usual is None:
            return value
        raise ValueError(wanted) from error
    fits = usual is None or type(read) is type(usual) or (isinstance(usual, float) and type(read) is int)
    if not fits:
        raise ValueError(wanted)
    return float(read) if isinstance(usual, float) else read


def _impossible(name: str, usual: Any, value: Any) -> list[str]:
    if name in _SET_ELSEWHERE:
        return [f"{name} cannot be overridden, {_SET_ELSEWHERE[name]}"]
    if name in _CHOICES and value not in _CHOICES[name]:
        return [f"{name} is {value!r}, known are {', '.join(_CHOICES[name])}"]
    if isinstance(usual, bool) or not isinstance(usual, int | float) or not isinstance(value, int | float):
        return []
    if isinstance(usual, int):
        least = min(usual, 1)  # what may be 0 is so by default
        return [] if value >= least else [f"{name} is {value}, expected at least {least}"]
    if "dropout" in name and not 0 <= value < 1:
        return [f"{name} is {value:g}, expected 0 or more and less than 1"]
    return [] if 0 <= value < math.inf else [f"{name} is {value:g}, expected a number of at least 0"]
