"""Phone numbers of a region, by libphonenumber's Python port."""

from __future__ import annotations

from linnet.errors import ExtraMissingError, InvalidArgumentError
from linnet.masking.span import SOURCES, Given
from linnet.version import install_line

__all__ = ["PhoneFinder"]


class PhoneFinder:
    """Phone numbers as they are dialled in a region, which libphonenumber finds and takes for valid.

    Args:
        region: "DE", "US": code of ISO 3166-1 with two letters.

    Raises:
        ExtraMissingError: the package phonenumbers is not installed.
        InvalidArgumentError: libphonenumber knows no such region.
    """

    def __init__(self, region: str) -> None:
        try:
            import phonenumbers
        except ImportError as error:
            raise ExtraMissingError(
                f"phone numbers of a region need the package phonenumbers; {install_line('masking')}"
            ) from error
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise InvalidArgumentError(f'region is {region!r}, expected a code of ISO 3166-1 such as "DE" or "US"')
        self._region = region
        self._matcher = phonenumbers.PhoneNumberMatcher

    def find(self, text: str) -> list[Given]:
        """Return the numbers of a text."""
        # max_tries bounds numbers that are not valid: none, for a text of any length is searched to its end
        matches = self._matcher(text, self._region, max_tries=len(text) + 1)
        return [("PHONE", match.start, match.end, 1.0, SOURCES.index("finder")) for match in matches]
