"""Softmax and sigmoid: their definitions, and logits at the ends of float32."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from linnet.runtime import core
from tests.support.sdk_fakes import f32

softmax, sigmoid = (functools.partial(core().apply_scores, name) for name in ("softmax", "sigmoid"))
logits = hnp.arrays(np.float32, st.integers(1, 8), elements=st.floats(-1e4, 1e4, width=32))


@given(logits)
def test_softmax_and_sigmoid_equal_their_definitions(values: np.ndarray) -> None:
    wide = values.astype(np.float64)
    exact = np.exp(wide - wide.max())
    np.testing.assert_allclose(softmax(values), exact / exact.sum(), atol=1e-6)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(sigmoid(values), 1 / (1 + np.exp(-wide)), atol=1e-6)
    assert softmax(values).dtype == sigmoid(values).dtype == np.float32


def test_extreme_logits_raise_no_floating_point_warning() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(f32([-1e30, 0, 1e30])).tolist() == [0, 0.5, 1]
        assert softmax(f32([-1e30, 1e30])).tolist() == [0, 1]
