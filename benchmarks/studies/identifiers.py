"""Random valid identification numbers, by the check digits of python-stdnum."""

from __future__ import annotations

import importlib
import random
import string
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["MODULES", "is_valid", "random_identifier"]

MODULES: Mapping[str, str] = {
    "CARD": "luhn", "IBAN": "iban", "US_SSN": "us.ssn", "UK_NHS": "gb.nhs", "DE_TAX_ID": "de.idnr", "FR_NIR": "fr.nir",
    "ES_DNI": "es.dni", "ES_NIE": "es.nie", "IT_CODICE_FISCALE": "it.codicefiscale", "NL_BSN": "nl.bsn",
    "BE_NN": "be.nn", "CH_AHV": "ch.ssn", "PL_PESEL": "pl.pesel", "SE_PERSONNUMMER": "se.personnummer",
    "NO_FNR": "no.fodselsnummer", "FI_HETU": "fi.hetu", "BR_CPF": "br.cpf", "CA_SIN": "ca.sin",
    "IN_AADHAAR": "in_.aadhaar", "CN_ID": "cn.ric",
}  # fmt: skip
"""Module of python-stdnum by type; it has none for National Insurance numbers of the United Kingdom."""


def is_valid(type_: str, number: str) -> bool:
    """Return whether python-stdnum takes the number for valid."""
    module: Any = importlib.import_module(f"stdnum.{MODULES[type_]}")
    return bool(module.is_valid(number))


def _digits(random_: random.Random, count: int) -> str:
    return "".join(random_.choices(string.digits, k=count))


def _letters(random_: random.Random, count: int) -> str:
    return "".join(random_.choices(string.ascii_uppercase, k=count))


def _date(random_: random.Random, form: str) -> str:
    day, month, year = random_.randint(1, 28), random_.randint(1, 12), random_.randint(1940, 1999)
    parts = {"D": f"{day:02}", "M": f"{month:02}", "Y": f"{year % 100:02}", "C": f"{year:04}"}
    return "".join(parts[letter] for letter in form)


def _tax_id(random_: random.Random) -> str:
    digits = random_.sample(string.digits, 9)
    digits.insert(random_.randrange(9), random_.choice(digits))
    return "".join(digits)


def _codice(random_: random.Random) -> str:
    month, day = random_.choice("ABCDEHLMPRST"), random_.randint(1, 28)
    return f"{_letters(random_, 6)}{_digits(random_, 2)}{month}{day:02}H501"  # H501: Rome


_BODIES: Mapping[str, Callable[[random.Random], str]] = {
    "US_SSN": lambda r: f"{r.randint(100, 665)}{r.randint(10, 99)}{r.randint(100, 999)}",
    "UK_NHS": lambda r: _digits(r, 9),
    "DE_TAX_ID": _tax_id,
    "FR_NIR": lambda r: f"{r.choice('12')}{_date(r, 'YM')}{r.choice(['75', '13', '2A', '2B'])}{_digits(r, 6)}",
    "ES_DNI": lambda r: _digits(r, 8),
    "ES_NIE": lambda r: r.choice("XYZ") + _digits(r, 7),
    "IT_CODICE_FISCALE": _codice,
    "NL_BSN": lambda r: _digits(r, 8),
    "BE_NN": lambda r: _date(r, "YMD") + _digits(r, 3),
    "CH_AHV": lambda r: "756" + _digits(r, 9),
    "PL_PESEL": lambda r: _date(r, "YMD") + _digits(r, 4),
    "SE_PERSONNUMMER": lambda r: _date(r, "YMD") + "-" + _digits(r, 3),
    "NO_FNR": lambda r: _date(r, "DMY") + f"{r.randint(0, 499):03}",
    "FI_HETU": lambda r: f"{_date(r, 'DMY')}-{r.randint(2, 899):03}",
    "BR_CPF": lambda r: _digits(r, 9),
    "CA_SIN": lambda r: r.choice("1234567") + _digits(r, 7),
    "IN_AADHAAR": lambda r: r.choice("23456789") + _digits(r, 10),
    "CN_ID": lambda r: "110105" + _date(r, "CMD") + _digits(r, 3),
    "CARD": lambda r: r.choice(["4", "51", "2221", "6011"]).ljust(15, "7")[:6] + _digits(r, 9),
    "IBAN": lambda r: "",
}
_TWO = ("FR_NIR", "BE_NN", "NO_FNR", "BR_CPF")
"""Types with two check digits."""


def random_identifier(type_: str, random_: random.Random) -> str:
    """Return a valid number without separators, except for the sign of a century."""
    while True:
        if type_ == "IBAN":
            body = "DE00" + _digits(random_, 18)
            checks = [f"DE{check:02}{body[4:]}" for check in range(2, 99)]
        else:
            body = _BODIES[type_](random_)
            numbers = (
                [f"{check:02}" for check in range(100)] if type_ in _TWO else [*string.digits, *string.ascii_uppercase]
            )
            checks = [body + check for check in numbers]
        if valid := [number for number in checks if is_valid(type_, number)]:
            return random_.choice(valid)
