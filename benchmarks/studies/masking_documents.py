"""Generated documents with planted personal data and look-alikes, for the study of masking.

Templates, names and look-alikes are linnet's own; numbers have the check digits of python-stdnum, phone numbers those
that libphonenumber has as examples, with other last digits.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Mapping
from functools import cache

from benchmarks.studies.identifiers import random_identifier

__all__ = ["HARD", "NAMED", "Document", "Planted", "documents"]

NAMED = ("PERSON", "LOCATION", "ORGANIZATION")
"""Types that only a tagger finds."""


@dataclasses.dataclass(frozen=True)
class Planted:
    """A value in a document.

    Attributes:
        hard: it is written in a way that docs/how-to/masking.md says is missed.
    """

    type: str
    start: int
    end: int
    hard: bool = False


@dataclasses.dataclass(frozen=True)
class Document:
    """A text and the values in it."""

    text: str
    planted: tuple[Planted, ...]


_GIVEN = (
    "Ada Bruno Carla Dmitri Elif Farid Grete Hanna Igor Jelena Karim Lotte Marek Nadia Olga Pavel Rosa Sven".split()
)
_FAMILY = "Lindqvist Okafor Moreau Tanaka Becker Novak Silva Rossi Jansen Kowalska Yilmaz Nielsen Haddad Petrov".split()
_PLACES = "Lisbon Tromso Krakow Bergamo Antalya Utrecht Graz Malmo Porto Leeds Dresden Lyon Cork Turku".split()
_FIRMS = ("Nordwind Logistics", "Alba Dental", "Kestrel Insurance", "Brook & Heath", "Polder Energie", "Vega Optics")
_DOMAINS = "example.org example.com mail.example.net example.co.uk büro.example dept.example.edu".split()

_FORMS: Mapping[str, tuple[str, ...]] = {
    "IBAN": ("#### #### #### #### #### ##", "*"),
    "CARD": ("#### #### #### ####", "####-####-####-####", "*"),
    "US_SSN": ("###-##-####",),
    "UK_NHS": ("### ### ####",),
    "DE_TAX_ID": ("## ### ### ###", "*"),
    "FR_NIR": ("# ## ## ## ### ### ##", "*"),
    "ES_DNI": ("########-#", "*"),
    "ES_NIE": ("#-#######-#", "*"),
    "NL_BSN": ("*", "####.##.###"),
    "BE_NN": ("##.##.##-###.##", "*"),
    "CH_AHV": ("###.####.####.##",),
    "NO_FNR": ("###### #####", "*"),
    "BR_CPF": ("###.###.###-##", "*"),
    "CA_SIN": ("###-###-###", "### ### ###"),
    "IN_AADHAAR": ("#### #### ####",),
}
"""Usual ways to write a number: # is its next character, * all of them."""

_LABELS: Mapping[str, str] = {
    "IBAN": "IBAN", "CARD": "card", "US_SSN": "SSN", "UK_NHS": "NHS number", "UK_NINO": "NI number",
    "DE_TAX_ID": "Steuer-ID", "FR_NIR": "n° de sécurité sociale", "ES_DNI": "DNI", "ES_NIE": "NIE",
    "IT_CODICE_FISCALE": "codice fiscale", "NL_BSN": "BSN", "BE_NN": "rijksregisternummer", "CH_AHV": "AHV-Nummer",
    "PL_PESEL": "PESEL", "SE_PERSONNUMMER": "personnummer", "NO_FNR": "fødselsnummer", "FI_HETU": "henkilötunnus",
    "BR_CPF": "CPF", "CA_SIN": "SIN", "IN_AADHAAR": "Aadhaar", "CN_ID": "身份证号", "EMAIL": "e-mail", "IP": "address",
    "MAC": "device", "PHONE": "phone",
}  # fmt: skip

_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split(),
}
_BIRTHS: tuple[tuple[str, str], ...] = (
    ("born on {}", "{d} {en} {y}"), ("born {}", "{en} {d}, {y}"), ("date of birth: {}", "{y}-{m:02}-{d:02}"),
    ("DOB {}", "{m:02}/{d:02}/{y}"), ("geboren am {}", "{d}. {de} {y}"), ("Geburtsdatum {}", "{d:02}.{m:02}.{y}"),
    ("née le {}", "{d} {fr} {y}"), ("fecha de nacimiento: {}", "{d} de {es} de {y}"), ("nata il {}", "{d} {it} {y}"),
    ("geboortedatum {}", "{d:02}-{m:02}-{y}"), ("data urodzenia {}", "{d:02}.{m:02}.{y}"),
    ("född {}", "{y}-{m:02}-{d:02}"), ("дата рождения {}", "{d:02}.{m:02}.{y}"), ("生年月日 {}", "{y}年{m}月{d}日"),
)  # fmt: skip


