"""The comparison with peers: ratios by hand, files kept and remade, a report without processes."""

from __future__ import annotations

import copy
import dataclasses
import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import models
from benchmarks.peers.catalogue import ENGINES
from benchmarks.peers.child import time_calls
from benchmarks.peers.compare import Ratio, best_of, by_family, cosine, latency_ms, mean_of_rounds, overall, ratios
from benchmarks.peers.markdown import to_markdown
from benchmarks.peers.models import LENGTHS, MINILM, MOBILEBERT_CONFIG
from benchmarks.peers.plan import PARTS, TIMED, Plan, parser, plan_of
from benchmarks.peers.readme import to_readme
from benchmarks.peers.report import Comparison, Report, targets, to_json, worst_cosines
from benchmarks.peers.rounds import RoundsPlan, RoundsResult, token_ids
from tests.support.records import make_record

# two turns; ms: linnet 1 and 2, fused 3 and 4 (at 8), 10 and 10 (at 64), plain 4 and 6, 8 and 12
ROUNDS = [
    {
        "linnet": {8: [1_000_000, 1_000_000, 9_000_000], 64: [5_000_000]},
        "onnxruntime-fused": {8: [3_000_000], 64: [10_000_000]},
        "onnxruntime-plain": {8: [4_000_000], 64: [8_000_000]},
        "torch": {8: [10_000_000], 64: [50_000_000]},
    },
    {
        "linnet": {8: [2_000_000], 64: [5_000_000]},
        "onnxruntime-fused": {8: [4_000_000], 64: [10_000_000]},
        "onnxruntime-plain": {8: [6_000_000], 64: [9_000_000]},
        "torch": {8: [10_000_000], 64: [50_000_000]},
    },
]


def test_ratios_are_taken_within_a_turn() -> None:
    found = ratios(ROUNDS, "linnet", "onnxruntime-fused")
    # turn 1: 3 / 1, turn 2: 4 / 2
    assert found[8] == Ratio(middle=2.5, low=2.0, high=3.0)
    assert found[64] == Ratio(middle=2.0, low=2.0, high=2.0)


def test_latency_is_the_median_of_the_turns_medians() -> None:
    assert latency_ms(ROUNDS, "linnet", 8) == 1.5


def test_the_better_file_is_chosen_for_each_length_over_all_turns() -> None:
    rounds = best_of(ROUNDS, ("onnxruntime-fused", "onnxruntime-plain"), "better")
    assert rounds[1]["better"] == {8: [4_000_000], 64: [9_000_000]}
    assert ratios(rounds, "linnet", "better")[64].middle == pytest.approx(1.7)


def test_overall_is_the_geometric_mean_and_the_worst_point() -> None:
    by_length = {8: Ratio(middle=1.0, low=0.5, high=2), 64: Ratio(middle=4.0, low=3, high=5)}
    found = overall(by_length)
    assert found.middle == pytest.approx(2.0)
    assert (found.low, found.high) == (1.0, 4.0)


def test_the_fastest_guise_speaks_for_its_family() -> None:
    rounds = by_family(ROUNDS, {"linnet": ["linnet"], "onnxruntime": ["onnxruntime-fused", "onnxruntime-plain"]})
    assert rounds[0]["onnxruntime"] == {8: [3_000_000], 64: [8_000_000]}
    assert list(rounds[0]) == ["linnet", "onnxruntime"]


def test_the_mean_over_thread_counts_and_its_spread_by_hand() -> None:
    one = [{"a": {8: [1]}, "b": {8: [2]}}, {"a": {8: [1]}, "b": {8: [4]}}, {"a": {8: [1]}, "b": {8: [8]}}]
    two = [{"a": {8: [1]}, "b": {8: [2]}}, {"a": {8: [1]}, "b": {8: [1]}}, {"a": {8: [1]}, "b": {8: [2]}}]
    # medians 4 and 2: sqrt(8); turns sqrt(2 * 2), sqrt(4 * 1), sqrt(8 * 2)
    found = mean_of_rounds([one, two], "a", "b")
    assert found.middle == pytest.approx(8**0.5)
    assert found.low == pytest.approx(2.0)
    assert found.high == pytest.approx(4.0)


def test_cosine_by_hand() -> None:
    one = np.array([[3.0, 4.0]], dtype=np.float32)
    assert cosine(one, np.array([[4.0, 3.0]], dtype=np.float32)) == pytest.approx(24 / 25)
    assert np.isnan(cosine(one, np.zeros((1, 2), dtype=np.float32)))


def test_a_child_times_at_least_five_calls() -> None:
    calls = []
    assert len(time_calls(lambda: calls.append(1), 0)) == 5
    assert len(calls) > 5


