"""The Pareto rule, the agreement of answers and what people see, by hand."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.cli.console import Console
from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence
from linnet.runtime import FloatArray
from linnet_bench.compare.answers import agreement
from linnet_bench.compare.report import comparison_page
from linnet_bench.compare.result import Candidate, Comparison, Latency, Settings, choose_accuracy, mark_beaten
from linnet_bench.compare.table import costs, show_comparison
from linnet_bench.measure.candidate import OpenedFile, check_comparable, labels_for
from linnet_bench.record.record import OutputCheck
from linnet_bench.record.statistics import summarize
from tests.support.html_reader import read_page
from tests.support.records import make_record
from tests.support.sdk_fakes import make_manifest

RIGHT = OutputCheck(cases=3, before=True, after=True, message="")
WRONG = OutputCheck(cases=3, before=False, after=None, message="logits is off")


def candidate(label: str, megabytes: float, milliseconds: float, accuracy: float, **changes: Any) -> Candidate:
    samples = [milliseconds * 1e6] * 9 + [2 * milliseconds * 1e6]
    latency = Latency(threads=1, tokens=128, summary=summarize(samples), round_p50_ns=(milliseconds * 1e6,))
    found = Candidate(
        label=label,
        file=dataclasses.replace(
            make_record().file, name=f"{label}.pte", size=int(megabytes * 1e6), recipe=label, sha256=label.ljust(64)
        ),
        status="proven",
        partitions=2,
        proof={"agreement": accuracy, "max_error": 0.00002},
        metrics={},
        agreement=accuracy,
        check=RIGHT,
        latencies=(latency,),
        peak_memory=60_000_000,
        cold_ns=(90_000_000, 110_000_000, 100_000_000),
    )
    return dataclasses.replace(found, **changes)


def comparison(*candidates: Candidate) -> Comparison:
    return Comparison(
        created="2026-11-23T12:00:00+00:00",
        settings=Settings(lengths=(128,), threads=(1,), rounds=3, seconds=0.3, cold_repeats=3, data=""),
        environment=make_record().environment,
        accuracy=choose_accuracy(candidates),
        threads=1,
        tokens=128,
        agreement_texts=12,
        files=candidates,
    )


def beaten(*candidates: Candidate) -> Mapping[str, tuple[str, ...]]:
    return {file.label: file.beaten_by for file in mark_beaten(comparison(*candidates)).files}


def test_a_file_is_beaten_by_one_that_is_nowhere_worse_and_somewhere_better() -> None:
    fp32, int8 = candidate("fp32", 90, 20, 1.0), candidate("int8", 24, 10, 0.99)
    slower = candidate("slower", 24, 11, 0.99)
    worse = candidate("worse", 25, 12, 0.98)
    assert beaten(fp32, int8, slower, worse) == {
        **{"fp32": (), "int8": ()},
        **{"slower": ("int8",), "worse": ("int8", "slower")},
    }


def test_equal_files_do_not_beat_each_other() -> None:
    assert beaten(candidate("a", 24, 10, 0.9), candidate("b", 24, 10, 0.9)) == {"a": (), "b": ()}


def test_a_file_without_latency_beats_none_and_is_beaten_by_none() -> None:
    untimed = candidate("untimed", 1, 1, 1.0, latencies=(), check=WRONG)
    assert beaten(candidate("a", 24, 10, 0.9), untimed) == {"a": (), "untimed": ()}


def same_bytes(label: str, milliseconds: float) -> Candidate:
    file = candidate(label, 24, milliseconds, 0.9)
    return dataclasses.replace(file, file=dataclasses.replace(file.file, sha256="ab" * 32))


def test_identical_files_are_named_and_do_not_beat_each_other() -> None:
    twins = comparison(same_bytes("a", 10), same_bytes("b", 12), candidate("c", 25, 11, 0.9))
    found = {file.label: file.beaten_by for file in mark_beaten(twins).files}
    assert found == {"a": (), "b": (), "c": ("a", "b")}  # both have the shorter time of the one file
    assert "identical files: a, b; their figures differ by chance only" in shown(twins)


def test_a_time_within_the_spread_of_the_rounds_is_not_better() -> None:
    def timed(label: str, *rounds: float) -> Candidate:
        file = candidate(label, 24, rounds[1], 0.9)
        latency = dataclasses.replace(file.latencies[0], round_p50_ns=tuple(1e6 * time for time in rounds))
        return dataclasses.replace(file, latencies=(latency,))

    assert beaten(timed("a", 9, 10, 12), timed("b", 10, 11, 13)) == {"a": (), "b": ()}
    assert beaten(timed("a", 9, 10, 11), timed("b", 12, 13, 14)) == {"a": (), "b": ("a",)}


@pytest.mark.parametrize(("load", "any_load", "marked"), [(0.5, False, True), (3.0, False, False), (3.0, True, True)])
def test_files_are_not_judged_on_a_busy_machine(load: float, any_load: bool, marked: bool) -> None:
    found = comparison(candidate("a", 24, 10, 0.9), candidate("b", 25, 11, 0.9))
    busy = dataclasses.replace(make_record().runs[0].before, load_average=(load, load, load), busy_share=None)  # 4 CPUs
    settings = dataclasses.replace(found.settings, any_load=any_load)
    found = mark_beaten(dataclasses.replace(found, before=busy, settings=settings))
    assert (found.files[1].beaten_by == ("a",)) == marked
    assert ("no file is marked as beaten without --any-load" in shown(found)) != marked


def test_accuracy_is_the_datas_metric_then_the_proofs_figure_then_the_agreement() -> None:
    a, b = candidate("a", 1, 1, 1.0), candidate("b", 1, 1, 0.5)
    assert choose_accuracy([a, b]) == "agreement"
    with_data = [dataclasses.replace(made, metrics={"spearman": 0.8, "pearson": 0.7}) for made in (a, b)]
    assert choose_accuracy(with_data) == "spearman"
    unproven = dataclasses.replace(b, proof={})
    assert choose_accuracy([a, unproven]) == "agreement with the first file"
    assert comparison(a, unproven).accuracy_of(unproven) == 0.5


def test_json_is_versioned_and_has_no_nan() -> None:
    found = comparison(candidate("a", 1, 1, 1.0, metrics={"f1": math.nan}), candidate("b", 2, 2, 0.5))
    data = json.loads(found.to_json())
    assert (data["kind"], data["schema_version"]) == ("linnet-compare", "1.3")
    assert data["files"][0]["metrics"] == {"f1": None}
    assert [file["label"] for file in data["files"]] == ["a", "b"]


def shown(found: Comparison) -> str:
    stream = io.StringIO()
    show_comparison(found, Console(stream))
    return stream.getvalue()


def test_the_table_by_hand() -> None:
    text = shown(mark_beaten(comparison(candidate("int8", 24, 10, 0.99), candidate("slower", 25, 12, 0.98))))
    rows = [line.split() for line in text.splitlines()]
    assert ["int8", "int8", "24.00", "2", "60.0", "100", "0.9900", "0.9900", "2.0e-05"] in rows
    assert ["slower", "slower", "25.00", "2", "60.0", "100", "0.9800", "0.9800", "2.0e-05", "beaten"] in rows
    # of nine samples of 10 ms and one of 20 ms, ranks 5 and 9
    assert ["1", "int8", "10.00", "/", "10.00"] in rows
    assert "slower is beaten by int8: as good or better in size, p50 at 128 tokens on 1 thread and agreement" in text


def test_the_methods_that_ran_are_named() -> None:
    fused, plain, again = (candidate(label, 1, 1, 1.0) for label in ("fused", "plain", "again"))
    fused = dataclasses.replace(fused, method="forward_fused")
    plain, again = (dataclasses.replace(made, method="forward") for made in (plain, again))
    assert "latency of forward_fused, token ids in" in shown(comparison(fused))
    text = shown(comparison(fused, plain, again))
    assert "latency of forward and forward_fused, token ids in" in text
    assert "plain, again ran forward; fused ran forward_fused" in text
    assert "p50 of forward_fused on 1 thread" in comparison_page(comparison(fused))


def test_no_two_columns_have_the_same_name() -> None:
    found = comparison(candidate("int8", 24, 10, 0.99), candidate("fp32", 90, 20, 1.0))
    headers, _ = costs(found)
    assert len(set(headers)) == len(headers)
    assert headers[6:9] == ["like int8", "proof: agreement", "proof: max_error"]
    page = read_page(comparison_page(found))
    assert [table[0] for table in page.tables][:2] == [[*headers[:6], ""], ["file", *headers[6:9]]]
    assert "1.04" not in page.texts["text"]


def test_the_fast_method_is_explained_where_it_ran() -> None:
    fused = candidate("fused", 1, 1, 1.0, method="forward_fused")
    assert "forward_fused: the fast method" in shown(comparison(fused))
    assert "the fast method" not in shown(comparison(candidate("plain", 1, 1, 1.0, method="forward")))


def test_a_wrong_answer_is_named_and_has_no_latency() -> None:
    text = shown(comparison(candidate("a", 1, 1, 1.0), candidate("b", 2, 2, 0.5, check=WRONG, latencies=())))
    assert "WRONG" in text
    assert "b: no latency, because the answers are wrong: logits is off" in text


def test_the_page_has_table_and_front_and_reaches_no_network() -> None:
    found = mark_beaten(comparison(candidate("int8", 24, 10, 0.99), candidate("<b>", 90, 20, 1.0)))
    page = comparison_page(found)
    assert page.startswith("<!DOCTYPE html>")
    assert "Pareto front" in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_page_of_files_that_answer_wrongly_is_still_a_page() -> None:
    files = [candidate(label, 1, 1, 1.0, check=WRONG, latencies=()) for label in "ab"]
    assert "no latency" in comparison_page(comparison(*files))


# -- agreement -----------------------------------------------------------------------------------------


def logits(*rows: list[float]) -> dict[str, FloatArray]:
    return {"logits": np.array(rows[0] if len(rows) == 1 else rows, dtype=np.float32)}


def test_agreement_of_labels_is_a_share() -> None:
    first = [logits([1, 0]), logits([0, 1]), logits([3, 1])]
    other = [logits([2, 0]), logits([1, 0]), logits([2, 1])]
    assert agreement("text-classification", first, other) == pytest.approx(2 / 3)


def test_agreement_of_tokens_counts_every_token() -> None:
    first, other = [logits([1, 0], [0, 1], [1, 0])], [logits([1, 0], [1, 0], [1, 0])]
    assert agreement("token-classification", first, other) == pytest.approx(2 / 3)


def test_agreement_of_scores_is_about_their_order() -> None:
    first, other = [logits([1.0]), logits([2.0]), logits([3.0])], [logits([10.0]), logits([30.0]), logits([20.0])]
    # of three pairs, the last two texts changed places
    assert agreement("text-ranking", first, other) == pytest.approx(2 / 3)
    assert agreement("text-ranking", first[:1], other[:1]) == 1


def test_agreement_of_embeddings_is_their_mean_cosine() -> None:
    first = [{"embedding": np.array([1, 0], dtype=np.float32)}] * 2
    other = [{"embedding": np.array(vector, dtype=np.float32)} for vector in ([2, 0], [3, 4])]
    assert agreement("feature-extraction", first, other) == pytest.approx((1 + 0.6) / 2)


def test_outputs_of_other_shapes_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="same outputs"):
        agreement("text-classification", [logits([1, 0])], [logits([1, 0, 0])])


# -- what can be compared ------------------------------------------------------------------------------


def opened(name: str, task: str = "text-classification", **changes: Any) -> OpenedFile:
    return OpenedFile(Path(name), make_manifest(task, **changes), Evidence())


def test_everything_that_differs_is_said_at_once() -> None:
    others = [
        opened("b.pte", "feature-extraction"),
        opened("c.pte", labels=("x", "y", "z")),
        opened("d.pte", labels=("x",), tokenizer=b"other"),
    ]
    with pytest.raises(InvalidArgumentError) as refused:
        check_comparable([opened("a.pte"), *others])
    message = str(refused.value)
    assert "b.pte has the task feature-extraction" in message
    assert "c.pte has other labels" in message
    assert "d.pte has other tokenizer and labels" in message
    assert "a.pte (text-classification)" in message


def test_recipes_and_bounds_may_differ() -> None:
    check_comparable([opened("a.pte"), opened("b.pte", recipe="int8", max_length=12)])


def test_labels_are_stems_unless_two_are_the_same() -> None:
    assert labels_for([Path("x/a.pte"), Path("y/b.pte")]) == ["a", "b"]
    assert labels_for([Path("x/a.pte"), Path("y/a.pte")]) == ["x/a.pte", "y/a.pte"]
