"""Properties of masking: places, merging, replacement, sessions, streams."""

from __future__ import annotations

import hmac
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from linnet.errors import InvalidArgumentError, InvalidTextError, StateInvalidError
from linnet.masking import MODES, Masker
from linnet.runtime import core

MASKER = Masker()
KEY = bytes(range(32))

VALUES = ["ada@example.org", "4111 1111 1111 1111", "DE89370400440532013000", "192.0.2.1", "::1", "00:1A:2b:3C:4D:5E",
          "+49 30 901820", "536-22-8145", "born 12.03.1980", "[EMAIL_1]", "[TEXT_1]", "[CARD]", "[", "]", "_1]", "[A_",
          "é", "𝄞", "漢字", "٤", " ", "\n", "@", ":", "1", "x"]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(VALUES), st.text(max_size=4)), max_size=12).map("".join)
SPANS = st.tuples(st.sampled_from(["PERSON", "PHONE"]), st.integers(0, 30), st.integers(1, 12), st.floats(0, 1),
                  st.integers(0, 2))  # fmt: skip


def encodable(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


TEXTS = TEXTS.filter(encodable)


def find(text: str, spans: list[Any]) -> list[Any]:
    return list(core().Masker([]).find(text, spans))


def inside(text: str, spans: list[Any]) -> list[Any]:
    return [(type_, start, start + size, score, source) for type_, start, size, score, source in spans
            if start + size <= len(text)]  # fmt: skip


@given(TEXTS)
def test_places_are_in_order_and_inside(text: str) -> None:
    places = [0, *(place for span in MASKER.find(text) for place in (span.start, span.end)), len(text)]
    assert places == sorted(places)
    assert all(span.start < span.end for span in MASKER.find(text))
    assert MASKER.mask(text).spans == tuple(MASKER.find(text))


@given(TEXTS)
def test_replacing_the_places_gives_the_masked_text(text: str) -> None:
    for mode in ("type", "redact", "redact_length"):
        pieces, done = [], 0
        for span in MASKER.find(text):
            blocks = "█" * (5 if mode == "redact" else span.end - span.start)
            pieces += [text[done : span.start], f"[{span.type}]" if mode == "type" else blocks]
            done = span.end
        assert Masker(mode=mode).mask(text).text == "".join([*pieces, text[done:]])


@given(TEXTS)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    for mode in ("type", "redact", "redact_length"):
        masker = Masker(mode=mode)
        once = masker.mask(text).text
        # what stood apart may stand closer together: only new neighbours can be found again
        assert all(span.type in ("PHONE", "DATE_OF_BIRTH", "EMAIL", "IP") for span in masker.find(once))


@given(st.lists(TEXTS, max_size=4))
@example(["[EMAIL_1] ada@example.org [EMAIL_1]"])
@example(["[EMAIL_ada@example.org]", "[TEXT_1]"])
def test_a_session_gives_back_every_text(texts: list[str]) -> None:
    session = MASKER.session()
    masked = [session.mask(text) for text in texts]
    assert [session.unmask(each.text) for each in masked] == texts
    joined = "".join(each.text for each in masked)
    assert session.unmask(joined) == "".join(texts)
    restored = MASKER.restore(session.save(KEY), KEY)
    assert restored.unmask(joined) == "".join(texts)
    assert [restored.mask(text) for text in texts] == masked
    assert len(restored) == len(session)


@given(TEXTS, st.data())
def test_a_stream_gives_what_the_whole_gives(text: str, data: st.DataObject) -> None:
    session = MASKER.session()
    answer = session.mask(text).text + "[EMAIL_1] [EMAIL_99] [[EMAIL_1"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    pieces = [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    stream = session.unmask_stream()
    plain, given_ = "", ""
    for piece in pieces:
        plain += stream.push(piece)
        given_ += piece
        assert session.unmask(given_)[: len(plain)] == plain or given_[-44:].rfind("[") >= 0
    plain += stream.finish()
    assert plain == session.unmask(answer) == "".join(session.unmask_pieces(pieces))


def test_what_is_held_back_is_bounded() -> None:
    stream = MASKER.session().unmask_stream()
    held = 0
    for character in "[" + "A" * 200:
        held += 1 - len(stream.push(character))
        assert held <= 44
    assert held == 0


@given(TEXTS, st.lists(SPANS, max_size=6))
def test_every_given_place_is_covered(text: str, spans: list[Any]) -> None:
    given_ = inside(text, spans)
    found = find(text, given_)
    covered = {place for _, start, end, _, _ in found for place in range(start, end)}
    for _, start, end, _, _ in given_:
        assert all(place in covered for place in range(start, end) if text[place].isascii() and text[place].isalnum())
    for (_, _, end, _, _), (_, start, _, _, _) in itertools.pairwise(found):
        assert end <= start
    # the others find the same without what lies outside of all places
    assert {row[0] for row in found} <= {"PERSON", "PHONE", *(span.type for span in MASKER.find(text))}


def naive(text: str, spans: list[Any]) -> list[tuple[str, int, int]]:
    """Paint places from the weakest to the strongest, character by character."""
    order = sorted(enumerate(spans), key=lambda row: (row[1][4], row[1][1] - row[1][2], -row[1][3], row[1][1], row[0]))
    paint: list[int | None] = [None] * len(text)
    for number, (_, start, end, _, _) in reversed(order):
        paint[start:end] = [number] * (end - start)
    found, at = [], 0
    while at < len(text):
        end = at + 1
        while end < len(text) and paint[end] == paint[at]:
            end += 1
        if (number := paint[at]) is not None:
            found.append((spans[number][0], at, end))
        at = end
    return found


@given(st.lists(SPANS, max_size=8))
def test_merging_is_what_painting_gives(spans: list[Any]) -> None:
    text = "x" * 40
    given_ = inside(text, spans)
    assert [row[:3] for row in find(text, given_)] == naive(text, given_)


def test_a_pattern_wins_over_a_tagger_and_leaves_the_rest_to_it() -> None:
    text = "Ada King <ada@example.org> wrote"
    found = find(text, [("PERSON", 0, 26, 0.9, 2)])
    assert [(row[0], text[row[1] : row[2]]) for row in found] == [("PERSON", "Ada King"), ("EMAIL", "ada@example.org")]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([("A", 0, 5, 0.5, 2), ("B", 3, 9, 0.4, 2)], [("A", 0, 3), ("B", 3, 9)]),  # the longer one
        ([("A", 0, 4, 0.5, 2), ("B", 2, 6, 0.6, 2)], [("A", 0, 2), ("B", 2, 6)]),  # the more certain one
        ([("A", 0, 4, 0.5, 2), ("B", 2, 6, 0.5, 2)], [("A", 0, 4), ("B", 4, 6)]),  # the earlier one
        ([("A", 0, 4, 0.5, 1), ("B", 0, 9, 0.9, 2)], [("A", 0, 4), ("B", 4, 9)]),  # a finder over a tagger
        ([("A", 2, 4, 0.5, 0), ("B", 0, 9, 0.9, 1)], [("B", 0, 2), ("A", 2, 4), ("B", 4, 9)]),
    ],
)
def test_which_place_wins(spans: list[Any], expected: list[Any]) -> None:
    assert [row[:3] for row in find("abcdefghij", spans)] == expected


