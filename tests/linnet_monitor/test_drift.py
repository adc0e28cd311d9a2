"""Drift: the statistics are those of scipy, a shifted stream is told, and one like the reference is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import scipy.stats
import sklearn.decomposition
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence, FeatureSketch
from linnet.monitoring import Metrics
from linnet_monitor.drift import (
    EDGES,
    HORIZON,
    WINDOW,
    DriftWatch,
    Sketches,
    chi_squared,
    ks_distance,
    population_stability,
    watch_drift,
    watch_reference,
)
from tests.support.sdk_fakes import fake_model, hashed_program

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=12).filter(any)


@given(COUNTS, st.data())
@settings(max_examples=200, deadline=None)
def test_chi_squared_is_that_of_scipy(one: list[int], data: Any) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)).filter(any))
    table = np.array([one, other])
    table = table[:, table.sum(axis=0) > 0]
    statistic, p_value = chi_squared(one, other)
    if table.shape[1] < 2:
        assert (statistic, p_value) == (0, 1)
        return
    expected = scipy.stats.chi2_contingency(table, correction=False)
    assert statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(COUNTS, st.data())
@settings(max_examples=200, deadline=None)
def test_the_distance_is_that_of_scipy_on_the_places_of_the_bins(one: list[int], data: Any) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(one), max_size=len(one)).filter(any))
    places = np.arange(len(one))
    expected = scipy.stats.ks_2samp(np.repeat(places, one), np.repeat(places, other), method="asymp").statistic
    assert ks_distance(one, other) == pytest.approx(expected)


def test_population_stability_by_hand() -> None:
    # shares 0.5, 0.5 against 0.8, 0.2: 0.3 ln 1.6 - 0.3 ln 0.4 = 0.4159; a half in each bin changes little
    assert population_stability([5e6, 5e6], [8e6, 2e6]) == pytest.approx(0.41589, abs=1e-4)
    assert population_stability([3, 4], [3, 4]) == 0


def test_axes_are_the_mean_and_the_directions_in_which_embeddings_vary_most() -> None:
    """Compared with scikit-learn, up to the sign of a component."""
    random = np.random.default_rng(5)
    vectors = random.normal(size=(120, 12)) * np.linspace(3, 0.5, 12) + 1
    sketches = Sketches()
    for vector in vectors:
        sketches.embedded(vector.astype(np.float32)[None])
    made = sketches.reference()
    assert list(made) == [f"axis_{axis}" for axis in range(8)]
    assert all(sum(sketch.counts) == 60 for sketch in made.values())
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = units[::2].mean(axis=0)
    assert made["axis_0"].direction == pytest.approx(mean / np.linalg.norm(mean), abs=1e-4)
    components = sklearn.decomposition.PCA(7).fit(units[::2]).components_
    for axis, component in enumerate(components, 1):
        direction = np.array(made[f"axis_{axis}"].direction)
        assert direction * np.sign(direction @ component) == pytest.approx(component, abs=1e-3)
    expected, _ = np.histogram(units[1::2] @ made["axis_3"].direction, bins=[-2, *made["axis_3"].edges, 2])
    assert made["axis_3"].counts == tuple(expected)


def test_embeddings_that_cannot_be_projected_are_left_out() -> None:
    sketches = Sketches()
    for number in range(40):
        sketches.embedded(np.eye(4)[number % 4])
    drift = DriftWatch(sketches.reference())
    for vector in (np.zeros(4), np.ones(7), np.full(4, np.nan), np.full(4, np.inf)):
        drift.embedded(vector)
    few = Sketches()
    few.embedded(np.ones(4))
    assert few.reference() == {}


class Stream:
    """Inputs whose features come from known distributions."""

    def __init__(self, seed: int, shift: float = 0.0) -> None:
        self._random, self._shift = np.random.default_rng(seed), shift

    def features(self, count: int) -> dict[str, Any]:
        draw, shift = self._random, self._shift
        classes = np.minimum(draw.geometric(0.12, count) - 1, 40)
        columns = {
            "length": np.round(draw.lognormal(2.3 + shift, 0.4, count)),
            "unknown": np.where(draw.random(count) < 0.1 + shift / 2, 0.12, 0.0),
            "confidence": draw.beta(8, 1 + 4 * shift, count),
            "labels": np.where(draw.random(count) < shift, 40 - classes, classes),
        }
        return columns | {f"axis_{axis}": draw.normal(shift / 4, 0.2, count) for axis in range(8)}


def reference(seed: int, count: int) -> dict[str, FeatureSketch]:
    sketches = Sketches()
    for feature, values in Stream(seed).features(count).items():
        for value in values:
            sketches.add(feature, value)
    return sketches.reference()


def feed(drift: DriftWatch, stream: Stream, count: int) -> None:
    for feature, values in stream.features(count).items():
        for value in values.tolist():
            drift.add(feature, value)


@pytest.mark.parametrize("texts", [300, 2000])
@pytest.mark.parametrize("feature", ["length", "confidence", "labels", "axis_5"])
def test_a_shifted_stream_is_told_within_500_texts(texts: int, feature: str) -> None:
    drift = DriftWatch(reference(1, texts))
    feed(drift, Stream(2), 1000)
    assert drift.changed == {}
    feed(drift, Stream(3, shift=1.0), 500)
    assert 1000 < drift.changed[feature] <= 1500


@pytest.mark.parametrize("seed", range(2))
def test_a_stream_like_the_reference_is_not_told_in_50_000_texts(seed: int) -> None:
    drift = DriftWatch(reference(100 + seed, 300))
    feed(drift, Stream(200 + seed), HORIZON)
    assert drift.changed == {}
    assert all(found["p_value"] > 1e-9 for found in drift.statistics().values())


def test_a_sketch_has_the_bins_of_its_edges() -> None:
    sketches = Sketches()
    for value in (0.05, 0.051, 0.99, 1.0):
        sketches.add("confidence", value)
    made = sketches.reference()["confidence"]
    assert made.edges == EDGES["confidence"]
    assert (made.counts[0], made.counts[1], made.counts[-1]) == (1, 1, 2)
    sketches.add("labels", 2)
    labels = sketches.reference()["labels"]
    assert (labels.edges, labels.counts) == ((0, 1, 2), (0, 0, 1, 0))


def test_a_sketch_is_part_of_the_evidence() -> None:
    made = reference(1, 50)
    read = Evidence.from_json(Evidence(drift_reference=made).to_json())
    assert (read.drift_reference, read.damaged) == (made, ())
    assert "drift_reference" not in Evidence().to_json()
    broken = {"drift_reference": {"length": {"edges": [2.0, 1.0], "counts": [1, 1, 1]}}}
    assert Evidence.from_json(broken).damaged


def test_a_file_without_a_reference_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="expected a reference"):
        DriftWatch({})


def test_a_watched_model_compares_its_inputs() -> None:
    metrics, model = Metrics(), fake_model("feature-extraction", hashed_program(8))
    watch, sketches = model.watch(metrics, "m"), Sketches()
    texts = [f"the cat {number}" for number in range(WINDOW)]
    watch.features = sketches
    model.encode(texts)
    assert sketches.counts.keys() == {"length", "unknown"}
    drift = watch_drift(watch, sketches.reference())
    model.encode(texts)
    series = metrics.snapshot()["metrics"]
    distances = [one["value"] for one in series["drift"] if one["labels"]["statistic"] == "ks"]
    assert (len(distances), max(distances[:2])) == (10, 0)
    assert {one["value"] for one in series["drift_detected"]} == {0}
    model.encode(["london"] * WINDOW)
    assert WINDOW < drift.changed["length"] <= 2 * WINDOW
    drift.reset()
    assert drift.changed == {}


def test_the_reference_of_a_file_is_found() -> None:
    document = Evidence(drift_reference=reference(1, 50)).to_json()
    for evidence, found in (("{}", False), (json.dumps(document), True)):
        metrics = Metrics()
        model = fake_model("feature-extraction", hashed_program(8), evidence=evidence)
        assert (watch_reference(model, model.watch(metrics, "m")) is not None) == found
        assert ("drift_detected" in metrics.snapshot()["metrics"]) == found
