"""Names of persons, places and organizations, from lists and from parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from examples.pii_tagger.words import Part, entries, read_sections

__all__ = ["Names"]

_INVENTED_GIVEN, _INVENTED_FAMILY, _INVENTED_PLACE = 0.15, 0.3, 0.35
"""Shares of names that stand in no list: the tagger has to know them by their place in the sentence."""

_ATTEMPTS = 200


class Names:
    """Names of one part of the words; every method draws one.

    Args:
        part: only words of this part are used, invented ones too.
        generator: of all choices.
    """

    def __init__(self, part: Part, generator: random.Random) -> None:
        self._part = part
        self._random = generator
        self._plain = tuple(name for name in read_sections("given.txt") if name != "words")

    def given(self) -> str:
        """Return a given name; some are also common words, such as May and Will."""
        draw = self._random.random()
        if draw < _INVENTED_GIVEN:
            return self._invented(lambda: self._joined("stem", "given end"))
        if draw < _INVENTED_GIVEN + 0.1:
            return self._of("given.txt", ("words",))
        return self._of("given.txt", self._plain)

    def family(self) -> str:
        """Return a family name."""
        draw = self._random.random()
        if draw < _INVENTED_FAMILY:
            return self._invented(lambda: self._joined("stem", "family end"))
        if draw < _INVENTED_FAMILY + 0.06:
            return f"{self._of('family.txt')}-{self._of('family.txt')}"
        return self._of("family.txt")

    def person(self) -> str:
        """Return a whole name, with initials or several given names at times."""
        given, family = self.given(), self.family()
        return self._pick((
            (60, lambda: f"{given} {family}"),
            (8, lambda: f"{given} {self._letter()}. {family}"),
            (7, lambda: f"{given[0]}. {family}"),
            (6, lambda: f"{given} {self.given()} {family}"),
            (3, lambda: f"{given}-{self.given()} {family}"),
            (3, lambda: f"{given[0]}. {self._letter()}. {family}"),
            (4, lambda: f"{family} {given}"),
            (9, lambda: given),
            (2, lambda: f"{self._pick_of(('Lil', 'DJ', 'King', 'Uncle', 'Young', 'Big'))} {given}"),
        ))  # fmt: skip

    def inverse(self) -> str:
        """Return a name as registers have it, family name first."""
        given, family = self.given(), self.family()
        return self._pick((
            (70, lambda: f"{family}, {given}"),
            (10, lambda: f"{family}, {given[0]}."),
            (10, lambda: f"{family.upper()}, {given}"),
            (10, lambda: f"{family} {given}"),
        ))  # fmt: skip

    def city(self) -> str:
        """Return a town."""
        draw = self._random.random()
        if draw > _INVENTED_PLACE:
            return self._of("places.txt", ("city",))
        if draw < _INVENTED_PLACE / 5:
            return f"{self._of('parts.txt', ('place front',), None)} {self._invented(self._place)}"
        return self._invented(self._place)

    def country(self) -> str:
        """Return a country."""
        return self._of("places.txt", ("country",))

    def region(self) -> str:
        """Return a part of a country."""
        return self._of("places.txt", ("region",))

    def place(self) -> str:
        """Return any place."""
        return self._pick((
            (35, self.city), (15, self.country), (15, self.region),
            (15, lambda: self._of("places.txt", ("water and land",))), (20, self._landmark),
        ))  # fmt: skip

    def street(self) -> str:
        """Return a street, most with the number of the house."""
        number = str(self._random.randint(1, 250)) + ("" if self._random.random() < 0.85 else self._pick_of("abc"))
        return self._pick((
            (45, lambda: f"{number} {self._english_street()}"),
            (13, self._english_street),
            (20, lambda: f"{self._german_street()} {number}"),
            (12, lambda: f"{self._romance_street()} {number}"),
            (5, lambda: f"{number} {self._romance_street()}"),
            (5, lambda: f"P.O. Box {self._random.randint(10, 9999)}"),
        ))  # fmt: skip

    def town_line(self) -> str:
        """Return the second line of an address: postcode and town."""
        city, digits = self.city(), self._digits
        return self._pick((
            (35, lambda: f"{digits(5)} {city}"),
            (15, lambda: f"{digits(4)} {city}"),
            (20, lambda: f"{city}, {self._letter()}{self._letter()} {digits(5)}"),
            (15, lambda: f"{city} {self._letter()}{digits(1)} {digits(1)}{self._letter()}{self._letter()}"),
            (15, lambda: city),
        ))  # fmt: skip

    def org(self) -> str:
        """Return an organization."""
        return self._pick((
            (23, lambda: self._of("organizations.txt", ("known",))),
            (12, lambda: self._filled("organizations.txt", "of media")),
            (20, lambda: f"{self._head()} {self._tail()}"),
            (10, lambda: f"{self._head()} {self._tail()} {self._form()}"),
            (5, lambda: f"{self._invented(lambda: self._joined('stem', 'given end'))} {self._form()}"),
            (15, lambda: self._filled("organizations.txt", "of place")),
            (15, lambda: self._filled("organizations.txt", "of family")),
            (5, lambda: self._of("organizations.txt", ("of saint",))),
        ))  # fmt: skip

    def of_label(self, label: str) -> str:
        """Return a name of any kind that the label has: PER, LOC or ORG."""
        if label == "LOC":
            return self.place() if self._random.random() < 0.5 else self.city()
        if label == "ORG":
            return self.org()
        return self.person() if self._random.random() < 0.6 else self.given()

    # ---- parts of names --------------------------------------------------------------------------

    def _of(self, file: str, sections: Sequence[str] = (), part: Part | None = Part.TRAIN) -> str:
        """Draw a word; ``part`` None: of all parts, for words that are no names by themselves."""
        return self._pick_of(entries(file, tuple(sections), None if part is None else self._part))

    def _pick_of(self, values: Sequence[str]) -> str:
        return values[int(self._random.random() * len(values))]

    def _pick(self, makers: Sequence[tuple[int, Callable[[], str]]]) -> str:
        (make,) = self._random.choices([make for _, make in makers], [weight for weight, _ in makers])
        return make()

    def _invented(self, make: Callable[[], str]) -> str:
        """Return what belongs to the part; the parts that names are made of are the same for all."""
        for _ in range(_ATTEMPTS):
            name = make()
            if Part.of(name) is self._part:
                return name
        raise RuntimeError(f"expected a name of the part {self._part.value} among {_ATTEMPTS}, got none")

    def _joined(self, front: str, end: str) -> str:
        first = self._of("parts.txt", (front,), None)
        if self._random.random() < 0.3:
            first += self._of("parts.txt", (front,), None).lower()
        return first + self._of("parts.txt", (end,), None)

    def _place(self) -> str:
        return self._joined("stem", "place end")

    def _english_street(self) -> str:
        front = self._pick_of(entries("parts.txt", ("street front",))) if self._random.random() < 0.7 else self.family()
        return f"{front} {self._of('parts.txt', ('street end',), None)}"

    def _german_street(self) -> str:
        front = self._of("parts.txt", ("street german",), None)
        return front + self._of("parts.txt", ("street german end",), None)

    def _romance_street(self) -> str:
        kind = self._of("parts.txt", ("street romance",), None)
        return f"{kind} {self._of('parts.txt', ('street romance of',), None)}"

    def _head(self) -> str:
        draw = self._random.random()
        if draw < 0.5:
            return self._of("organizations.txt", ("head",))
        return self.family() if draw < 0.75 else self._invented(lambda: self._joined("stem", "given end"))

    def _tail(self) -> str:
        return self._of("organizations.txt", ("tail",), None)

    def _form(self) -> str:
        return self._of("organizations.txt", ("form",), None)

    def _landmark(self) -> str:
        return self._filled("places.txt", "landmark")

    def _filled(self, file: str, section: str) -> str:
        pattern = self._of(file, (section,), None)
        for slot, make in (("city", self.city), ("country", self.country), ("family", self.family),
                           ("given", self.given), ("head", self._head)):  # fmt: skip
            while f"{{{slot}}}" in pattern:
                pattern = pattern.replace(f"{{{slot}}}", make().removeprefix("the "), 1)
        return pattern

    def _letter(self) -> str:
        return chr(ord("A") + self._random.randrange(26))

    def _digits(self, count: int) -> str:
        return "".join(str(self._random.randrange(10)) for _ in range(count))