def test_pseudonyms_are_numbered_by_type() -> None:
    session = MASKER.session()
    first = session.mask("ada@example.org, bob@example.org, 192.0.2.1, ada@example.org")
    assert first.text == "[EMAIL_1], [EMAIL_2], [IP_1], [EMAIL_1]"
    assert session.mask("carl@example.org bob@example.org").text == "[EMAIL_3] [EMAIL_2]"
    assert session.unmask("Dear [EMAIL_2], [EMAIL_4] and [email_1]") == "Dear bob@example.org, [EMAIL_4] and [email_1]"
    assert Masker(mode="pseudonym").mask("a@example.org").text == "[EMAIL_1]"


def test_a_literal_pseudonym_is_not_mistaken() -> None:
    session = MASKER.session()
    session.mask("ada@example.org")
    masked = session.mask("What is [EMAIL_1]?")
    assert masked.text == "What is [TEXT_1]?"
    assert masked.spans == ()
    assert session.unmask(masked.text) == "What is [EMAIL_1]?"


def test_a_saved_session_needs_its_key_and_shows_nothing() -> None:
    session = MASKER.session()
    session.mask("ada@example.org 192.0.2.1")
    saved = session.save(KEY)
    assert b"ada" not in saved
    assert saved == session.save(KEY)
    with pytest.raises(StateInvalidError, match="another key"):
        MASKER.restore(saved, bytes(32))
    for place in (0, 8, 40, len(saved) - 1):
        with pytest.raises(StateInvalidError):
            MASKER.restore(saved[:place] + bytes([saved[place] ^ 1]) + saved[place + 1 :], KEY)
    for size in range(len(saved)):
        with pytest.raises(StateInvalidError):
            MASKER.restore(saved[:size], KEY)
    with pytest.raises(InvalidArgumentError, match="at least 16"):
        session.save(b"short")


