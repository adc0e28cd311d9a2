"""What people see of a decoder."""

from __future__ import annotations

import dataclasses
import io

from linnet.cli.console import Console
from linnet_bench.record.record import Record, from_json, to_json
from linnet_bench.record.table import show_record
from tests.support.records import decoder_record


def shown(record: Record) -> str:
    stream = io.StringIO()
    show_record(record, Console(stream))
    return stream.getvalue()


def test_round_trip() -> None:
    assert from_json(to_json(decoder_record())) == decoder_record()


def test_figures_by_hand() -> None:
    rows = [line.split() for line in shown(decoder_record()).splitlines()]
    # 128 tokens in 0.8 s are 160 tokens/s, 799 and 801 ms are 160.2 and 159.8; the first token follows 2 ms later
    assert ["2", "128", "160", "160", "160", "800.0", "802.0", "3"] in rows
    # 16 tokens in 80 ms are 200 a second; 79 and 81 ms are 202.5 and 197.5
    assert ["2", "16", "200", "198", "203", "80.00", "82.00", "3"] in rows
    # 12.5 ms a token are 80 tokens/s
    assert ["2", "128", "80.0", "12.50", "13.50", "13.50*", "13.50", "3"] in rows


def test_words_are_those_of_a_decoder() -> None:
    text = shown(decoder_record())
    assert "prefill of forward_fused, a prompt's ids in" in text
    assert "to first token (median of 3" in text
    assert "energy behind 16 tokens on 2 threads: 1.00 mJ a token" in text
    assert "profile of forward, prefill of 8 tokens, 2 threads" in text
    assert "profile of forward, one token behind 8 tokens, 2 threads" in text
    assert "latency of" not in text


def test_a_prompt_whose_continuation_was_interrupted_is_shown() -> None:
    record = decoder_record()
    early = dataclasses.replace(record.runs[0], decoding=record.runs[0].decoding[:1])
    rows = [line.split() for line in shown(dataclasses.replace(record, runs=(early,))).splitlines()]
    assert ["2", "128", "160", "160", "160", "800.0", "3"] in rows