def test_ids_are_real_text_of_exactly_the_length() -> None:
    ids = token_ids(models.minilm_folder(), LENGTHS)
    assert [len(ids[str(length)]) for length in LENGTHS] == list(LENGTHS)
    # [CLS] on the first morning of ... [SEP], ids of bert-base-uncased
    assert ids["8"][:5] == [101, 2006, 1996, 2034, 2851]
    assert all(row[-1] == 102 for row in ids.values())
    assert len(set(ids["512"])) > 80


def test_the_configuration_is_full_size_mobilebert() -> None:
    from transformers import MobileBertConfig

    # transformers' defaults are those of google/mobilebert-uncased
    default, ours = MobileBertConfig().to_dict(), MobileBertConfig(**MOBILEBERT_CONFIG).to_dict()
    different = {name for name in default if default[name] != ours[name]}
    assert different <= {"classifier_activation", "attention_probs_dropout_prob"}


# -- files that are kept -------------------------------------------------------------------------------


def test_a_file_is_made_once_and_again_when_its_key_changes(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(target: Path) -> None:
        made.append(target)
        target.write_text(str(len(made)))

    path = tmp_path / "folder" / "file.bin"
    for key, expected in (("a", "1"), ("a", "1"), ("b", "2")):
        assert models._cached(path, key, make).read_text() == expected
    assert len(made) == 2


def test_an_interrupted_making_leaves_no_file(tmp_path: Path) -> None:
    def half(target: Path) -> None:
        target.write_text("half")
        raise KeyboardInterrupt

    path = tmp_path / "file.bin"
    with pytest.raises(KeyboardInterrupt):
        models._cached(path, "a", half)
    assert not path.exists()

    def whole(target: Path) -> None:
        target.write_text("whole")

    assert models._cached(path, "a", whole).read_text() == "whole"


# -- arguments and report ------------------------------------------------------------------------------


def plan(*arguments: str) -> Plan:
    return plan_of(parser(None).parse_args(arguments))


def test_the_demos_benchmark_is_a_short_one_of_its_own_file() -> None:
    script = (
        (Path(__file__).parents[2] / "examples" / "demo" / "demo.sh").read_text(encoding="utf-8").replace("\\\n", " ")
    )
    (line,) = (line for line in script.splitlines() if "-m benchmarks.peers" in line)
    words = [__file__ if word == "$file" else word for word in shlex.split(line)[3:]]
    found = plan(*words)
    assert [spec.name for spec in found.specs] == ["minilm-l6"]
    assert found.file is not None
    assert found.quick
    # engines that the environment has; OpenVINO would make one of its own
    assert found.parts == ("latency", "footprint")
    assert found.engines_of("latency", 1) == ["linnet", "onnxruntime-fused", "onnxruntime-plain", "torch"]
    assert not [engine for engine in found.engines if engine.startswith("openvino")]


def test_quick_is_both_models_on_one_thread_and_fewer_engines() -> None:
    found = plan("--quick")
    assert [spec.name for spec in found.specs] == ["minilm-l6", "mobilebert"]
    assert found.engines_of("latency", 1) == [
        "linnet",
        "onnxruntime-fused",
        "onnxruntime-plain",
        "openvino-reshaped",
        "openvino-reshaped-f32",
        "torch",
    ]
    assert (found.threads, found.lengths_of("latency"), found.rounds_of("latency")) == ((1,), (16, 64, 256), 2)


def test_everything_is_both_models_and_all_engines_on_one_and_two_threads() -> None:
    found = plan()
    assert [spec.name for spec in found.specs] == ["minilm-l6", "mobilebert"]
    assert list(found.engines) == list(ENGINES)
    assert {engine for part in TIMED.values() for engine in part.engines} == set(ENGINES)
    assert (found.threads, found.lengths_of("latency")) == ((1, 2), LENGTHS)
    assert found.parts == PARTS


def test_parts_and_families_are_chosen_by_name() -> None:
    found = plan("--only", "batch,roofline", "--without", "openvino,executorch", "--models", "minilm-l6")
    assert found.parts == ("batch", "roofline")
    assert found.engines_of("batch", 1) == ["linnet", "onnxruntime-fused", "onnxruntime-plain", "torch"]
    assert "linnet-sessions" in found.engines_of("batch", 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "latency,speed"), "unknown speed; known: latency, fp32"),
        (("--models", "bert"), "unknown bert"),
        (("--threads", "0"), "expected at least 1"),
    ],
)
def test_wrong_names_and_numbers_are_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        plan(*arguments)
    assert said in capsys.readouterr().err


def test_the_references_cannot_be_left_out() -> None:
    with pytest.raises(SystemExit, match="linnet and torch always take part"):
        plan("--without", "torch")


