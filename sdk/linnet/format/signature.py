"""Ed25519 signatures of linnet files: signing and verification.

Hashes detect damage; a signature also shows who made the file. It is part of the trailer (from version 1.1 on), so
every runtime can still run the file. Keys are PEM files, as ``openssl genpkey -algorithm ed25519`` writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from linnet.atomic_file import replace_file
from linnet.errors import ExtraMissingError, InvalidArgumentError, SignatureError
from linnet.format.trailer import SIGNATURE_SIZE, has_own_hash, split_signature, with_signature
from linnet.version import install_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = ["check_signature", "read_signed", "sign_file"]


def sign_file(path: str | Path, key: str | Path, output: str | Path) -> None:
    """Write a signed copy of a file; ``output`` may be the file itself. An earlier signature is replaced.

    Args:
        path: a linnet file.
        key: an Ed25519 private key, PEM without a password.
        output: path to write; it is written under a temporary name and then renamed.

    Raises:
        FileError: the file is not a linnet file, or its trailer is damaged.
        InvalidArgumentError: the key is not an Ed25519 private key.
        ExtraMissingError: the package cryptography is not installed.
    """
    data = Path(path).read_bytes()
    signed = with_signature(data, _private_key(Path(key)).sign, str(path))
    replace_file(Path(output), signed, Path(path).stat().st_mode & 0o777)


def check_signature(path: str | Path, key: str | Path) -> None:
    """Check that a key signed the file and that no byte was changed since.

    Args:
        path: a linnet file.
        key: an Ed25519 public key, PEM.

    Raises:
        SignatureError: the file has no signature, or a signature by another key.
        FileError: the file is not a linnet file, or its trailer is damaged.
        InvalidArgumentError: the key is not an Ed25519 public key.
        ExtraMissingError: the package cryptography is not installed.
    """
    read_signed(path, key)


def read_signed(path: str | Path, key: str | Path) -> bytes:
    """Check the signature of a file like :func:`check_signature`, and return the checked bytes."""
    public = _public_key(Path(key))
    data = Path(path).read_bytes()
    message, signature = split_signature(data, str(path))
    from cryptography.exceptions import InvalidSignature

    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError(f"{path} has no signature, expected one of the key {key}; sign it with: linnet sign")
    try:
        public.verify(signature, message)
    except InvalidSignature:
        raise SignatureError(f"{path} was not signed by the key {key}, or was changed since; do not use it") from None
    if not has_own_hash(data):
        raise SignatureError(f"{path} was changed since it was signed: its SHA-256 is another; do not use it")
    return data


def _private_key(path: Path) -> Ed25519PrivateKey:
    _require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"{path} is no private key in PEM without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidArgumentError(f"{path} is a {type(key).__name__}, expected an Ed25519 private key")
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    _require_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise InvalidArgumentError(f"{path} is no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidArgumentError(f"{path} is a {type(key).__name__}, expected an Ed25519 public key")
    return key


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise ExtraMissingError(
            f"signatures need the package cryptography, which cannot be imported ({error}); run: {install_line('sign')}"
        ) from error
