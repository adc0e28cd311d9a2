"""Documents with labelled names: mails, chats, tickets, forms, notes, lists, in several registers and languages."""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from examples.pii_tagger.names import Names
from examples.pii_tagger.words import Part, entries, templates

__all__ = ["LABELS", "Document", "Span", "generate", "words_and_tags"]

LABELS = ("LOC", "ORG", "PER")

_SLOT = re.compile(r"\{([\w ]+)\}")
_REGISTERS = {
    "mail": 22, "chat": 12, "ticket": 13, "form": 12, "medical": 8, "legal": 8, "list": 8, "voice": 5, "news": 8,
    "negative": 14, "rows": 12, "items": 8,
}  # fmt: skip
"""Registers and how often each is drawn."""

_COLONS = (": ", ": ", ": ", " : ", "\t", " = ", " - ", ":\n", " ")
_BULLETS = ("- ", "* ", "• ", "{number}. ", "{number}) ", "> ", "[ ] ", "# ")

_LOWER, _UPPER, _BROKEN = 0.12, 0.04, 0.1
"""Shares of documents in small letters, in capitals, and with names split over line ends."""


@dataclasses.dataclass(frozen=True)
class Span:
    """A name.

    Attributes:
        start, end: code points, ``end`` exclusive.
        label: one of :data:`LABELS`.
    """

    start: int
    end: int
    label: str


@dataclasses.dataclass(frozen=True)
class Document:
    """A text and its names, in their order; none overlaps another.

    Attributes:
        text: the text.
        spans: its names.
        register: what kind of text it is.
    """

    text: str
    spans: tuple[Span, ...]
    register: str


def generate(count: int, seed: int, part: Part) -> Iterator[Document]:
    """Yield documents, the same for the same arguments.

    Args:
        count: how many.
        seed: of all choices.
        part: of the words that names and templates come from.
    """
    generator = random.Random(f"{part.value} {seed}")
    writer = _Writer(part, generator)
    for _ in range(count):
        yield writer.document()


