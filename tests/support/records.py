"""A record made by hand; ``python -m tests.support.records`` writes it as the golden file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from linnet_bench.machine.environment import CoreGroup, Environment, State, Versions
from linnet_bench.machine.state import EnergyCounter
from linnet_bench.record.profile import DECODE, PREFILL, Event, LengthProfile, Profiler
from linnet_bench.record.record import (
    ColdStart,
    DecodeResult,
    FileFacts,
    Kernels,
    LengthResult,
    OutputCheck,
    Record,
    Settings,
    ThreadRun,
    to_json,
)
from linnet_bench.record.statistics import Summary
from linnet_bench.soak.job import Settings as SoakSettings

__all__ = ["GOLDEN", "SOAK_SETTINGS", "decoder_record", "make_record", "make_run", "wrong_record"]

GOLDEN = Path(__file__).parents[1] / "linnet_bench" / "record" / "golden" / "record_v1_6.json"

SOAK_SETTINGS = SoakSettings(
    requests=1000, windows=5, clients=2, sessions=1, reload_every=10, lengths=(8,), threads=1,
    most_growth=2_000_000, most_drift=2.0,
)  # fmt: skip


def _length(tokens: int, *samples: int) -> LengthResult:
    """Return a length whose figures are right for three rising samples in arithmetic progression."""
    first, middle, last = samples
    summary = Summary(
        samples=3,
        p50_ns=middle,
        p90_ns=last,
        p99_ns=last,
        mean_ns=middle,
        min_ns=first,
        max_ns=last,
        stdev_ns=float(middle - first),
    )
    return LengthResult(
        tokens=tokens,
        warmup_runs=4,
        summary=summary,
        tokens_per_second=tokens * 1e9 / middle,
        samples_ns=samples,
        energy_j=tokens * 3e-3,
    )


def _profile() -> LengthProfile:
    """Return the profile of :mod:`tests.linnet_bench.record.test_profile`'s two runs."""
    profiler = Profiler()
    for number in range(2):
        profiler.add(make_run(number))
    return profiler.result(8, _length(8, 1_000_000, 1_100_000, 1_200_000).summary, 1_000_000)


def make_run(number: int) -> list[Event]:
    """Return a run of 1000 µs (the second: 1200) with two partitions, two operators outside and a size.

    In microseconds: size 1, embedding 99, partition 1 500 (the second time 700) of which two linears 200 each
    (300 each) and an addition 50, view 100, partition 2 200 of which a linear 180, executor 100.
    """
    linear = 200 + 100 * number
    first = 2 * linear + 100
    start = 10_000_000 * number
    spans = [
        ("OPERATOR_CALL", 0, 0, 0, 1),
        ("native_call_embedding_byte.out", 0, 1, 2, 90),
        ("OPERATOR_CALL", 0, 1, 1, 99),
        ("Fully Connected (NC, F32) GEMM #1", 1, 2, 110, linear),
        ("Add (ND) #1", 1, 2, 110 + linear, 50),
        ("Fully Connected (NC, F32) GEMM #2", 1, 2, 160 + linear, linear),
        ("DELEGATE_CALL", 0, 2, 100, first),
        ("native_call_view_copy.out", 0, 3, 101 + first, 90),
        ("OPERATOR_CALL", 0, 3, 100 + first, 100),
        ("Fully Connected (NC, F32) GEMM #1", 1, 4, 210 + first, 180),
        ("DELEGATE_CALL", 0, 4, 200 + first, 200),
        ("Method::execute", 0, -1, 0, 500 + first),
    ]
    return [
        Event(name, kind, number, instruction, start + 1000 * at, start + 1000 * (at + time))
        for name, kind, instruction, at, time in spans
    ]


