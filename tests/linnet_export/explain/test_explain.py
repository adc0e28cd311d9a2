"""`linnet explain` and `linnet export --report`: the page says what the evidence says, whatever stands in it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.console import counted
from linnet.cli.main import main
from linnet.format.evidence import Evidence, ProgramStep, WorstText
from linnet.format.trailer import build_trailer, read_trailer
from linnet_bench.html import element
from linnet_bench.html.figures import bytes_text, grouped, significant
from linnet_export.explain import Latency, LatencySettings, explain_page, measure_latency, read_facts, sections
from linnet_export.explain.facts import Facts
from linnet_export.explain.program import delegate_of_step
from tests.support.checkpoints import write_checkpoint
from tests.support.decoder_file import decoder_file
from tests.support.html_reader import PageReader, read_page
from tests.support.sdk_fakes import make_manifest

LABELS = ("<script>alert('x')</script>", "🙂🙃", "\u202eשלום | עולם", "very long " * 60)


def page_of(path: Path) -> PageReader:
    page = read_page(explain_page(read_facts(path), Latency(None, "not measured.")))
    assert page.problems == []
    assert page.references <= {f"#{name}" for name in page.ids}
    return page


def rows_of(page: PageReader, first_header: str) -> list[list[str]]:
    return next(table for table in page.tables if table[0][0] == first_header)[1:]


def rewritten(path: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy a file with other evidence, as another version would have written it."""
    trailer = read_trailer(path)
    evidence = json.loads(json.dumps(trailer.evidence))
    change(evidence)
    program = path.read_bytes()[: trailer.program_size]
    target.write_bytes(program + build_trailer(program, trailer.ranges, evidence))
    return target


def delegates_of(path: Path) -> dict[str, list[str]]:
    """Return the delegate of each call in the program, by method, as ExecuTorch's own reader has them."""
    from executorch.exir._serialize._program import deserialize_pte_binary
    from executorch.exir.schema import DelegateCall

    program = deserialize_pte_binary(path.read_bytes()).program
    return {
        plan.name: [
            plan.delegates[instruction.instr_args.delegate_index].id
            for chain in plan.chains
            for instruction in chain.instructions
            if isinstance(instruction.instr_args, DelegateCall)
        ]
        for plan in program.execution_plan
    }


def test_the_figures_are_those_of_the_evidence(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "int8", max_batch=2)
    evidence = read_trailer(report.path).evidence
    page = page_of(report.path)
    proof = {row[0]: row[1:5] for row in rows_of(page, "against the original")}
    assert proof["largest error"][0] == significant(evidence["proof"]["max_error"])
    assert proof["mean error"][0] == significant(evidence["proof"]["mean_error"])
    agreement, limit = evidence["proof"]["agreement"], evidence["budget"]["agreement"]
    others = [evidence[name]["agreement"] for name in ("proof_fused", "proof_seven_bits")]
    shown = [f"{100 * share:.1f}\u202f%" for share in (agreement, *others)]
    assert proof["same answer"] == [*shown, f"at least {100 * limit:.1f}\u202f%"]
    assert proof["mean error"][1] == significant(evidence["proof_fused"]["mean_error"])
    assert proof["mean error"][2] == significant(evidence["proof_seven_bits"]["mean_error"])
    parts = rows_of(page, "part")
    total = parts.pop()
    assert total[1] == grouped(report.path.stat().st_size)
    assert sum(int(row[1].replace("\u202f", "")) for row in parts) == report.path.stat().st_size
    layers = {row[0]: row[1:] for row in rows_of(page, "layer")}
    assert list(layers) == [layer["name"] for layer in evidence["report"]["layers"]]
    for layer in evidence["report"]["layers"]:
        errors = [significant(error) for error in evidence["details"]["layer_errors"].get(layer["name"], [])]
        assert layers[layer["name"]] == [layer["precision"], bytes_text(layer["stored_bytes"]), *(errors or ["", ""])]
    worst = rows_of(page, "text")
    assert len(worst) == len(evidence["worst"])
    assert [row[-1] for row in worst] == [significant(text["error"]) for text in evidence["worst"]]
    steps = evidence["details"]["steps"]
    assert [len(table) - 1 for table in page.tables if table[0][0] == "step"] == [
        len(steps[name]) for name in ("forward", "forward_batch", "forward_fused")
    ]
    delegates = delegates_of(report.path)
    assert {"XnnpackBackend", "LinnetBackend"} <= {name for names in delegates.values() for name in names}
    said = " ".join(page.texts["p"])
    for method, method_steps in steps.items():
        assert [step["backend"] for step in method_steps if step["partition"]] == delegates[method]
    for method in ("forward", "forward_fused"):
        for backend, shown_name in (("XnnpackBackend", "XNNPACK"), ("LinnetBackend", "linnet's delegate")):
            count = delegates[method].count(backend)
            assert not count or f"{counted(count, 'partition')} of {shown_name} with" in said
    outside = {(row[0], row[1]): int(row[2]) for row in rows_of(page, "operator")}
    assert sum(outside.values()) == sum(
        sum(step["operators"].values())
        for method_steps in steps.values()
        for step in method_steps
        if not step["partition"]
    )