class _Writer:
    """Fills in templates."""

    def __init__(self, part: Part, generator: random.Random) -> None:
        self._random = generator
        self._templates = templates(part)
        self._names = names = Names(part, generator)
        self._tagged: Mapping[str, tuple[str, Callable[[], str]]] = {
            "person": ("PER", names.person), "given": ("PER", names.given), "family": ("PER", names.family),
            "inverse": ("PER", names.inverse), "city": ("LOC", names.city), "country": ("LOC", names.country),
            "region": ("LOC", names.region), "place": ("LOC", names.place), "street": ("LOC", names.street),
            "town": ("LOC", names.town_line), "org": ("ORG", names.org),
        }  # fmt: skip
        self._plain: Mapping[str, Callable[[], str]] = {
            "date": self._date, "time": self._time, "number": lambda: str(generator.randint(2, 90)), "id": self._id,
            "money": self._money, "email": self._email, "phone": self._phone, "handle": self._handle,
        }  # fmt: skip

    def document(self) -> Document:
        (register,) = self._random.choices(list(_REGISTERS), list(_REGISTERS.values()))
        pieces = self._pieces(register)
        text, spans = self._filled("".join(pieces))
        return self._changed(Document(text, tuple(spans), register))

    def _pieces(self, register: str) -> list[str]:
        draw, lines = self._random, self._templates
        if register in ("rows", "items"):
            return self._columns(register)
        between = draw.choice((" ", " ", "\n", "\n\n")) if register in ("form", "list", "chat") else " "
        body = [draw.choice(lines[register]) for _ in range(draw.choice((1, 1, 1, 2, 2, 3)))]
        if register in ("mail", "ticket", "news") and draw.random() < 0.25:
            body.insert(draw.randint(0, len(body)), draw.choice(lines["negative"]))
        pieces = [between.join(body)]
        if register == "mail" and draw.random() < 0.6:
            pieces.insert(0, draw.choice(lines["greeting"]))
        if register == "mail" and draw.random() < 0.6:
            pieces.append(draw.choice(lines["closing"]))
        return pieces

    def _columns(self, register: str) -> list[str]:
        """Return a form of one field a line, or a list of equal items with one kind of bullet."""
        draw, count = self._random, self._random.randint(1, 6)
        if register == "rows":
            colon, end = draw.choice(_COLONS), draw.choice(("\n", "\n", "\n", "; ", " | ", "  "))
            lines = [draw.choice(self._templates["rows"]).replace("{colon}", colon) for _ in range(count)]
            return [end.join(lines)]
        bullet, end = draw.choice(_BULLETS), draw.choice(("\n", "\n", " "))
        one, dash = draw.choice(self._templates["items"]), draw.choice(("-", ":", "|", ",", "–"))
        items = [bullet.format(number=number) + one.replace("{dash}", dash) for number in range(1, count + 1)]
        heading = draw.choice(("", "{plain field}:\n", "{thing}\n", "{place field}: {city}\n", "{person field}s:\n"))
        return [heading, end.join(items)]

    def _filled(self, template: str) -> tuple[str, list[Span]]:
        template = template.replace("{address}", self._random.choice(("{street}, {town}", "{street}\n{town}")))
        text, at = "", 0
        spans: list[Span] = []
        for slot in _SLOT.finditer(template):
            text += template[at : slot.start()]
            at = slot.end()
            label, value = self._value(slot[1])
            if label:
                article = len("the ") if value.startswith("the ") else 0
                _add(spans, Span(len(text) + article, len(text) + len(value), label), text)
            text += value
        return text + template[at:], spans

    def _value(self, slot: str) -> tuple[str, str]:
        if slot in self._tagged:
            label, make = self._tagged[slot]
            return label, make()
        if slot in self._plain:
            return "", self._plain[slot]()
        return "", self._random.choice(entries("fillers.txt", (slot,)))

    def _changed(self, document: Document) -> Document:
        """Return it in other letters, or with line ends in names; neither moves an offset."""
        text, draw = document.text, self._random.random()
        if draw < _LOWER or (document.register in ("voice", "chat") and draw < 0.5):
            text = _same_length(text, str.lower)
        elif draw > 1 - _UPPER:
            text = _same_length(text, str.upper)
        if self._random.random() < _BROKEN and document.spans:
            span = self._random.choice(document.spans)
            inside = text[span.start : span.end].replace(" ", "\n", 1)
            text = text[: span.start] + inside + text[span.end :]
        return dataclasses.replace(document, text=text)

    # ---- what is no name -------------------------------------------------------------------------

    def _date(self) -> str:
        draw = self._random
        day, month, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(1940, 2030)
        name = entries("fillers.txt", ("month",))[month - 1]
        return draw.choice(
            (f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}", f"{year}-{month:02}-{day:02}", f"{day} {name}",
             f"{name} {day}, {year}", f"{name} {day}th")
        )  # fmt: skip

    def _time(self) -> str:
        hour, minute = self._random.randint(1, 12), self._random.choice((0, 15, 30, 45))
        return self._random.choice((f"{hour}:{minute:02}", f"{hour} pm", f"{hour} o'clock", f"{hour + 11}:{minute:02}"))

    def _id(self) -> str:
        draw = self._random
        prefix = draw.choice(("", "#", "INC", "A-", "RX", "DE"))
        return f"{prefix}{draw.randint(10_000, 99_999_999)}"

    def _money(self) -> str:
        amount = f"{self._random.randint(1, 5000)}.{self._random.randint(0, 99):02}"
        return self._random.choice((f"${amount}", f"{amount} EUR", f"£{amount}", f"€ {amount}", f"{amount} dollars"))

    def _handle(self) -> str:
        word = self._random.choice(entries("fillers.txt", ("food",))).split()[-1].lower()
        return f"{word}{self._random.randint(1, 999)}"

    def _email(self) -> str:
        return f"{self._handle()}@{self._random.choice(('example.com', 'example.org', 'mail.example'))}"

    def _phone(self) -> str:
        digits = "".join(str(self._random.randrange(10)) for _ in range(9))
        return self._random.choice(
            (f"+49 {digits[:3]} {digits[3:]}", f"({digits[:3]}) 555-{digits[3:7]}", f"0{digits[:4]} {digits[4:]}")
        )


def _add(spans: list[Span], span: Span, text: str) -> None:
    """Append a name, or go on with the one before: a given name and a family name behind a space are one person."""
    if spans and spans[-1].label == span.label and text[spans[-1].end :] == " ":
        span = dataclasses.replace(spans.pop(), end=span.end)
    spans.append(span)


def _same_length(text: str, change: Callable[[str], str]) -> str:
    """Change letters one by one, and leave those that become several (ß in capitals)."""
    return "".join(changed if len(changed := change(letter)) == 1 else letter for letter in text)


def words_and_tags(document: Document) -> tuple[list[str], list[str]]:
    """Return the words, cut at spaces and punctuation as WordPiece does, and the BIO tag of each.

    Raises:
        ValueError: a name begins or ends within a word.
    """
    words, tags = [], []
    for match in re.finditer(r"\w+|[^\w\s]", document.text):
        words.append(match[0])
        tags.append(_tag(match.start(), match.end(), document.spans))
    return words, tags


def _tag(start: int, end: int, spans: Sequence[Span]) -> str:
    for span in spans:
        if start < span.end and end > span.start:
            if start < span.start or end > span.end:
                raise ValueError(f"a name begins or ends within the word at {start}")
            return f"{'B' if start == span.start else 'I'}-{span.label}"
    return "O"
