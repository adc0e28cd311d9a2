"""Receipts of answers: what made an answer, with keyed hashes instead of texts, so that it can be repeated.

A receipt is the header ``x-linnet-receipt`` of an answer, JSON in base64url; a stream has it as its last comment,
``: receipt ...``. Only the holder of the receipt key can tell which text a hash belongs to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from linnet.errors import InvalidArgumentError

__all__ = ["Receipt", "Receipts", "Witness", "read_receipt", "read_receipt_key", "write_receipt"]

_KEY_BYTES = 32


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What made an answer.

    Attributes:
        version: of this form, 1.
        request: id of the request.
        time: seconds since 1970.
        path: path of the request, with its parameters.
        model: name of the model in the service.
        file_sha256: SHA-256 of the file, as its footer has it.
        kernels: processor and method that computed.
        linnet: version of linnet.
        seed: seed of sampling, chosen by the service if the request had none; None: nothing was drawn.
        input_hmac: HMAC-SHA256 of the body of the request, in hexadecimal.
        output_hmac: the same of what was answered, see :class:`Witness`.
        signature: HMAC-SHA256 of all other fields.
    """

    version: int = 1
    request: str
    time: float
    path: str
    model: str
    file_sha256: str
    kernels: str
    linnet: str
    seed: int | None
    input_hmac: str
    output_hmac: str
    signature: str = ""


class Witness:
    """What an exchange answered, for its receipt: a keyed hash of the results of its jobs, in their order.

    Attributes:
        seed: seed of sampling, or None.
    """

    def __init__(self, key: bytes) -> None:
        """Begin with nothing."""
        self._hash = hmac.new(key, digestmod=hashlib.sha256)
        self.seed: int | None = None

    def add(self, data: bytes) -> None:
        """Add a result."""
        self._hash.update(len(data).to_bytes(8, "little") + data)

    def output(self) -> str:
        """Return the hash of all results, in hexadecimal."""
        return self._hash.hexdigest()


class Receipts:
    """Writer and checker of receipts with one key."""

    def __init__(self, key: bytes) -> None:
        """Use a key of 32 bytes."""
        self._key = key

    def witness(self) -> Witness:
        """Return a witness of one exchange."""
        return Witness(self._key)

    def hash(self, data: bytes) -> str:
        """Return the keyed hash of bytes."""
        return hmac.digest(self._key, data, hashlib.sha256).hex()

    def signed(self, receipt: Receipt) -> Receipt:
        """Return a receipt with its signature."""
        return msgspec.structs.replace(receipt, signature=self._signature(receipt))

    def verify(self, receipt: Receipt) -> None:
        """Check the signature.

        Raises:
            InvalidArgumentError: another key wrote the receipt, or it was changed.
        """
        if not hmac.compare_digest(receipt.signature, self._signature(receipt)):
            raise InvalidArgumentError("the receipt was changed, or another key wrote it; give the service's key")

    def _signature(self, receipt: Receipt) -> str:
        return self.hash(msgspec.json.encode(msgspec.structs.replace(receipt, signature="")))


def read_receipt_key(path: Path, *, make: bool = False) -> bytes:
    """Read the key of receipts.

    Args:
        path: of the file, 64 hexadecimal digits.
        make: write a new key if there is no file.

    Raises:
        InvalidArgumentError: it has another form.
    """
    if make and not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (ValueError, UnicodeDecodeError):
        key = b""
    except OSError as error:
        raise InvalidArgumentError(f"{path}: {error.strerror}; give the receipt key of the service") from error
    if len(key) != _KEY_BYTES:
        raise InvalidArgumentError(f"{path}: expected a receipt key of 64 hexadecimal digits")
    return key


def write_receipt(receipt: Receipt) -> bytes:
    """Return a receipt for a header."""
    return base64.urlsafe_b64encode(msgspec.json.encode(receipt))


def read_receipt(text: str) -> Receipt:
    """Read a receipt from a header, from a stream's last comment, or from JSON.

    Raises:
        InvalidArgumentError: it is none of these.
    """
    stripped = text.strip().removeprefix(":").strip().removeprefix("receipt").strip()
    try:
        data = stripped.encode() if stripped.startswith("{") else base64.urlsafe_b64decode(stripped.encode())
        return msgspec.json.decode(data, type=Receipt)
    except (ValueError, msgspec.MsgspecError) as error:
        raise InvalidArgumentError(f"expected a receipt of linnet serve: {error}") from None
