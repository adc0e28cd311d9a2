"""Regressions between records: found where they are, and not where there is none."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from linnet.errors import InvalidArgumentError
from linnet_bench.record.record import LengthResult, Record, to_json
from linnet_bench.record.statistics import summarize
from linnet_bench.regress.command import add_arguments, run
from linnet_bench.regress.regression import judge, made_under_load
from linnet_bench.regress.significance import Values, p_slower
from tests.support.records import decoder_record, make_record, wrong_record


def test_the_smallest_chance_of_five_and_five_by_hand() -> None:
    old = np.array([[10.0], [10.1], [10.2], [10.3], [10.4]])
    assert p_slower(old, old + 5)[0] == pytest.approx(1 / 252)  # one way of C(10, 5)
    assert p_slower(old + 5, old)[0] == 1


@pytest.mark.parametrize("seed", range(4))
def test_one_point_is_scipys_permutation_test(seed: int) -> None:
    random = np.random.default_rng(seed)
    old, new = random.lognormal(0, 0.05, (5, 1)), random.lognormal(0.03, 0.05, (6, 1))

    def statistic(one: Values, other: Values) -> float:
        error = np.sqrt(np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other))
        return float((np.mean(other) - np.mean(one)) / (error + 0.005))

    expected = scipy.stats.permutation_test(
        (np.log(old[:, 0]), np.log(new[:, 0])), statistic, alternative="greater", vectorized=False, n_resamples=np.inf
    )
    assert p_slower(old, new)[0] == pytest.approx(expected.pvalue)


def test_no_false_alarms_however_many_points_are_compared() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        process = random.normal(0, 0.02, (10, 1))  # what all lengths of one process share
        times = np.exp(process + random.normal(0, 0.01, (10, 14)))
        alarms += bool(p_slower(times[:5], times[5:]).min() <= 0.025)
    # 2.5 % of 200 are 5; 12 and more have a chance of less than 0.6 % (binomial)
    assert alarms < 12


def length(milliseconds: float, random: np.random.Generator, noise: float) -> LengthResult:
    samples = tuple(int(nanoseconds) for nanoseconds in milliseconds * 1e6 * random.lognormal(0, noise, 40))
    return LengthResult(tokens=8, warmup_runs=1, summary=summarize(samples), tokens_per_second=1.0, samples_ns=samples)


def record(milliseconds: float, repeats: int = 5, seed: int = 0, noise: float = 0.01) -> Record:
    random = np.random.default_rng(seed)
    first = make_record()
    runs = tuple(
        dataclasses.replace(first.runs[0], repeat=number, profiles=(), lengths=(length(milliseconds, random, noise),))
        for number in range(repeats)
    )
    return dataclasses.replace(first, runs=runs)


def verdicts(old: Record, new: Record) -> dict[str, str]:
    return {change.name: change.verdict for change in judge([old], [new]).changes}


def test_a_slower_program_is_found() -> None:
    found = judge([record(10.0)], [record(11.0, seed=1)])
    (change,) = (change for change in found.changes if change.name == "8 tokens, 2 threads")
    assert change.verdict == "slower"
    assert change.ratio == pytest.approx(1.1, abs=0.01)
    assert change.p == pytest.approx(1 / 252)
    assert (found.regressed, found.blocks, found.repeats) == (True, False, (5, 5))


def test_a_faster_one_is_no_regression() -> None:
    found = judge([record(11.0)], [record(10.0, seed=1)])
    assert not found.regressed
    assert "faster" in {change.verdict for change in found.changes}


def test_a_significant_difference_below_the_threshold_is_none() -> None:
    assert not judge([record(10.0)], [record(10.3, seed=1)]).regressed
    assert judge([record(10.0)], [record(10.3, seed=1)], 0.02).regressed


def test_a_large_difference_that_may_be_chance_is_none() -> None:
    old, new = record(10.0), record(10.0)
    slow = [dataclasses.replace(run, lengths=record(20.0).runs[0].lengths) for run in new.runs[:1]]
    disturbed = dataclasses.replace(new, runs=(*slow, *new.runs[1:]))
    assert not judge([old], [disturbed]).regressed


def test_single_runs_are_judged_by_blocks_and_twice_the_threshold() -> None:
    assert not judge([record(10.0, 1)], [record(10.7, 1, seed=1)]).regressed
    found = judge([record(10.0, 1)], [record(12.0, 1, seed=1)])
    assert (found.regressed, found.blocks, found.threshold) == (True, True, 0.1)
    assert "measure with --repeats 5" in found.notes[0]


def test_memory_and_files_need_no_test() -> None:
    old = record(10.0)
    runs = tuple(dataclasses.replace(run, peak_memory=70_000_000) for run in old.runs)  # 60 MB before
    found = verdicts(old, dataclasses.replace(old, runs=runs))
    assert (found["peak memory"], found["file"]) == ("slower", "same")


def test_a_wrong_answer_is_a_regression_whatever_the_times() -> None:
    found = judge([make_record()], [wrong_record()])
    assert found.regressed
    assert "they were right before" in found.problems[0]


def test_what_cannot_be_compared_is_refused() -> None:
    machine = dataclasses.replace(make_record().environment, emulated="by QEMU")
    with pytest.raises(InvalidArgumentError, match="under emulation"):
        judge([record(10.0)], [dataclasses.replace(record(10.0), environment=machine)])
    other = record(10.0)
    runs = tuple(dataclasses.replace(run, threads=1) for run in other.runs)
    with pytest.raises(InvalidArgumentError, match="8 tokens on 2 and 8 tokens on 1"):
        judge([record(10.0)], [dataclasses.replace(other, runs=runs)])


def loaded(found: Record, load: float) -> Record:
    before = dataclasses.replace(found.runs[0].before, load_average=(load, load, load), busy_share=None)
    return dataclasses.replace(found, runs=tuple(dataclasses.replace(run, before=before) for run in found.runs))


def test_records_of_a_busy_machine_are_named() -> None:
    assert made_under_load([record(10.0), loaded(record(10.0), 1.2)]) == []  # 4 CPUs, of which 30 % are 1.2
    (name,) = made_under_load([record(10.0), loaded(record(10.0), 2.5)])
    assert name == "intents.pte of 2026-11-23T12:00:00+00:00: the load average was 2.50 on 4 CPUs before it began"


def test_the_load_of_the_measurement_before_is_not_other_work() -> None:
    after_another = loaded(record(10.0), 2.5)
    before = dataclasses.replace(after_another.runs[0].before, busy_share=0.02)
    runs = tuple(dataclasses.replace(run, before=before) for run in after_another.runs)
    assert made_under_load([dataclasses.replace(after_another, runs=runs)]) == []


def test_identical_files_are_named() -> None:
    assert judge([record(10.0)], [record(11.0, seed=1)]).notes == (
        "identical files (SHA-256 abababababababab…): differences come from the machine or the software, not the file",
    )
    other = record(10.0)
    other = dataclasses.replace(other, file=dataclasses.replace(other.file, sha256="cd" * 32))
    assert judge([record(10.0)], [other]).notes == ("different files",)


# -- the command ---------------------------------------------------------------------------------------


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([*map(str, arguments)]))


def write(path: Path, found: Record) -> Path:
    path.write_text(to_json(found), encoding="utf-8")
    return path


def test_the_statistic_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge([record(10)], [record(10, seed=1)]).statistic == "p50 of each repeat, the median of them"
    assert judge([record(10, repeats=1)], [record(10, repeats=1)]).statistic.startswith("p50 of each block of samples")
    path = tmp_path / "a.json"
    path.write_text(to_json(record(10)), encoding="utf-8")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args([str(path), str(path)]))
    assert "latencies: p50 of each repeat, the median of them; linnet report leads with p90" in capsys.readouterr().out


def test_the_exit_status_tells_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, slow = write(tmp_path / "old.json", record(10.0)), write(tmp_path / "new.json", record(12.0, seed=1))
    assert command(old, slow, "--output", tmp_path / "out.json") == 1
    assert "REGRESSION: 8 tokens, 2 threads" in capsys.readouterr().out
    data = json.loads((tmp_path / "out.json").read_text())
    assert (data["kind"], data["regressed"]) == ("linnet-regression", True)
    assert command(slow, old) == 0
    assert "no regression" in capsys.readouterr().out
    again = write(tmp_path / "again.json", record(10.0, seed=2))
    assert command(again, "--baseline", old, again) == 0


def test_wrong_usage_is_refused(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", record(10.0))
    machine = dataclasses.replace(make_record().environment, board="Raspberry Pi 4")
    other = write(tmp_path / "pi4.json", dataclasses.replace(record(10.0), environment=machine))
    busy = write(tmp_path / "busy.json", loaded(record(10.0), 3.0))
    for arguments, message in (
        ([old, tmp_path / "x.pte"], r"expected records \(.json\).*use linnet compare"),
        ([old], "expected the old record and the new one"),
        ([old, old, "--threshold", "0"], "--threshold is 0"),
        ([old, other], "--any-machine"),
        ([old, busy], r"the load average was 3.00 on 4 CPUs before it began; .* --any-load"),
        ([tmp_path / "x.pte", "--baseline", tmp_path / "y.pte"], "use linnet compare for files"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            command(*arguments)
    assert command(old, other, "--any-machine") == 0
    assert command(old, busy, "--any-load") == 0


def speaking(token_ms: float, repeats: int = 5, seed: int = 0) -> Record:
    """Return a record of a decoder whose prompts take the same time every time."""
    random = np.random.default_rng(seed)
    first = decoder_record()
    result = first.runs[0].decoding[0]

    def token() -> LengthResult:
        return dataclasses.replace(length(token_ms, random, 0.01), tokens=1)

    runs = tuple(
        dataclasses.replace(
            first.runs[0],
            repeat=number,
            profiles=(),
            lengths=first.runs[0].lengths[:1],
            decoding=(dataclasses.replace(result, token=token()),),
        )
        for number in range(repeats)
    )
    return dataclasses.replace(first, runs=runs)


def test_a_slower_token_of_a_decoder_is_found_beside_an_equal_prefill() -> None:
    found = verdicts(speaking(10.0), speaking(11.0, seed=1))
    assert found["one token behind 16 tokens, 2 threads"] == "slower"
    assert found["prefill of 16 tokens, 2 threads"] == "same"


def test_few_prompts_do_not_hide_what_many_tokens_show() -> None:
    found = judge([speaking(10.0, 1)], [speaking(12.0, 1, seed=1)])  # 3 prompts are one block, 40 tokens are 8
    assert {change.name: change.verdict for change in found.changes}[
        "one token behind 16 tokens, 2 threads"
    ] == "slower"
    assert found.blocks