def test_one_file_cannot_serve_two_models() -> None:
    with pytest.raises(SystemExit, match="exactly one model"):
        plan("--file", "x.pte")


def comparison(linnet_output: tuple[float, float]) -> Comparison:
    """Return the rounds above; everybody but linnet answers as PyTorch does."""
    engines = list(ROUNDS[0])
    outputs = {engine: {n: np.array([[3.0, 4.0]], dtype=np.float32) for n in (8, 64)} for engine in engines}
    outputs["linnet"][64] = np.array([linnet_output], dtype=np.float32)
    result = RoundsResult(
        rounds=list(copy.deepcopy(ROUNDS)),
        outputs=dict(outputs),
        load_ns={engine: [1] for engine in engines},
        peak_memory=dict.fromkeys(engines, 50_000_000),
    )
    wanted = RoundsPlan(spec=MINILM, engines=engines, files={}, threads=1, lengths=(8, 64), rounds=2, seconds=0.1)
    return Comparison(wanted=wanted, result=result)


def report(compared: Comparison, kernels: str = "avx512_vnni") -> Report:
    record = make_record()
    state = record.runs[0].before
    return Report(
        created=record.created,
        environment=dataclasses.replace(record.environment, runtime={"kernels": kernels}),
        versions={"onnxruntime": "1.32.0"},
        before=state,
        after=state,
        files={},
        comparisons=[compared],
        cold={},
        scaling={},
        partial=True,
    )


def cells(text: str, title: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith(f"| {title} ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_report_by_hand() -> None:
    text = to_markdown(report(comparison((3.0, 4.0))))
    assert cells(text, "linnet int8") == [["linnet int8", "1.50", "5.00"]]
    # sqrt(2.5 * 1.7) = 2.06; fastest runs 3 / 1 and 8 / 5, sqrt(3 * 1.6) = 2.19
    (better,) = cells(text, "ONNX Runtime (better)")
    assert better[1:] == ["2.50 (2.00-3.00)", "1.70 (1.60-1.80)", "**2.06**", "1.70", "2.19"]
    assert "**Interrupted**" in text
    # turns: sqrt(3 * 1.6) and sqrt(2 * 1.8)
    assert "- met: all-MiniLM-L6-v2: geometric mean of ONNX Runtime / linnet over 2 points 2.062x (1.897-2.191)" in text
    assert "slowest point against ONNX Runtime (64 tokens, 1 thread) 1.700x (1.600-1.800), target >= 1.1x" in text


def test_the_tables_of_readme_by_hand() -> None:
    text = to_readme(report(comparison((3.0, 4.0))))
    assert cells(text, "all-MiniLM-L6-v2, linnet") == [["all-MiniLM-L6-v2, linnet", "1.5", "5"]]
    assert cells(text, "ONNX Runtime / linnet, time") == [["ONNX Runtime / linnet, time", "2.50x", "1.70x"]]


def test_a_target_is_judged_by_its_figure() -> None:
    slower = comparison((3.0, 4.0))
    for one in slower.result.rounds:
        one["onnxruntime-plain"][64] = one["linnet"][64]  # type: ignore[index]
    verdicts = {target.what.split(": ")[1][:12]: target for target in targets(report(slower))}
    # sqrt(2.5 * 1): still above 1.5, but one point is under 1.1
    assert verdicts["geometric me"].met
    assert not verdicts["slowest poin"].met
    assert verdicts["slowest poin"].line().startswith("NOT MET: ")


@pytest.mark.parametrize(
    ("kernels", "shown"),
    [
        ("avx2", ["target >= 1.35x", "target >= 1.05x", "target >= 2x"]),
        ("avx512_vnni", ["target >= 1.5x", "target >= 1.1x"]),
        ("dotprod", []),
    ],
)
def test_targets_are_those_of_the_processors_class(kernels: str, shown: list[str]) -> None:
    lines = [target.line() for target in targets(report(comparison((3.0, 4.0)), kernels))]
    assert [line[line.index("target >= ") :] for line in lines] == shown


def test_the_json_has_all_samples_and_no_arrays() -> None:
    data = json.loads(to_json(report(comparison((3.0, 4.0)))))
    (entry,) = data["comparisons"]
    assert entry["rounds_ns"][0]["linnet"]["8"] == [1_000_000, 1_000_000, 9_000_000]
    assert entry["ratios"]["torch"]["64"]["middle"] == 10.0
    assert data["partial"] is True


def test_a_wrong_answer_at_one_length_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = comparison((3.0, 4.0)), comparison((4.0, 3.0))
    assert worst_cosines(wrong.result)["linnet"] == pytest.approx(0.96)
    assert not peers._any_wrong([right])
    assert peers._any_wrong([right, wrong])
    assert "linnet answers wrongly, cosine 0.9600" in capsys.readouterr().err
