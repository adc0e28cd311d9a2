"""The command line on real tiny files, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import linnet
from linnet.cli import main as command_line
from linnet.format.trailer import build_trailer, read_trailer
from tests.support.command_line import cli, good, refused
from tests.support.mutations import FILE_CASES, OK, FileCase, Parts

TEXT = "turn the volume down"


def lines_of(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


# -- the program itself ----------------------------------------------------------------------------


def test_version_and_help() -> None:
    assert good("--version").startswith("linnet ")
    text = good("--help")
    for word in ("run", "inspect", "verify", "eval", "bench", "doctor", "export", "130 interrupted"):
        assert word in text


@pytest.mark.parametrize("command", ["run", "inspect", "verify", "eval", "bench", "soak", "doctor"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert f"linnet {command}" in good(command, "--help").partition("examples:")[2]


def test_no_command_shows_the_help_and_fails() -> None:
    done = cli()
    assert done.returncode == 2
    assert "commands, by what they are for:" in done.stderr


def test_the_command_help_shows_what_the_option_shows() -> None:
    assert good("help") == good("--help")
    assert good("help", "run") == good("run", "--help")
    assert "did you mean 'train'" in refused(2, "help", "trian")


@pytest.mark.parametrize(
    "arguments", [["train"], ["export"], ["verify"], ["inspect", "a", "b"], ["run", "--nofrob"], ["--nofrob"]]
)
def test_wrong_usage_is_one_line_with_the_way_to_the_help(arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"; see {' '.join(['linnet', *arguments[:1]]) if arguments[0][0] != '-' else 'linnet'} --help")


@pytest.mark.parametrize(
    "command", ["run", "verify", "bench", "compare", "tune", "soak", "explain", "estimate", "eval"]
)
@pytest.mark.parametrize("threads", ["0", "-1", "1025", "9" * 30, "x"])
def test_numbers_of_threads_are_refused_by_their_range(
    command: str, threads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main([command, f"--threads={threads}", "a.pte"])
    assert ended.value.code == 2
    assert re.search(
        "expected (a number of threads from 1 to 1024|whole numbers of at least 1)", capsys.readouterr().err
    )


def test_an_unknown_command() -> None:
    assert "'frobnicate'; known are run" in refused(2, "frobnicate")


def test_an_unknown_option_is_wrong_usage() -> None:
    assert cli("doctor", "--frobnicate").returncode == 2


def test_debug_shows_where(files: Path) -> None:
    done = cli("run", files / "none.pte", TEXT, "--debug")
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("linnet: error: ")
    assert cli("--debug", "run", files / "none.pte", TEXT).stderr.count("Traceback") == 1


# -- run -------------------------------------------------------------------------------------------


def test_run_prints_labels_for_people(files: Path) -> None:
    text = good("run", files / "text-classification.pte", TEXT, "rain", "--top-k", 2)
    lines = text.splitlines()
    assert lines[0] == TEXT
    assert lines[3] == "rain"
    assert len(lines) == 6
    score, label = lines[1].split()
    assert 0 < float(score) < 1
    assert label.startswith("LABEL_")


def test_run_equals_the_library_as_json_lines(files: Path) -> None:
    path = files / "text-classification.pte"
    with linnet.load(path) as model:
        expected = [{"text": text, "result": model(text)} for text in (TEXT, "été 漢字")]
    assert lines_of(good("run", path, TEXT, "été 漢字", "--json")) == expected
    assert lines_of(good("run", path, "--json", stdin=f"{TEXT}\nété 漢字\n")) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("FILE", "--top-k", "1", "one", "two"),
        ("FILE", "one", "--top-k", "1", "two"),
        ("--top-k", "1", "FILE", "one", "two", "--threads", "1"),
        ("FILE", "--top-k", "1", "--", "one", "two"),
        ("--top-k=1", "FILE", "one", "--threads", "1", "--", "two"),
    ],
)
def test_run_takes_options_between_texts(files: Path, arguments: tuple[str, ...]) -> None:
    words = [str(files / "text-classification.pte") if argument == "FILE" else argument for argument in arguments]
    lines = [json.loads(line) for line in good("run", "--json", *words).splitlines()]
    assert [line["text"] for line in lines] == ["one", "two"]
    assert [len(line["result"]) for line in lines] == [1, 1]


def test_run_takes_texts_that_begin_with_a_dash(files: Path) -> None:
    lines = good("run", files / "text-classification.pte", "--json", "--", "-5 degrees", "--json")
    assert [json.loads(line)["text"] for line in lines.splitlines()] == ["-5 degrees", "--json"]


@pytest.mark.parametrize(("given", "texts"), [
    (["-x"], ["-x"]), (["--json", "--debug"], ["--json", "--debug"]), (["a", "--", "-x"], ["a", "--", "-x"]),
])  # fmt: skip
def test_all_behind_two_dashes_is_text(files: Path, given: list[str], texts: list[str]) -> None:
    assert [
        line["text"] for line in lines_of(good("run", files / "text-classification.pte", "--json", "--", *given))
    ] == texts
    assert [line["text"] for line in lines_of(good("run", "--json", "--", *given))] == texts


@pytest.mark.parametrize("task", ["text-classification", "token-classification", "feature-extraction"])
def test_an_empty_text_has_the_answer_of_the_library(files: Path, task: str) -> None:
    path = files / f"{task}.pte"
    with linnet.load(path) as model:
        expected = model.encode("").tolist() if task == "feature-extraction" else model("")
    assert lines_of(good("run", path, "", "--json")) == [{"text": "", "result": expected}]
    assert lines_of(good("run", path, "--json", stdin="\n")) == [{"text": "", "result": []}]


def test_run_pairs(files: Path) -> None:
    path = files / "text-classification.pte"
    with linnet.load(path) as model:
        expected = {"text": TEXT, "pair": "rain", "result": model((TEXT, "rain"))}
    assert lines_of(good("run", path, TEXT, "--pair", "rain", "--json")) == [expected]
    assert lines_of(good("run", path, "--tabs", "--json", stdin=f"{TEXT}\train\n")) == [expected]


def test_run_ranks_passages(files: Path) -> None:
    path = files / "text-ranking.pte"
    with linnet.load(path) as model:
        expected = model.rank(TEXT, ["music", "the bank"], return_documents=True)
    found = lines_of(good("run", path, TEXT, "--pair", "music", "--pair", "the bank", "--json"))
    assert found[0]["result"] == expected
    assert "music" in good("run", path, TEXT, "--pair", "music", "--pair", "the bank")
    assert lines_of(good("run", path, "--json", stdin=f"{TEXT}\tmusic\n"))[0]["pair"] == "music"


def test_run_answers_questions(files: Path) -> None:
    path = files / "question-answering.pte"
    with linnet.load(path) as model:
        expected = model(question="how", context="turn it down", top_k=2)
    given = ("--question", "how", "--context", "turn it down", "--top-k", 2)
    assert lines_of(good("run", path, *given, "--json"))[0]["result"] == expected
    assert lines_of(good("run", path, "--top-k", 2, "--json", stdin="how\tturn it down\n"))[0]["result"] == expected
    assert f"at {expected[0]['start']}-{expected[0]['end']}" in good("run", path, *given)


def test_run_tags_fills_and_embeds(files: Path) -> None:
    tagged = lines_of(good("run", files / "token-classification.pte", TEXT, "--json"))[0]["result"]
    assert all("entity_group" in entity for entity in tagged)
    tokens = lines_of(
        good("run", files / "token-classification.pte", TEXT, "--json", "--aggregation-strategy", "none")
    )[0]["result"]
    assert all("index" in token for token in tokens)
    filled = good("run", files / "fill-mask.pte", "turn the [MASK] down", "--top-k", 2).splitlines()
    assert len(filled) == 3
    path = files / "feature-extraction.pte"
    with linnet.load(path) as model:
        expected = model.encode(TEXT, prompt_name="query").tolist()
    assert lines_of(good("run", path, TEXT, "--prompt-name", "query", "--json"))[0]["result"] == expected
    assert "32 numbers" in good("run", path, TEXT)


def test_run_tells_about_truncation(files: Path) -> None:
    path, long = files / "text-classification.pte", "turn " * 99
    done = cli("run", path, long)
    assert done.returncode == 0
    assert done.stderr.startswith("linnet: warning: 'turn turn")
    assert done.stderr.endswith("was cut at 48 tokens; --no-truncation makes it an error\n")
    found = cli("run", path, long, TEXT, long, "--json")
    assert [answer.get("truncated") for answer in lines_of(found.stdout)] == [True, None, True]
    assert len(found.stderr.splitlines()) == 2
    refused(2, "run", path, long, "--no-truncation")


@pytest.mark.parametrize(
    ("task", "arguments", "message"),
    [
        ("text-classification", ["a", "b", "--pair", "c"], "--pair needs one TEXT, 2 are given"),
        ("text-classification", ["--pair", "c"], "--pair needs a TEXT"),
        ("text-classification", ["a", "--pair", "b", "--pair", "c"], "takes one --pair"),
        ("text-classification", ["--question", "a", "--context", "b"], "for question-answering"),
        ("question-answering", ["a"], "takes --question and --context"),
        ("question-answering", ["--question", "a"], "--context is missing"),
        ("fill-mask", ["no mask"], r"write [MASK]"),
        ("text-ranking", ["a"], "needs a pair"),
        ("text-classification", ["a", "--top-k", "0"], "top_k is 0"),
        ("text-classification", ["a", "--top-k", "-1"], "top_k is -1"),
        ("feature-extraction", ["a", "--prompt-name", "x"], "this file has query"),
        (
            "text-classification",
            ["a", "--prompt-name", "x"],
            "--prompt-name is for embeddings, not text-classification",
        ),
        ("text-classification", ["a", "--aggregation-strategy", "simple"], "is for token-classification, not text-cla"),
        ("question-answering", ["--prompt-name", "x"], "--prompt-name is for embeddings, not question-answering"),
        ("token-classification", ["a", "--top-k", "2"], "--top-k is for tasks with several answers, not token-cl"),
        ("feature-extraction", ["a", "--top-k", "2"], "--top-k is for tasks with several answers, not feature-ex"),
    ],
)
def test_run_names_wrong_usage(files: Path, task: str, arguments: list[str], message: str) -> None:
    assert message in refused(2, "run", files / f"{task}.pte", *arguments)


@pytest.mark.parametrize(("texts", "named"), [
    ([b"\xff"], b"TEXT 1 is not UTF-8: byte 0xFF at character 1"),
    (["one", "é".encode() + b"\xe9t"], b"TEXT 2 is not UTF-8: byte 0xE9 at character 2"),
    (["one", "--pair", b"a\xff"], b"--pair 1 is not UTF-8: byte 0xFF at character 2"),
])  # fmt: skip
@pytest.mark.parametrize("environment", [
    {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
])  # fmt: skip
def test_arguments_that_are_no_utf8_are_named_by_position(
    files: Path, texts: list[bytes | str], named: bytes, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "linnet", "run", str(files / "text-classification.pte"), *texts]
    done: Any = subprocess.run(command, capture_output=True, timeout=60, env={**os.environ, **environment})
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"linnet: error: " + named + b"; convert the text, as with iconv\n"


def test_texts_are_utf8_in_every_locale(files: Path) -> None:
    command = [sys.executable, "-m", "linnet", "run", str(files / "text-classification.pte"), "--json", "été 漢字"]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done: Any = subprocess.run([word.encode() for word in command], capture_output=True, timeout=60, env=environment)
    assert json.loads(done.stdout)["text"] == "été 漢字"


@pytest.mark.parametrize("task", ["text-classification", "question-answering"])
def test_a_line_of_stdin_that_is_no_utf8_is_named(files: Path, task: str) -> None:
    command = [sys.executable, "-m", "linnet", "run", str(files / f"{task}.pte"), "--json"]
    done: Any = subprocess.run(command, input=b"a\tb\ncaf\xe9 time\n", capture_output=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    expected = "linnet: error: line 2 of stdin is not UTF-8: byte 0xE9 at character 4; convert the text, as with iconv"
    assert done.stderr.decode().splitlines() == [expected]


def test_a_terminal_without_utf8_gets_escapes(files: Path) -> None:
    text = good("run", files / "text-classification.pte", "\u6f22", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(text)["text"] == "\u6f22"


def test_a_question_without_a_tab_is_wrong_usage(files: Path) -> None:
    assert "no tab" in refused(2, "run", files / "question-answering.pte", stdin="no tab here\n")


def test_a_reader_that_leaves_ends_it_quietly(files: Path) -> None:
    command = f'yes "{TEXT}" | head -3000 | "{sys.executable}" -m linnet run "$0" --json | head -1'
    done = subprocess.run(
        ["bash", "-c", command, str(files / "text-classification.pte")], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["text"] == TEXT


def test_ctrl_c_is_status_130(files: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "linnet", "run", str(files / "text-classification.pte"), "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a shell's background job, which a CI run may be, starts with SIGINT ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{TEXT}\n")
    process.stdin.flush()
    process.stdout.readline()  # it answers, so it waits for the next line now
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "linnet: interrupted\n")


# -- inspect ---------------------------------------------------------------------------------------


def test_inspect_shows_contract_and_evidence(files: Path) -> None:
    text = good("inspect", files / "text-classification.pte")
    for part in ("verdict: usable, proven", "task                text-classification", "LABEL_0, LABEL_1, LABEL_2",
                 "forward, forward_batch", "golden", "proof.max_error", "file_sha256"):  # fmt: skip
        assert part in text


def test_inspect_as_json_has_everything(files: Path) -> None:
    path = files / "text-classification.pte"
    found = json.loads(good("inspect", path, "--json"))
    assert (found["verdict"], found["error"], found["size"]) == ("usable", None, path.stat().st_size)
    with linnet.load(path) as model:
        assert found["evidence"] == model.raw_evidence
        assert found["manifest"]["labels"] == list(model.manifest.labels)
        assert found["manifest"]["tokenizer"] == {"bytes": len(model.manifest.tokenizer)}
    assert found["methods"] == ["forward", "forward_batch"]
    assert found["trailer"]["file_sha256"] == read_trailer(path).file_sha256.hex()


def test_inspect_lists_the_method_with_linnets_own_operators() -> None:
    path = linnet.default_model()
    assert "\nmethods             forward, forward_fused\n" in good("inspect", path)
    assert json.loads(good("inspect", path, "--json"))["methods"] == ["forward", "forward_fused"]


def test_inspect_shows_many_ranges_in_one_short_line() -> None:
    path = linnet.default_model()
    ranges = json.loads(good("inspect", path, "--json"))["trailer"]["ranges"]
    assert len(ranges) == len(read_trailer(path).ranges) > 3
    assert f"ranges         {ranges[0]} … {ranges[-1]}, {len(ranges)} ranges\n" in good("inspect", path)


def damaged(files: Path, folder: Path, kind: str) -> Path:
    """A copy of the classifier with one kind of damage."""
    data = bytearray((files / "text-classification.pte").read_bytes())
    trailer = read_trailer(files / "text-classification.pte")
    if kind == "truncated":
        del data[-1:]
    elif kind == "program":
        data[40] ^= 1
    elif kind == "weights":
        data[weight_offset(trailer, len(data))] ^= 1
    elif kind == "evidence":
        data[trailer.program_size + 5] ^= 1
    elif kind == "text":
        data = bytearray(b"just some text, nothing more, and long enough to be read" * 4)
    elif kind == "empty":
        data.clear()
    path = folder / f"{kind}.pte"
    path.write_bytes(data)
    return path


def weight_offset(trailer: Any, size: int) -> int:
    """A byte of the program outside of every range that loading checks."""
    covered = bytearray(trailer.program_size)
    for start, length in trailer.ranges:
        covered[start : start + length] = b"\1" * length
    return covered.rindex(b"\0")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("truncated", "LINNET_FILE_TRUNCATED"),
        ("program", "LINNET_PROGRAM_DAMAGED"),
        ("text", "LINNET_NOT_A_PROGRAM"),
        ("empty", "LINNET_NOT_A_PROGRAM"),
        ("none", "LINNET_FILE_NOT_FOUND"),
    ],
)
def test_every_command_refuses_a_damaged_file_by_name(files: Path, tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "none.pte" if kind == "none" else damaged(files, tmp_path, kind)
    done = cli("inspect", path)
    assert done.returncode == 3
    assert f"verdict: refused ({name})" in done.stdout
    found = cli("inspect", path, "--json")
    assert found.returncode == 3
    assert json.loads(found.stdout)["error"]["name"] == name
    refused(3, "run", path, TEXT)
    refused(3, "verify", path)


@pytest.mark.parametrize("case", FILE_CASES, ids=lambda case: case.name)
def test_inspect_has_a_verdict_for_every_mutated_file(
    files: Path, tmp_path: Path, case: FileCase, capsys: pytest.CaptureFixture[str]
) -> None:
    source = files / "text-classification.pte"
    data, trailer = source.read_bytes(), read_trailer(source)
    evidence = b'{"status": "proven"}'
    path = tmp_path / "case.pte"
    path.write_bytes(case.make(Parts(data[: trailer.program_size], evidence, trailer.ranges)))
    expected = case.trailer if case.load == OK else case.load
    status = command_line.main(["inspect", str(path)])
    shown = capsys.readouterr()
    assert ("verdict: usable" if expected == OK else f"verdict: refused ({expected})") in shown.out
    assert status == (0 if expected == OK else 4 if expected == "LINNET_EXECUTORCH_TOO_OLD" else 3)
    assert len(shown.err.splitlines()) == (expected != OK)


def test_inspect_shows_the_evidence_of_a_file_whose_program_is_damaged(files: Path, tmp_path: Path) -> None:
    done = cli("inspect", damaged(files, tmp_path, "program"))
    assert "proof.max_error" in done.stdout
    assert "\nmanifest\n" not in done.stdout


def test_inspect_of_a_folder_is_refused(tmp_path: Path) -> None:
    done = cli("inspect", tmp_path)
    assert done.returncode == 3
    assert "verdict: refused" in done.stdout


# -- verify ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["text-classification", "fill-mask", "feature-extraction", "question-answering"])
def test_verify_repeats_the_golden_cases(files: Path, task: str) -> None:
    text = good("verify", files / f"{task}.pte")
    assert "bytes: intact" in text
    assert "golden cases: 8 of 8 repeated, the file is proven" in text


@pytest.mark.parametrize("kind", ["weights", "evidence"])
def test_verify_finds_what_loading_does_not_check(files: Path, tmp_path: Path, kind: str) -> None:
    line = refused(3, "verify", damaged(files, tmp_path, kind))
    assert "hash" in line.lower() or "sha-256" in line.lower()


def with_evidence(files: Path, path: Path, change: Any) -> Path:
    """A copy of the classifier with other evidence and right hashes."""
    source = files / "text-classification.pte"
    trailer = read_trailer(source)
    program = source.read_bytes()[: trailer.program_size]
    evidence = json.loads(json.dumps(trailer.evidence))
    change(evidence)
    path.write_bytes(program + build_trailer(program, trailer.ranges, evidence))
    return path


def test_a_machine_that_answers_otherwise_is_status_1_and_names_the_case(files: Path, tmp_path: Path) -> None:
    def change(evidence: Any) -> None:
        evidence["golden"][2]["output"]["logits"]["values"][0] += 0.5

    path = with_evidence(files, tmp_path / "other.pte", change)
    line = refused(1, "verify", path)
    assert "1 of 8 golden cases differ on this machine" in line
    assert "logits is off by" in line
    found = cli("verify", path, "--json")
    assert found.returncode == 1
    assert [case["same"] for case in json.loads(found.stdout)["cases"]].count(False) == 1


def test_a_file_without_golden_cases_is_intact_and_says_so(files: Path, tmp_path: Path) -> None:
    def change(evidence: Any) -> None:
        evidence.update(golden=[], status="unproven", reason="no proof asked for")

    path = with_evidence(files, tmp_path / "unproven.pte", change)
    assert "none to repeat, the file is unproven" in good("verify", path)
    assert "usable, unproven (no proof asked for)" in good("inspect", path)


# -- eval ------------------------------------------------------------------------------------------


def test_eval_measures_and_checks_limits(files: Path, tmp_path: Path) -> None:
    path, data = files / "text-classification.pte", tmp_path / "data.jsonl"
    with linnet.load(path) as model:
        label = model(TEXT)[0]["label"]
    rows = [{"text": TEXT, "label": label}, {"text": TEXT, "label": "LABEL_0" if label != "LABEL_0" else "LABEL_1"}]
    data.write_text("\n".join(map(json.dumps, rows)))
    found = json.loads(good("eval", path, "--data", data, "--json"))
    assert found["metrics"]["accuracy"] == 0.5
    assert "accuracy  0.5000" in good("eval", path, "--data", data, "--at-least", "accuracy=0.5")
    assert json.loads(good("eval", path, "--data", data, "--limit", 1, "--json"))["metrics"]["accuracy"] == 1
    line = refused(1, "eval", path, "--data", data, "--at-least", "accuracy=0.51")
    assert line == "linnet: error: accuracy is 0.5000, expected at least 0.51"


def test_eval_of_pairs_in_a_csv_without_header(files: Path, tmp_path: Path) -> None:
    data = tmp_path / "pairs.csv"
    data.write_text("turn it up,turn it down,4.5\nthe bank,the bakery,2\nrain,the sun,1\n")
    found = json.loads(good("eval", files / "feature-extraction.pte", "--data", data, "--json"))
    assert found["rows"] == 3
    assert -1 <= found["metrics"]["spearman"] <= 1


def test_eval_of_entities_in_a_conll_file(files: Path, tmp_path: Path) -> None:
    data = tmp_path / "dev.conll"
    data.write_text("turn\tO\nthe\tB-PER\n\nrain\tO\n")
    found = json.loads(good("eval", files / "token-classification.pte", "--data", data, "--json"))
    assert set(found["metrics"]) == {"f1", "precision", "recall", "accuracy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at-least", "speed=3"], "--at-least names speed, text-classification has accuracy, macro_f1"),
        (["--at-least", "accuracy"], "expected METRIC=VALUE"),
        (["--at-least", "accuracy=x"], "'accuracy=x'"),
        (["--limit", "0"], "--limit is 0"),
        (["--label-column", "nope"], "--label-column is 'nope'"),
    ],
)
def test_eval_names_wrong_usage(files: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    data = tmp_path / "data.csv"
    data.write_text("text,label\na,LABEL_0\n")
    assert message in refused(2, "eval", files / "text-classification.pte", "--data", data, *arguments)


def test_eval_without_data(files: Path, tmp_path: Path) -> None:
    assert "none.csv" in refused(2, "eval", files / "text-classification.pte", "--data", tmp_path / "none.csv")


# -- doctor ----------------------------------------------------------------------------------------


def test_doctor_knows_the_build(files: Path) -> None:
    facts = json.loads(good("doctor", "--json"))
    assert "XnnpackBackend" in facts["runtime"]["backends"]
    assert facts["schema"] == "1.3"
    assert facts["packages"]["numpy"]
    assert facts["tokenizers"]["wordpiece"] == "built in"
    assert facts["runtime"]["threads"] == "0"
    text = good("doctor")
    for part in ("runtime", "cpu_features", "machine", "packages", "warnings", "not fixed yet"):
        assert part in text


def test_a_file_can_be_replaced_while_it_is_open(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.pte"
    shutil.copy(files / "text-classification.pte", path)
    with linnet.load(path) as model:
        before = model(TEXT)
        aside = tmp_path / "aside.pte"
        shutil.copy(files / "token-classification.pte", aside)
        aside.replace(path)
        assert model(TEXT) == before