def _written(type_: str, number: str, random_: random.Random) -> str:
    form = random_.choice(_FORMS.get(type_, ("*",)))
    characters = iter(number)
    written = number if form == "*" else re.sub("#", lambda _: next(characters, ""), form)
    return written + "".join(characters if form != "*" else "")


def _nino(random_: random.Random) -> str:
    digits = [f"{random_.randrange(100):02}" for _ in range(3)]
    return random_.choice(("", " ")).join([random_.choice(("AB", "JG", "PW", "SE")), *digits, random_.choice("ABCD")])


def _email(random_: random.Random) -> str:
    given, family = random_.choice(_GIVEN).lower(), random_.choice(_FAMILY).lower()
    local = random_.choice((f"{given}.{family}", f"{given[0]}{family}{random_.randrange(100)}", f"{given}+news"))
    return f"{local}@{random_.choice(_DOMAINS)}"


def _ip(random_: random.Random) -> str:
    groups = [f"{random_.randrange(1, 65536):x}" for _ in range(8)]
    four = ".".join(str(random_.randrange(1, 255)) for _ in range(4))
    return random_.choice((four, ":".join(groups), f"{groups[0]}:{groups[1]}::{groups[2]}", f"::ffff:{four}"))


def _mac(random_: random.Random) -> str:
    pairs = [f"{random_.randrange(256):02x}" for _ in range(6)]
    return random_.choice((":".join(pairs), "-".join(pairs).upper()))


@cache
def _example_numbers() -> tuple[str, ...]:
    import phonenumbers

    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    numbers = [
        phonenumbers.example_number_for_type(r, k) for r in sorted(phonenumbers.SUPPORTED_REGIONS) for k in kinds
    ]
    forms = (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164)
    return tuple(phonenumbers.format_number(number, form) for number in numbers if number for form in forms)


def _phone(random_: random.Random) -> str:
    number = random_.choice(_example_numbers())
    return number[:-2] + "".join(str(random_.randrange(10)) if c.isdigit() else c for c in number[-2:])


def _birth(random_: random.Random) -> tuple[str, str]:
    around, form = random_.choice(_BIRTHS)
    day, month, year = random_.randint(1, 28), random_.randint(1, 12), random_.randint(1930, 2010)
    names = {language: months[month - 1] for language, months in _MONTHS.items()}
    return around, form.format(d=day, m=month, y=year, **names)


_OWN: Mapping[str, Callable[[random.Random], str]] = {
    "EMAIL": _email, "IP": _ip, "MAC": _mac, "PHONE": _phone, "UK_NINO": _nino,
}  # fmt: skip


def _value(type_: str, random_: random.Random) -> tuple[str, str]:
    """Return what stands around a value ({}), and the value."""
    if type_ == "DATE_OF_BIRTH":
        return _birth(random_)
    around = random_.choice((f"{_LABELS[type_]}: {{}}", f"{_LABELS[type_]} {{}}", f"({_LABELS[type_]} {{}})"))
    if type_ in _OWN:
        return around, _OWN[type_](random_)
    return around, _written(type_, random_identifier(type_, random_), random_)


def _national_phone(random_: random.Random) -> str:
    return f"0{random_.randrange(30, 99)} {random_.randrange(10**5, 10**7)}"


HARD: Mapping[str, Callable[[random.Random], tuple[str, str]]] = {
    "EMAIL": lambda r: ("write to {}", _email(r).replace("@", " at ").replace(".", " dot ")),
    "CARD": lambda r: ("card {}", _written("CARD", random_identifier("CARD", r), r).replace(" ", "\n", 1)),
    "PHONE": lambda r: ("phone {}", _national_phone(r)),
    "DATE_OF_BIRTH": lambda r: ("{} is when I came into the world", _birth(r)[1]),
    "NL_BSN": lambda r: ("my number is {}", random_identifier("NL_BSN", r)),
}
"""Ways to write a value that docs/how-to/masking.md says are missed."""