def test_odd_labels_and_texts_stay_text(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "c<b>&", "bert", "text-classification", num_labels=len(LABELS))
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(["<img src=x onerror=alert(1)>", "مرحبا", "a\u202eb", "plain", "x " * 900]) + "\n")
    output = tmp_path / "odd.pte"
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(LABELS) + "\n")
    page = tmp_path / "odd.html"
    arguments = [
        "export", str(checkpoint), "-o", str(output), "--labels", str(labels), "--proof", str(texts),
        "--budget", "agreement=0", "--report", str(page),
    ]  # fmt: skip
    assert main(arguments) == 0
    found = read_page(page.read_text(encoding="utf-8"))
    assert found.problems == []
    assert not [reference for reference in found.references if not reference.startswith("#")]
    assert found.tags.count("script") == 1
    contract = {row[0]: row[1] for row in rows_of(found, "")}
    assert LABELS[0] in contract["labels"]
    assert LABELS[1] in contract["labels"]
    assert "<img src=x onerror=alert(1)>" in [row[0] for row in rows_of(found, "text")]
    assert rows_of(found, "tokens"), "export measures latency"


def test_evidence_of_an_older_version_leaves_places_empty(exported: Callable[..., Any], tmp_path: Path) -> None:
    _, report = exported("feature-extraction", "int8")

    def forget(evidence: dict[str, Any]) -> None:
        del evidence["details"]
        del evidence["report"]["layers"]
        del evidence["proof"]["mean_error"]
        for text in evidence["worst"]:
            del text["error"]

    page = page_of(rewritten(report.path, tmp_path / "old.pte", forget))
    said = [text for text in page.texts["p"] if "not recorded by the version that made this file" in text]
    assert {text.partition(":")[0] for text in said} == {
        "Partitions", "Operators outside of delegates", "Error by layer", "Size by layer",
    }  # fmt: skip
    assert {row[-1] for row in rows_of(page, "text")} == {"not recorded"}
    assert rows_of(page, "part")


