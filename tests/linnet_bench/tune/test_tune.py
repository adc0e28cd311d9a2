"""``linnet tune``: which settings are tried, which wins, and what becomes of it in ``linnet.load``."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet.format.evidence import Evidence
from linnet.format.footer import file_identity
from linnet.tuning import TunedSetting, find_setting, machine_name
from linnet_bench.machine.processor import CoreGroup
from linnet_bench.measure.engine import LocalRunner
from linnet_bench.measure.protocol import Emit, Job
from linnet_bench.measure.runner import Collector
from linnet_bench.record.sampling import Sampling
from linnet_bench.tune.measure import explain_choice
from linnet_bench.tune.profile import TunedFile, TuningProfile, read_profile
from linnet_bench.tune.race import Entry, Plan, choose, race
from linnet_bench.tune.settings import affinities, candidates, thread_counts
from tests.support.decoder_file import decoder_file
from tests.support.events import CHECK, FACTS, LENGTH, OPENED
from tests.support.files import BenchFiles
from tests.support.records import decoder_record

# -- what is tried -------------------------------------------------------------------------------------


def test_thread_counts_are_powers_of_two_and_all() -> None:
    assert [thread_counts(cpus) for cpus in (1, 2, 4, 6)] == [(1,), (1, 2), (1, 2, 4), (1, 2, 4, 6)]


def group(*cpus: int) -> CoreGroup:
    return CoreGroup(name=None, cpus=cpus, max_mhz=None, capacity=None)


def test_big_cores_are_tried_alone_where_there_are_little_ones() -> None:
    assert affinities([group(4, 5), group(0, 1, 2, 3)], range(6)) == ((), (4, 5))
    assert affinities([group(4, 5), group(0, 1, 2, 3)], (0, 1)) == ((),)  # the big ones may not be used
    assert affinities([group(0, 1)], (0, 1)) == ((),)


def test_custom_kernels_are_tried_where_the_file_has_it_and_no_more_threads_than_cpus() -> None:
    tried = [*candidates(Evidence(proof_fused={"cosine": 1.0}), (1, 4), ((), (4, 5)))]
    assert [(setting.threads, setting.affinity, setting.fused) for setting in tried] == [
        *((1, (), False), (1, (), True), (4, (), False), (4, (), True)),
        *((1, (4, 5), False), (1, (4, 5), True)),
    ]
    assert not any(setting.fused for setting in candidates(Evidence(), (1,), ((),)))


# -- which wins ----------------------------------------------------------------------------------------

Times = Callable[[Job], float]


class Answering(LocalRunner):
    """Answers a job at once, without a process; wrongly, if the time is negative."""

    def __init__(self, milliseconds: Times, jobs: list[Job]) -> None:
        self.milliseconds, self.jobs = milliseconds, jobs

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        self.jobs.append(job)
        time = abs(self.milliseconds(job)) * 1e6
        check = {**CHECK, "before": self.milliseconds(job) > 0}
        for event in ({**OPENED, "facts": FACTS}, {"event": "checked", "check": check}):
            collector.feed(event)
        summary = {**LENGTH["result"]["summary"], "p50_ns": time, "p90_ns": 2 * time}
        collector.feed({"event": "length", "result": {**LENGTH["result"], "summary": summary}})


def entry(threads: int, name: str = "a.pte", *, fused: bool = False) -> Entry:
    return Entry(Path(name), "int8", TunedSetting(threads=threads, fused=fused))


PLAN = Plan(lengths=(LENGTH["result"]["tokens"],), sampling=Sampling(seconds=1.0), rounds=3)


def test_settings_take_turns_and_slow_ones_leave() -> None:
    jobs: list[Job] = []
    times = {1: 10.0, 2: 6.0, 4: 20.0}
    ranked = race(
        [entry(threads) for threads in times],
        PLAN,
        lambda _: None,
        Answering(lambda job: times[job.variant.threads], jobs),
    )
    assert [survivor.setting.threads for survivor in ranked] == [2, 1, 4]
    # after the second round 10 and 20 ms are more than 1.4 x 6 ms
    assert [job.variant.threads for job in jobs] == [1, 2, 4, 2, 4, 1, 2]
    assert ranked[0].score == pytest.approx(6e6)
    assert ranked[0].at(PLAN.lengths[0], 90) == pytest.approx(12e6)


def test_a_setting_that_answers_wrongly_never_wins() -> None:
    ranked = race(
        [entry(1), entry(2)], PLAN, lambda _: None, Answering(lambda job: -1.0 if job.variant.threads == 1 else 9.0, [])
    )
    assert [survivor.setting.threads for survivor in ranked] == [2]


def test_fp32_wins_where_it_is_faster() -> None:
    def times(job: Job) -> float:
        return 5.0 if "fp32" in job.variant.path else 8.0

    ranked = race([entry(1, "int8.pte"), entry(1, "fp32.pte")], PLAN, lambda _: None, Answering(times, []))
    best = choose(ranked)
    assert best.path.name == "fp32.pte"
    assert explain_choice(best, ranked) == (
        "fp32.pte with 1 thread, XNNPACK's kernels; the best with another file (int8.pte) takes 1.60 x its time"
    )


def test_fewer_threads_win_within_three_percent() -> None:
    times = {1: 10.2, 2: 10.0}
    ranked = race([entry(1), entry(2)], PLAN, lambda _: None, Answering(lambda job: times[job.variant.threads], []))
    assert ranked[0].setting.threads == 2
    assert choose(ranked).setting.threads == 1


# -- the profile ---------------------------------------------------------------------------------------


def profile(identity: str, **changes: object) -> TuningProfile:
    setting = TunedSetting(threads=1, affinity=(), fused=False)
    tuned = TunedFile(name="a.pte", recipe="int8", setting=setting, score_ns=1.0)
    found = TuningProfile(
        created="2026-11-25T12:00:00+00:00",
        machine=machine_name(),
        lengths=(8,),
        files={identity: tuned},
        best=identity,
        reason="because",
    )
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(profile("ab").to_json())
    assert read_profile(path) == profile("ab")


def test_another_machine_and_another_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(profile("ab", machine="a toaster").to_json())
    with pytest.raises(InvalidArgumentError, match="the profile is of a toaster, this machine is .*; run linnet tune"):
        find_setting(path, "ab")
    path.write_text(profile("ab").to_json())
    with pytest.raises(InvalidArgumentError, match=r"the profile is of a.pte, not of this file"):
        find_setting(path, "cd")
    assert find_setting(path, "ab") == TunedSetting(threads=1)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"kind": "other"}', '{"kind": "linnet-profile", "schema_version": "2.0"}']
)
def test_what_is_no_profile_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InvalidArgumentError, match=r"p\.json"):
        read_profile(tmp_path / "p.json")


def test_auto_without_a_profile_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINNET_CACHE", str(tmp_path))
    assert find_setting("auto", "ab") is None


_LOAD = """
import sys, linnet
from linnet.runtime import runtime_info
linnet.load(sys.argv[1], profile=sys.argv[2], threads=int(sys.argv[3]))
print(runtime_info()["threads"])
"""


def python(cache: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "LINNET_CACHE": str(cache)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_command_stores_and_load_applies(bench_files: BenchFiles, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    quick = ("--threads", "1", "--rounds", "1", "--seconds", "0.01", "--lengths", "4,99")
    done = python(cache, "-m", "linnet", "tune", bench_files.proven, *quick)
    assert done.returncode == 0, done.stderr
    assert "best here: proven.pte with 1 thread" in done.stdout
    assert "--lengths has 99, over the file's bound of 24 tokens; 24 is taken instead" in done.stderr
    (kept,) = (cache / "profiles").iterdir()
    assert json.loads(kept.read_text())["best"] == file_identity(str(bench_files.proven))
    for given, threads in (("0", "1"), ("2", "2")):  # an explicit number wins
        loaded = python(cache, "-c", _LOAD, bench_files.proven, "auto", given)
        assert loaded.stdout.strip() == threads, loaded.stderr
    refused = python(cache, "-c", _LOAD, bench_files.unproven, kept, "0")
    assert "not of this file" in refused.stderr


def test_wrong_files_and_wrong_usage(bench_files: BenchFiles, tmp_path: Path) -> None:
    quick = ("--threads", "1", "--rounds", "1", "--seconds", "0.01", "--lengths", "4")
    wrong = python(tmp_path, "-m", "linnet", "tune", bench_files.wrong, *quick)
    assert (wrong.returncode, "no setting answers rightly" in wrong.stdout) == (1, True), wrong.stderr
    usage = python(tmp_path, "-m", "linnet", "tune", bench_files.proven, "--rounds", "0", "--affinity", "999")
    assert usage.returncode == 2
    assert "--rounds is 0" in usage.stderr
    assert "999" in usage.stderr


def test_a_decoder_is_tuned_by_prompts_and_tokens(tmp_path: Path) -> None:
    quick = ("--threads", "1,2", "--rounds", "1", "--seconds", "0.01", "--lengths", "4,64")
    command = [sys.executable, "-m", "linnet", "tune", str(decoder_file()), *quick, "-o", str(tmp_path / "tuned.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "one behind 63 tokens, p50 ms" in done.stdout
    assert "XNNPACK's kernels" not in done.stdout  # a decoder runs its fast method in every case
    assert "--lengths has 64, over the file's bound of 63 tokens" in done.stderr
    refused = subprocess.run([*command, "--force", "--limit-ms", "5"], capture_output=True, text=True, check=False)
    assert (refused.returncode, "--limit-ms is for inputs" in refused.stderr) == (2, True)


def test_the_score_of_a_decoder_weighs_prompts_and_tokens_alike() -> None:
    one = entry(1)
    one.runs = [decoder_record().runs[0]]
    # prompts of 80 and 800 ms, tokens of 10 and 12.5 ms
    assert one.score == pytest.approx((80e6 * 800e6 * 10e6 * 12.5e6) ** 0.25)
    assert one.at(128, 90) == 13.5e6