def test_the_seal_is_the_construction_that_the_core_names() -> None:
    """SIV with HMAC-SHA256, computed by the standard library."""
    session = MASKER.session()
    session.mask("ada@example.org")
    value = b"ada@example.org"
    plain = b"".join([(5).to_bytes(8, "little"), b"EMAIL", (1).to_bytes(8, "little"),
                      len(value).to_bytes(8, "little"), value])  # fmt: skip
    keys = [hmac.digest(KEY, purpose + b"\1", "sha256") for purpose in (b"linnet mask tag", b"linnet mask stream")]
    tag = hmac.digest(keys[0], plain, "sha256")
    stream = b"".join(hmac.digest(keys[1], tag + at.to_bytes(8, "little"), "sha256") for at in range(2))
    sealed = b"LNMASK01" + tag + bytes(left ^ right for left, right in zip(plain, stream, strict=False))
    assert session.save(KEY) == sealed
    assert session.save(KEY * 3) != sealed  # a key longer than a block of SHA-256 is hashed
    assert MASKER.restore(session.save(KEY * 3), KEY * 3).unmask("[EMAIL_1]") == "ada@example.org"


def test_arguments_are_checked() -> None:
    with pytest.raises(InvalidArgumentError, match="'NAME'"):
        Masker(["NAME"])
    with pytest.raises(InvalidArgumentError, match="is the str"):
        Masker("EMAIL")
    with pytest.raises(InvalidArgumentError, match="mode"):
        Masker(mode="hide")
    pytest.importorskip("phonenumbers")
    with pytest.raises(InvalidArgumentError, match="region"):
        Masker(region="Germany")
    with pytest.raises(InvalidTextError):
        MASKER.mask("\ud800 a@example.org")
    for spans in ([("PERSON", 0, 9, 1.0, 2)], [("PERSON", 2, 2, 1.0, 2)], [("PERSON", -1, 2, 1.0, 2)],
                  [("person", 0, 2, 1.0, 2)], [("P" * 33, 0, 2, 1.0, 2)], [("PERSON", 0, 2, float("nan"), 2)],
                  [("PERSON", 0, 2, 1.0, 3)]):  # fmt: skip
        with pytest.raises(InvalidArgumentError):
            find("abcd", spans)


def test_chosen_types_alone_are_found() -> None:
    text = "ada@example.org 192.0.2.1 536-22-8145"
    assert Masker(["EMAIL"]).mask(text).text == "[EMAIL] 192.0.2.1 536-22-8145"
    assert Masker(["NATIONAL_ID"]).mask(text).text == "ada@example.org 192.0.2.1 [US_SSN]"
    assert Masker([]).mask(text).text == text
    assert Masker(["NATIONAL_ID"]).types >= {"US_SSN", "CN_ID"}
    assert "EMAIL" not in Masker(["NATIONAL_ID"]).types
    assert MODES == ("type", "pseudonym", "redact", "redact_length")


def test_nothing_shows_the_values() -> None:
    session = MASKER.session()
    masked = session.mask("ada@example.org")
    assert "ada" not in repr((MASKER, session, masked, masked.spans))


RUNS = ("1", "12 ", "1-", "1.", "@", "a@", "x@y.", "a.", ":", "a:", "00:", "+1", "+", "AB12 ", "[A_1", "[", "é1", '"@',
        "12.03.1980 ", "born ")  # fmt: skip


@pytest.mark.parametrize("unit", RUNS)
def test_long_runs_are_searched(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    masked = MASKER.mask(text)
    assert len(masked.text) <= 3 * len(text)
    assert len(MASKER.session().mask(text).text) <= 3 * len(text)


def test_threads_share_a_masker_and_a_session() -> None:
    session = MASKER.session()
    texts = [f"user{number % 50}@example.org " * 200 for number in range(400)]
    random.Random(1).shuffle(texts)
    with ThreadPoolExecutor(8) as pool:
        masked = list(pool.map(lambda text: session.mask(text).text, texts))
    assert [session.unmask(text) for text in masked] == texts
    assert len(session) == 50