@pytest.mark.parametrize(
    "change",
    [
        lambda evidence: evidence.clear(),
        lambda evidence: evidence.update(details=7, worst="x", proof=[1], report=None, budget="y", golden={}),
        lambda evidence: evidence["details"].update(
            layer_errors=[[1]], steps={"forward": [{}]}, layer_texts="x", versions=3
        ),
        lambda evidence: evidence["report"].update(layers=[[1]], mixed_precision={"curve": [3], "layers": 4}),
        lambda evidence: evidence.update(worst=[{"text": 3}], status=None, tolerance=[]),
    ],
)
def test_damaged_evidence_fails_nowhere(
    exported: Callable[..., Any], tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    _, report = exported("feature-extraction", "int8")
    page_of(rewritten(report.path, tmp_path / "damaged.pte", change))


def test_an_unproven_file_says_so(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "int8", prove=False)
    said = " ".join(page_of(report.path).texts["p"])
    assert "Proof: exported with --no-proof" in said
    assert "Error by layer: exported with --no-proof" in said


def test_latency_is_measured_and_shown(exported: Callable[..., Any]) -> None:
    _, report = exported("text-classification", "int8")
    latency = measure_latency(report.path, LatencySettings(threads=(1,), lengths=(8, 16), seconds=0.01))
    page = read_page(explain_page(read_facts(report.path), latency))
    assert page.problems == []
    rows = rows_of(page, "tokens")
    assert [row[0] for row in rows] == ["8", "16"]
    shares = next(table for table in page.tables if "calling delegates" in table[0])[1:]
    assert [row[0] for row in shares] == ["8", "16"]
    for row in shares:  # inside, calling, outside, executor: all of the time, each rounded to a tenth
        assert sum(float(cell.rstrip("\u202f%")) for cell in row[2:]) == pytest.approx(100, abs=0.25)
    summary = latency.lengths()[1][0].summary
    assert rows[0][2:4] == [significant(summary.p50_ns / 1e6), significant(summary.p90_ns / 1e6)]


def test_a_second_text_that_is_always_empty_has_no_column() -> None:
    evidence = Evidence(
        status="proven",
        worst=(
            WorstText(text="a", pair="", difference=1.0, error=0.5),
            WorstText(text="b", pair=None, difference=0.5, error=0.25),
        ),
    )
    facts = Facts("a.pte", 1, make_manifest("text-classification"), evidence, (), {})
    shown = read_page(element("main", sections.worst_texts(facts)).text).tables[0]
    assert shown[0] == ["text", "share of other answers", "largest error"]
    pairs = dataclasses.replace(
        evidence,
        worst=(
            WorstText(text="a", pair="b", difference=1.0, error=0.5),
            WorstText(text="c", pair="", difference=0.5, error=0.25),
        ),
    )
    shown = read_page(element("main", sections.worst_texts(dataclasses.replace(facts, evidence=pairs))).text).tables[0]
    assert [row[1] for row in shown] == ["second text", "b", "(empty)"]


def test_steps_of_an_older_version_are_xnnpacks_in_forward_and_unknown_in_the_fast_method() -> None:
    step = ProgramStep(1, {"linear": 2})
    assert delegate_of_step("forward", step) == delegate_of_step("forward_batch", step) == "XNNPACK"
    assert delegate_of_step("forward_fused", step) == "XNNPACK or linnet's delegate"
    assert delegate_of_step("forward_fused", dataclasses.replace(step, backend="LinnetBackend")) == "linnet's delegate"
    assert delegate_of_step("forward", ProgramStep(0, {"embedding": 1})) == "outside of delegates"


def test_a_wrong_answer_has_no_latency(exported: Callable[..., Any], tmp_path: Path) -> None:
    _, report = exported("text-classification", "int8")

    def spoil(evidence: dict[str, Any]) -> None:
        for method in ("output", "output_fused", "output_seven_bits"):
            evidence["golden"][0][method]["logits"]["values"][0] += 5

    wrong = rewritten(report.path, tmp_path / "wrong.pte", spoil)
    latency = measure_latency(wrong, LatencySettings(threads=(1,), lengths=(8,), seconds=0.01))
    assert latency.record is None
    assert "answers wrongly" in latency.missing


def test_the_command(exported: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = exported("text-classification", "int8")
    page = tmp_path / "page.html"
    arguments = ["explain", str(report.path), "--no-latency", "-o", str(page)]
    assert main(arguments) == 0
    assert main(arguments) == 0, "it replaces its own page"
    page.write_text("my notes", encoding="utf-8")
    assert main(arguments) == 2, "it is there already"
    assert main([*arguments, "--force"]) == 0
    assert "not measured" in page.read_text(encoding="utf-8")
    assert main([*arguments[:-1], str(report.path), "--force"]) == 2, "the model itself is never overwritten"
    assert report.path.read_bytes()[4:8] == b"ET12"
    capsys.readouterr()
    assert main(["explain", str(report.path), "--no-latency", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["figures"]["max_error"] == report.figures["max_error"]
    assert data["manifest"]["task"] == "text-classification"
    assert sum(part["size"] for part in data["parts"]) == data["size"]
    assert main(["explain", str(tmp_path / "absent.pte"), "-o", str(tmp_path / "x.html")]) == 3
    assert main(["explain", str(page)]) == 3  # whose page would have its own name
    assert "it is an HTML page" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_prefill_and_decoding_of_a_decoder_are_shown() -> None:
    path = decoder_file()
    latency = measure_latency(path, LatencySettings(threads=(1,), lengths=(8, 63), seconds=0.01))
    page = read_page(explain_page(read_facts(path), latency))
    assert page.problems == []
    rows = rows_of(page, "context")
    assert [row[0] for row in rows] == ["8", "63"]
    assert latency.record is not None
    token = latency.record.runs[0].decoding[0].token
    assert rows[0][4] == significant(1e9 / token.summary.p50_ns)
    shares = next(table for table in page.tables if "calling delegates" in table[0])[1:]
    assert [row[0] for row in shares] == ["prefill 8", "decode 8", "prefill 63", "decode 63"]
    proof = {row[0]: row for row in rows_of(page, "against the original")}
    assert proof["ratio of perplexities"][-2].startswith("at most")
