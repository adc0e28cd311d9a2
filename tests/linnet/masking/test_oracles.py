"""The checks of the patterns beside python-stdnum, ipaddress, email and phonenumbers."""

from __future__ import annotations

import ipaddress
import random
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.studies.identifiers import MODULES, is_valid, random_identifier
from linnet.masking import Masker

# a word for types whose plain digits count only near one
WORDS = {
    "US_SSN": "SSN", "UK_NHS": "NHS", "NL_BSN": "BSN", "CA_SIN": "SIN", "IN_AADHAAR": "Aadhaar",
    "SE_PERSONNUMMER": "personnummer",
}  # fmt: skip
CHECK_AT = {"IBAN": (2, 3), "FR_NIR": (13, 14), "BE_NN": (9, 10), "NO_FNR": (9, 10), "BR_CPF": (9, 10)}
"""Places of the check digits where they are not the last character; US_SSN has none."""


def found(type_: str, text: str) -> list[str]:
    return [text[span.start : span.end] for span in Masker([type_]).find(text)]


@pytest.mark.parametrize("type_", [type_ for type_ in MODULES if type_ != "US_SSN"])
def test_check_digits_are_those_of_stdnum(type_: str) -> None:
    random_ = random.Random(f"masking {type_}")
    refused = 0
    for _ in range(40):
        number = random_identifier(type_, random_)
        places = CHECK_AT.get(type_, (len(number) - 1,))
        digits = string.ascii_uppercase if number[-1].isalpha() and type_.startswith(("ES", "IT")) else string.digits
        for place in places:
            for digit in digits:
                changed = number[:place] + digit + number[place + 1 :]
                text = f"{WORDS.get(type_, 'x')} {changed} y"
                assert found(type_, text) == ([changed] if is_valid(type_, changed) else []), changed
                refused += not is_valid(type_, changed)
    assert refused > 300


def test_social_security_numbers_are_those_of_stdnum() -> None:
    random_ = random.Random(1)
    for _ in range(2000):
        area, group, serial = random_.randrange(1000), random_.randrange(100), random_.randrange(10000)
        number = f"{area:03}-{group * random_.randrange(2):02}-{serial * random_.randrange(2):04}"
        assert bool(found("US_SSN", f"x {number} y")) == is_valid("US_SSN", number), number


GROUP = st.sampled_from(["0", "1", "ab", "2001", "db8", "ffff", "00a", "12345", "g", ""])


@given(st.lists(GROUP, min_size=1, max_size=9).map(":".join))
def test_v6_is_that_of_ipaddress(text: str) -> None:
    try:
        address: str | None = str(ipaddress.IPv6Address(text))
    except ValueError:
        address = None
    groups = [group for group in text.split(":") if group]
    if address is not None and (len(groups) >= 3 or any(map(str.isdigit, "".join(groups)))):
        assert found("IP", f"x {text} y") == [text]
    elif address is None:
        assert text not in found("IP", f"x {text} y")


@given(st.integers(2**64, 2**128 - 1), st.integers(0, 2**32 - 1))
def test_every_address_is_found(six: int, four: int) -> None:
    wide, narrow = ipaddress.IPv6Address(six), ipaddress.IPv4Address(four)
    for text in (str(wide), wide.exploded, str(wide).upper(), str(narrow), f"64:ff9b::{narrow}"):
        assert found("IP", f"({text})") == [text]


@given(st.lists(st.sampled_from(["0", "1", "10", "255", "256", "01", "999", "", "x"]), max_size=6).map(".".join))
def test_v4_is_that_of_ipaddress(text: str) -> None:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        assert text not in found("IP", f"x {text} y")
    else:
        assert found("IP", f"x {text} y") == [text]


def test_every_region_has_its_numbers() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    missed = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
                text = phonenumbers.format_number(number, form)
                missed += [text] if found("PHONE", f"call {text}, please") != [text] else []
    assert missed == []


def test_numbers_as_dialled_in_a_region() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    masker = Masker(["PHONE"], region="DE")
    text = "Rufen Sie 030 901820 an, oder +1 212 736 5000; Rechnung 1234567"
    expected = [(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, "DE")]
    assert [(span.start, span.end) for span in masker.find(text)] == expected
    assert [span.source for span in masker.find(text)] == ["finder", "pattern"]
    assert masker.mask("Tel. 030 901820").text == "Tel. [PHONE]"


PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@settings(max_examples=60)
@given(st.emails(domains=st.sampled_from(["example.org", "a-b.example.co.uk", "x.museum", "A.aC"])))
def test_addresses_of_the_standard_are_masked(address: str) -> None:
    local = address.rsplit("@", 1)[0]
    masked = Masker(["EMAIL"]).mask(f"<{address}>").text
    assert masked == "<[EMAIL]>" or not PLAIN.fullmatch(local)
    assert masked.endswith("[EMAIL]>") or not local[-1].isalnum()
