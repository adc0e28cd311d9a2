"""What linnet doctor says about a build and a machine."""

from __future__ import annotations

import pytest

from linnet.cli import doctor

_HEALTHY = {"version": "1.0", "executorch": "1.5.1", "backends": "XnnpackBackend", "cpu_features": "neon,dotprod"}


@pytest.mark.parametrize(
    ("changes", "installed", "words"),
    [
        ({}, "1.5.1", []),
        ({}, "1.5.1+cpu", []),
        ({"cpu_features": ""}, None, []),
        ({"cpu_features": "neon"}, None, ["no dot-product instructions"]),
        ({"cpu_features": "neon,dotprod,sme"}, None, ["this CPU has SME"]),
        ({"backends": "VulkanBackend"}, None, ["no XNNPACK backend"]),
        ({}, "1.4.0", ["executorch 1.4.0 is installed beside, this build carries 1.5.1"]),
        ({"version": "0.9"}, None, ["linnet 1.0 is installed with a runtime of version 0.9"]),
    ],
)
def test_doctor_warns_of_what_matters(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], installed: str | None, words: list[str]
) -> None:
    monkeypatch.setattr(doctor, "version", lambda: "1.0")
    found = doctor.warnings_for({**_HEALTHY, **changes}, {"executorch": installed})
    assert len(found) == len(words)
    for warning, word in zip(found, words, strict=True):
        assert word in warning


def test_doctor_without_the_runtime_says_only_that() -> None:
    assert len(doctor.warnings_for({}, {})) == 1


@pytest.mark.parametrize(
    ("installed", "shown"),
    [
        (None, 'missing (tokenizers that are not built in need it): pip install "WHEEL[tokenizers]"'),
        ("0.23.3", "tokenizers 0.23.3"),
    ],
)
def test_doctor_says_what_reads_each_kind_of_tokenizer(installed: str | None, shown: str) -> None:
    found = doctor.tokenizers_for({"tokenizers": installed})
    assert found["wordpiece"] == "built in"
    assert found["tokenizers"].startswith(shown)
