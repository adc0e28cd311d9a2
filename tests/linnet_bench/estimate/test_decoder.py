"""The estimate of a decoder: its work counted by hand from its configuration, and the shape of the times."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

import linnet
from linnet_bench.estimate.decoder import READ_BYTES, DecoderWork, count_decoder_work, estimate_decode, estimate_prefill
from linnet_bench.estimate.devices import DEVICES
from linnet_bench.estimate.roofline import SHARES
from tests.support.decoder_file import VOCABULARY, decoder_file

PI5 = DEVICES["pi5"]


@pytest.fixture(scope="module")
def work() -> Iterator[DecoderWork]:
    with linnet.load(decoder_file()) as model:
        yield count_decoder_work(model.manifest, model.evidence)


def test_work_by_hand(work: DecoderWork) -> None:
    # 2 layers, 64 wide: query and output 64 x 64, key and value 32 x 64, gate, up and down 64 x 96
    assert (work.int8_macs, work.float_macs) == (2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 96), 0)
    assert work.head_macs == VOCABULARY * 64
    assert work.head_float_macs in (0, 64 * 64)  # what turns its input back, where the export turned it
    assert work.attention_width == 2 * 4 * 16
    # keys and values of 2 heads of 16 channels in 8 bits, for each of 2 layers, and their scales
    assert work.cache_bytes >= 2 * 2 * 2 * 16


def test_attention_is_causal(work: DecoderWork) -> None:
    # 3 tokens have products with 1, 2 and 3 tokens; behind 10 others with 11, 12 and 13
    assert work.attention_macs(0, 3) == 2 * 6 * work.attention_width
    assert work.attention_macs(10, 3) == 2 * 36 * work.attention_width


def test_a_token_takes_at_least_what_reading_its_weights_takes(work: DecoderWork) -> None:
    large = dataclasses.replace(work, weight_bytes=100_000_000, head_bytes=30_000_000)
    made = estimate_decode(large, PI5, 100, 1)
    assert PI5.own is not None
    cycles = PI5.clock_ghz * 1e9
    computing = (work.int8_macs + work.head_macs) / (PI5.own.int8_macs * cycles)
    computing += work.head_float_macs / (PI5.float_macs * SHARES["float"] * cycles)
    assert made.linear == pytest.approx(130e6 / (PI5.bandwidth_gbs * 1e9) + computing)
    assert (made.memory_bound, made.step, made.tokens) == (True, "decode", 100)
    assert estimate_decode(large, PI5, 50, 4).linear == pytest.approx(made.linear, rel=1e-3)  # no faster memory


def test_a_core_takes_weights_no_faster_than_its_cycles_allow(work: DecoderWork) -> None:
    large = dataclasses.replace(work, weight_bytes=100_000_000, head_bytes=30_000_000)
    quick = dataclasses.replace(PI5, bandwidth_gbs=1000.0)
    one, two = (estimate_decode(large, quick, 1, threads) for threads in (1, 2))
    assert one.linear == pytest.approx(130e6 / (READ_BYTES * PI5.clock_ghz * 1e9), rel=1e-2)
    assert one.linear / two.linear == pytest.approx(1.9)
    assert not one.memory_bound


def test_a_prompt_of_two_chunks_reads_the_head_once(work: DecoderWork) -> None:
    large = dataclasses.replace(work, weight_bytes=100_000_000, head_bytes=30_000_000, chunk=4)
    made = estimate_prefill(large, PI5, 8, 1)
    assert made.linear == pytest.approx((2 * 100e6 + 30e6) / (PI5.bandwidth_gbs * 1e9), rel=1e-2)
    assert made.attention >= estimate_prefill(large, PI5, 4, 1).attention


def test_the_command_shows_both_steps() -> None:
    command = [sys.executable, "-m", "linnet", "estimate", str(decoder_file()), "--device", "pi5", "--lengths", "8,64"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "prefill of a prompt" in done.stdout
    assert "one token behind so many" in done.stdout
    assert "over the file's bound of 63 tokens" in done.stderr
    rows = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert [(row["step"], row["tokens"]) for row in rows["estimates"]][:2] == [("prefill", 8), ("decode", 8)]