def make_record() -> Record:
    """Return a complete record of a Raspberry Pi that never was."""
    run = ThreadRun(
        threads=2,
        load_ns=9_000_000,
        first_answer_ns=40_000_000,
        check=OutputCheck(cases=3, before=True, after=True, message=""),
        lengths=(_length(8, 900_000, 1_000_000, 1_100_000), _length(128, 24_000_000, 25_000_000, 26_000_000)),
        answer=_length(11, 1_500_000, 2_000_000, 2_500_000),
        peak_memory=60_000_000,
        before=State(
            frequency_mhz=(2400.0, 2400.0),
            load_average=(0.5, 0.25, 0.125),
            temperature_c=51.5,
            governors=("ondemand",),
            throttled_flags=0,
            cooling_state=0,
            energy=(EnergyCounter(name="ina219 board", joules=100.0, range_joules=None),),
            power_w=3.5,
            busy_share=0.125,
        ),
        after=State(
            frequency_mhz=(1500.0, 2400.0),
            load_average=(1.5, 0.5, 0.25),
            temperature_c=79.0,
            governors=("ondemand",),
            throttled_flags=0x80000,
            cooling_state=1,
            energy=(EnergyCounter(name="ina219 board", joules=130.5, range_joules=None),),
            power_w=6.25,
        ),
        error="",
        profiles=(_profile(),),
        affinity=(0, 1, 2, 3),
        kernels=Kernels(
            method="forward",
            attention="XNNPACK: Batch Matrix Multiply (NC, F32) GEMM",
            delegated=("Fully Connected (NC, QDU8, F32, QC8W) GEMM", "Batch Matrix Multiply (NC, F32) GEMM"),
            outside=("embedding_byte.out",),
        ),
    )
    return Record(
        created="2026-11-23T12:00:00+00:00",
        partial=False,
        command="linnet bench intents.pte --lengths 8,128 --threads 2 --samples 3 --cold 3 --profile",
        settings=Settings(lengths=(8, 128), threads=(2,), seconds=None, samples=3, cold_repeats=3, profile=True),
        file=FileFacts(
            name="intents.pte",
            size=23_871_489,
            sha256="ab" * 32,
            task="text-classification",
            model_type="mobilebert",
            recipe="int8",
            source="example/intents ½ [\n1,\n2\n]",
            source_commit="",
            producer="linnet 0.1.0",
            executorch_version="1.5.1",
            max_length=128,
            status="proven",
            proof={"agreement": 0.9975, "max_error": 0.125},
        ),
        environment=Environment(
            cpu="Cortex-A76",
            board="Raspberry Pi 5 Model B Rev 1.0",
            architecture="aarch64",
            cpu_features=("asimd", "asimddp"),
            cpus=4,
            affinity=(0, 1, 2, 3),
            governors=("ondemand",),
            memory_bytes=8_443_465_728,
            os="Debian GNU/Linux 12 (bookworm), Linux 6.6",
            runtime={"backends": "XnnpackBackend", "executorch": "1.5.1"},
            versions=Versions(linnet="0.1.0", executorch="1.5.1", python="CPython 3.11.2", numpy="2.4.6"),
            soc="bcm2712",
            cores=(CoreGroup(name="Cortex-A76", cpus=(0, 1, 2, 3), max_mhz=2400.0, capacity=1024),),
        ),
        runs=(run,),
        cold_start=ColdStart(
            threads=2,
            bare_ns=(20_000_000, 21_000_000, 22_000_000),
            numpy_ns=(100_000_000, 101_000_000, 102_000_000),
            answer_ns=(150_000_000, 202_000_000, 160_000_000),
            import_ns=(90_000_000, 91_000_000, 92_000_000),
            load_ns=(9_000_000, 9_100_000, 9_200_000),
            first_answer_ns=(30_000_000, 31_000_000, 32_000_000),
            bare_memory=9_000_000,
            numpy_memory=27_000_000,
            answer_memory=49_000_000,
        ),
    )


def decoder_record() -> Record:
    """Return the record of a decoder on the same Raspberry Pi: prompts of 16 and 128 tokens."""
    record = make_record()
    decoding = (
        DecodeResult(context=16, first_token=_length(16, 81_000_000, 82_000_000, 83_000_000),
                     token=_length(1, 9_000_000, 10_000_000, 11_000_000)),
        DecodeResult(context=128, first_token=_length(128, 801_000_000, 802_000_000, 803_000_000),
                     token=_length(1, 11_500_000, 12_500_000, 13_500_000)),
    )  # fmt: skip
    run = dataclasses.replace(
        record.runs[0],
        lengths=(_length(16, 79_000_000, 80_000_000, 81_000_000), _length(128, 799_000_000, 800_000_000, 801_000_000)),
        decoding=decoding,
        profiles=(dataclasses.replace(_profile(), step=PREFILL), dataclasses.replace(_profile(), step=DECODE)),
    )
    proof = {"agreement": 0.875, "kl_mean": 0.0625, "perplexity": 42.0, "original_perplexity": 40.0}
    file = dataclasses.replace(
        record.file, name="speaks.pte", task="text-generation", model_type="llama", max_length=2048, proof=proof
    )
    settings = dataclasses.replace(record.settings, lengths=(16, 128))
    return dataclasses.replace(record, settings=settings, file=file, runs=(run,))


def wrong_record() -> Record:
    """Return the record of a machine that answers wrongly."""
    record = make_record()
    message = "1 of 3 golden cases differ, first 'the music': logits is off by 1 of its largest value"
    run = dataclasses.replace(
        record.runs[0],
        load_ns=None,
        first_answer_ns=None,
        check=OutputCheck(cases=3, before=False, after=None, message=message),
        lengths=(),
        answer=None,
        profiles=(),
        peak_memory=None,
        after=None,
    )
    return dataclasses.replace(record, runs=(run,), cold_start=None)


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(to_json(make_record()), encoding="utf-8")