_LOOKALIKES: tuple[Callable[[random.Random], str], ...] = (
    lambda r: f"order {r.randrange(10**7, 10**8)}",
    lambda r: f"tracking {r.randrange(10**11, 10**12)}",
    lambda r: f"invoice {r.randrange(10**15, 10**16)}",
    lambda r: f"contract {r.randrange(10**10, 10**11)}",
    lambda r: f"part {r.randrange(1000)}-{r.randrange(100)}-{r.randrange(10000)}",
    lambda r: f"version {r.randrange(9)}.{r.randrange(20)}.{r.randrange(20)}",
    lambda r: f"on {r.randint(1, 28)}.{r.randint(1, 12)}.{r.randint(2015, 2026)}",
    lambda r: f"at {r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}",
    lambda r: f"{r.randrange(1, 999)},{r.randrange(1000):03}.{r.randrange(100):02} EUR",
    lambda r: f"id {r.getrandbits(128):032x}",
    lambda r: (
        f"uuid {r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}-a{r.getrandbits(12):03x}-"
        f"{r.getrandbits(48):012x}"
    ),
    lambda r: f"ISBN 978-{r.randrange(10)}-{r.randrange(10**3)}-{r.randrange(10**5):05}-{r.randrange(10)}",
    lambda r: f"see std::vector and ns::{r.choice(['add', 'face', 'cab'])}::size",
    lambda r: f"thanks @{r.choice(_GIVEN).lower()} for +{r.randrange(1, 20)} points",
    lambda r: f"lat {r.uniform(-90, 90):.6f} lon {r.uniform(-180, 180):.6f}",
    lambda r: f"BIC {''.join(r.choices('ABCDEFGHIJKLMNOPQRSTUVWXYZ', k=6))}2L",
    lambda r: f"price list {r.randrange(100, 999)} {r.randrange(100, 999)} {r.randrange(1000, 9999)}",
    lambda r: f"{r.randrange(10**9, 10**10)} rows",
)

_SENTENCES = (
    "{PERSON} from {LOCATION} called about the delivery, {LOOKALIKE}.",
    "The ticket of {PERSON} ({ORGANIZATION}) is open: {VALUE}.",
    "Please change the record, {VALUE}, as agreed {LOOKALIKE}.",
    "{ORGANIZATION} confirmed {LOOKALIKE} and {LOOKALIKE}.",
    "Customer {PERSON}, {VALUE}, asks for a copy.",
    "Log: {LOOKALIKE}; {VALUE}; {LOOKALIKE}.",
    "Nothing else was noted in {LOCATION}.",
    "{VALUE}",
)


class _Writer:
    """A document that grows."""

    def __init__(self, random_: random.Random) -> None:
        self.random = random_
        self.text = ""
        self.planted: list[Planted] = []

    def value(self, type_: str, hard: bool) -> None:
        around, value = (HARD[type_] if hard else lambda r: _value(type_, r))(self.random)
        before, _, behind = around.partition("{}")
        self.text += before
        self._plant(type_, value, hard)
        self.text += behind

    def slot(self, name: str, types: list[str]) -> None:
        if name == "VALUE":
            hard = self.random.random() < 0.1
            self.value(self.random.choice(list(HARD)) if hard else types.pop(), hard)
        elif name == "LOOKALIKE":
            self.text += self.random.choice(_LOOKALIKES)(self.random)
        else:
            choices = {"LOCATION": _PLACES, "ORGANIZATION": _FIRMS}
            person = f"{self.random.choice(_GIVEN)} {self.random.choice(_FAMILY)}"
            self._plant(name, person if name == "PERSON" else self.random.choice(choices[name]), hard=False)

    def _plant(self, type_: str, value: str, hard: bool) -> None:
        self.planted.append(Planted(type_, len(self.text), len(self.text) + len(value), hard))
        self.text += value


def documents(count: int, seed: int) -> list[Document]:
    """Return documents of four to ten sentences; each type is planted about equally often."""
    random_ = random.Random(seed)
    made = []
    types: list[str] = []
    for _ in range(count):
        writer = _Writer(random_)
        for _ in range(random_.randint(4, 10)):
            if len(types) < len(_SENTENCES):
                types += random_.sample([*_LABELS, "DATE_OF_BIRTH"], len(_LABELS) + 1)
            for part in re.split(r"(\{[A-Z]+\})", random_.choice(_SENTENCES)):
                if part.startswith("{"):
                    writer.slot(part.strip("{}"), types)
                else:
                    writer.text += part
            writer.text += random_.choice((" ", "\n"))
        made.append(Document(writer.text, tuple(writer.planted)))
    return made
