"""Each row of the table of patterns: what it finds, and what only looks like it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from linnet.masking import Masker, pattern_types

MASKER = Masker()

# text, and what is found in it; values from standards, documentation of the issuers, or calculated by hand
FOUND: dict[str, list[tuple[str, str]]] = {
    "EMAIL": [
        ("Write to ada@example.org.", "ada@example.org"),
        ("<ada.lovelace+notes@mail.example.co.uk>", "ada.lovelace+notes@mail.example.co.uk"),
        ("mailto:o'brien_2@sub-domain.example.com?x", "o'brien_2@sub-domain.example.com"),
        ('"Ada L."@example.org', '"Ada L."@example.org'),  # RFC 5322, 3.4.1
        ("ada@[192.0.2.1] or bob@[IPv6:2001:db8::1]", "ada@[192.0.2.1]"),  # RFC 5321, 4.1.3
        ("用户@例子.广告", "用户@例子.广告"),  # RFC 6531
        ("müller@bücher.example", "müller@bücher.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("请写信给ada@example.com谢谢", "ada@example.com"),
        ("'ada@example.com'", "ada@example.com"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
    "IBAN": [
        ("IBAN: DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00"),  # example of the registry
        ("GB29NWBK60161331926819", "GB29NWBK60161331926819"),
        ("fr14 2004 1010 0505 0001 3m02 606", "fr14 2004 1010 0505 0001 3m02 606"),
        ("NO93 8601 1117 947", "NO93 8601 1117 947"),
        ("(MT84MALT011000012345MTLCAST001S)", "MT84MALT011000012345MTLCAST001S"),
    ],
    "CARD": [
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("5555555555554444,", "5555555555554444"),
        ("3782-822463-10005", "3782-822463-10005"),
        ("card 6011111111111117 exp 12/29", "6011111111111117"),
        ("30569309025904", "30569309025904"),
        ("3530 1113 3330 0000 12", "3530 1113 3330 0000"),
        ("４１１１　１１１１　１１１１　１１１１", "４１１１　１１１１　１１１１　１１１１"),
        ("6759649826438453", "6759649826438453"),
        ("2223003122003222", "2223003122003222"),
    ],
    "IP": [
        ("from 192.0.2.146:8080", "192.0.2.146"),
        ("2001:db8:0:0:8:800:200c:417a", "2001:db8:0:0:8:800:200c:417a"),  # RFC 4291, 2.2
        ("at 2001:DB8::8:800:200C:417A.", "2001:DB8::8:800:200C:417A"),
        ("FF01::101", "FF01::101"),
        ("::1", "::1"),
        ("::13.1.68.3", "::13.1.68.3"),
        ("::FFFF:129.144.52.38", "::FFFF:129.144.52.38"),
        ("address:fe80::1%eth0 up", "fe80::1%eth0"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.0"),
    ],
    "MAC": [
        ("00:1A:2b:3C:4D:5E", "00:1A:2b:3C:4D:5E"),
        ("MAC:00-1a-2b-3c-4d-5e.", "00-1a-2b-3c-4d-5e"),
        ("001a.2b3c.4d5e", "001a.2b3c.4d5e"),
        ("AC-DE-48-FF-FE-23-45-67", "AC-DE-48-FF-FE-23-45-67"),
    ],
    "PHONE": [
        ("+49 30 901820", "+49 30 901820"),
        ("+1 (212) 736-5000", "+1 (212) 736-5000"),
        ("tel:+442079460958;", "+442079460958"),
        ("+49 (0)30 901820", "+49 (0)30 901820"),
        ("+33.1.42.68.53.00", "+33.1.42.68.53.00"),
        ("call +44 20 7946 0958 12 times", "+44 20 7946 0958"),
    ],
    "DATE_OF_BIRTH": [
        ("born on 12 March 1980 in Rome", "12 March 1980"),
        ("Date of birth: 1980-03-12", "1980-03-12"),
        ("DOB 03/12/80", "03/12/80"),
        ("geboren am 12. März 1980", "12. März 1980"),
        ("geb. 12.3.1980", "12.3.1980"),
        ("née le 1er mars 1980", "1er mars 1980"),
        ("Fecha de nacimiento: 12 de marzo de 1980", "12 de marzo de 1980"),
        ("data di nascita 12/03/1980", "12/03/1980"),
        ("Urodzony 12 października 1980", "12 października 1980"),
        ("(born March 12, 1980)", "March 12, 1980"),
        ("дата рождения 12.03.1980", "12.03.1980"),
        ("生年月日：1980年3月12日", "1980年3月12日"),
        ("doğum tarihi 12.03.1980", "12.03.1980"),
        ("född 1980-03-12", "1980-03-12"),
        ("12.03.1980, geboren in Bonn", "12.03.1980"),
        ("date of birth 19800312", "19800312"),
    ],
    "US_SSN": [("SSN 536-22-8145", "536-22-8145"), ("social security number 536228145", "536228145")],
    "UK_NINO": [("NI number AB 12 34 56 C.", "AB 12 34 56 C"), ("JG103759A", "JG103759A")],  # NIM39110
    "UK_NHS": [("NHS number: 943 476 5919", "943 476 5919"), ("nhs 9434765870", "9434765870")],
    "DE_TAX_ID": [("Steuer-ID 86 095 742 719", "86 095 742 719"), ("36574261809", "36574261809")],
    "FR_NIR": [("2 95 10 99 126 111 93", "2 95 10 99 126 111 93"), ("253072B07300470", "253072B07300470")],
    "ES_DNI": [("DNI 54362315-K", "54362315-K"), ("54362315k", "54362315k")],
    "ES_NIE": [("NIE X2482300W,", "X2482300W"), ("x-2482300-w", "x-2482300-w")],
    "IT_CODICE_FISCALE": [("RCCMNL83S18D969H", "RCCMNL83S18D969H"), ("rcc mnl 83S18 D969H", "rcc mnl 83S18 D969H")],
    "NL_BSN": [("BSN 111222333", "111222333"), ("burgerservicenummer: 1112.22.333", "1112.22.333")],
    "BE_NN": [("85.07.30-033.28", "85.07.30-033.28"), ("17073003384", "17073003384")],
    "CH_AHV": [("756.9217.0769.85", "756.9217.0769.85"), ("AHV 7569217076985", "7569217076985")],
    "PL_PESEL": [("PESEL 44051401359", "44051401359"), ("02070803628", "02070803628")],
    "SE_PERSONNUMMER": [("880320-0016", "880320-0016"), ("personnummer 8803200016", "8803200016")],
    "NO_FNR": [("15108695088", "15108695088"), ("151086 95088", "151086 95088")],
    "FI_HETU": [("131052-308T", "131052-308T"), ("010516A089N", "010516A089N")],
    "BR_CPF": [("CPF 390.533.447-05", "390.533.447-05"), ("11144477735", "11144477735")],
    "CA_SIN": [("SIN 123-456-782", "123-456-782"), ("social insurance number 123456782", "123456782")],
    "IN_AADHAAR": [("2341 2341 2346", "2341 2341 2346"), ("Aadhaar: 234123412346", "234123412346")],
    "CN_ID": [("身份证360426199101010071。", "360426199101010071"), ("11010519491231002X", "11010519491231002X")],
}

# what must not be taken for the type: a wrong check digit, another length, part of something longer
LOOKALIKES: dict[str, list[str]] = {
    "EMAIL": ["ada@example", "@example.org", "ada@", "a@b", "ada@-x.1", "x" * 65 + "@example.org", "see @ada", "a@b.c",
              "ada @example.org", "ada@example..org", "user@10.0.0"],
    "IBAN": ["DE88 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 0", "XX89370400440532013000",
             "DE893704004405320130001", "GB29 NWBK 6016 1331 9268 1"],
    "CARD": ["4111 1111 1111 1112", "1234567812345670", "41111111111111111111", "4.5555555555554444",
             "order 5555555555554444-1", "+5555555555554444", "A5555555555554444", "555555555555444"],
    "IP": ["256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "v1.2.3.4", "12:30:45", "std::vector", "::", "1::2::3",
           "a::b", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::1"],
    "MAC": ["00:1A:2b:3C:4D", "00:1A:2b:3C:4D:5E:6F", "00-1A:2b-3C:4D-5E", "0G:1A:2b:3C:4D:5E", "001a.2b3c.4d5"],
    "PHONE": ["+999 12345678", "+1 212 736", "1+4930901820", "+ 5", "++4930901820", "+49x30901820",
              "+3314268530012345"],
    "DATE_OF_BIRTH": ["on 12 March 1980", "geboren am 31.02.1980", "born 1980", "born in 5, on 12.03.1980",
                      "stubborn 12.03.1980", "born 12.03.1750", "born 2023-13-45", "Geb 12.03", "born 12.03.1980.5"],
    "US_SSN": ["000-22-8145", "666-22-8145", "912-22-8145", "536-00-8145", "536-22-0000", "536228145", "536-22-81456",
               "1-536-22-8145", "078-05-1120"],
    "UK_NINO": ["BG123456C", "AB123456E", "DA123456A", "AO123456B", "AB12345C", "XAB123456C"],
    "UK_NHS": ["943 476 5919", "NHS 943 476 5918", "nhs 94347659190"],
    "DE_TAX_ID": ["86 095 742 718", "12345678912", "11111111111", "860957427190"],
    "FR_NIR": ["2 95 10 99 126 111 92", "9 95 10 99 126 111 93", "295139912611193", "253072C07300470"],
    "ES_DNI": ["54362315A", "5436231K", "543623150K"],
    "ES_NIE": ["X2482300A", "W2482300W", "X248230W"],
    "IT_CODICE_FISCALE": ["RCCMNL83S18D969I", "RCCMNL83Z18D969H", "RCCMNL83S18D969", "RCCMNL83S18D969HX"],
    "NL_BSN": ["111222333", "BSN 111222334", "BSN 000000000"],
    "BE_NN": ["85.07.30-033.29", "85.77.30-033.28"],
    "CH_AHV": ["756.9217.0769.84", "757.9217.0769.85"],
    "PL_PESEL": ["44051401358", "44131401359"],
    "SE_PERSONNUMMER": ["880320-0018", "881320-0016", "8803200016"],
    "NO_FNR": ["15108695077", "45138695088"],
    "FI_HETU": ["131052-308U", "310252-308T", "131052G308T"],
    "BR_CPF": ["390.533.447-06", "111.111.111-11", "39053344706"],
    "CA_SIN": ["123-456-782", "SIN 123-456-783", "sin 823-456-782"],
    "IN_AADHAAR": ["2341 2341 2347", "1341 2341 2346", "234123412346"],
    "CN_ID": ["360426199101010072", "360426199113010071", "36042619910101007"],
}  # fmt: skip


def test_every_row_of_the_table_has_its_cases() -> None:
    types = [row.type for row in pattern_types()]
    assert len(set(types)) == len(types)
    assert set(types) == set(FOUND) == set(LOOKALIKES)
    assert all(row.checked_by for row in pattern_types())
    assert {row.group for row in pattern_types()} == {"", "NATIONAL_ID"}


def test_the_page_has_every_row() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "masking.md").read_text(encoding="utf-8")
    rows = [
        line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `") and line.count("|") == 4
    ]
    table = {row[0].strip("`"): (row[1], row[2]) for row in rows if row[0].strip("`").isupper()}
    assert {type_: checked_by for type_, (_, checked_by) in table.items()} == {
        row.type: row.checked_by for row in pattern_types()
    }
    for type_, (example, _) in table.items():
        assert type_ in {span.type for span in MASKER.find(example)}


@pytest.mark.parametrize(("type_", "text", "value"), [(t, *case) for t, cases in FOUND.items() for case in cases])
def test_it_is_found_whole(type_: str, text: str, value: str) -> None:
    spans = [span for span in MASKER.find(text) if span.type == type_]
    assert [text[span.start : span.end] for span in spans[:1]] == [value]


@pytest.mark.parametrize(("type_", "text"), [(t, text) for t, texts in LOOKALIKES.items() for text in texts])
def test_a_lookalike_is_not_found(type_: str, text: str) -> None:
    assert Masker([type_]).find(text) == []


def test_digits_of_every_script_are_digits() -> None:
    zeros = [code for code in range(0x110000) if unicodedata.decimal(chr(code), None) == 0]
    for zero in zeros:
        card = "".join(chr(zero + int(digit)) for digit in "5555555555554444")
        assert [span.type for span in MASKER.find(f"x {card} y")] == ["CARD"], hex(zero)


@pytest.mark.parametrize("space", "\u00a0\u2007\u2009\u202f\u3000")
@pytest.mark.parametrize("dash", "\u2010\u2011\u2013\u2212\uff0d")
def test_spaces_and_dashes_of_typesetting(space: str, dash: str) -> None:
    assert [span.type for span in MASKER.find("DE89 3704 0044 0532 0130 00".replace(" ", space))] == ["IBAN"]
    assert [span.type for span in MASKER.find("536-22-8145".replace("-", dash))] == ["US_SSN"]


def test_the_longest_reading_wins() -> None:
    found = MASKER.find("::ffff:192.0.2.1 and ada@[192.0.2.1]")
    assert [(span.type, span.end - span.start) for span in found] == [("IP", 16), ("EMAIL", 15)]
