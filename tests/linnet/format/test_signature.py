"""Signatures: by the key of the other side, over every byte."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import linnet
from linnet.cli import main as cli
from linnet.errors import InvalidArgumentError, SignatureError
from linnet.format.signature import check_signature, sign_file
from linnet.format.trailer import FOOTER_SIZE, read_trailer, split_signature
from linnet.runtime import verify_file


def write_keys(folder: Path, name: str, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / f"{name}.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    for ending, encoding in (("pem", serialization.Encoding.PEM), ("der", serialization.Encoding.DER)):
        public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pub.{ending}").write_bytes(public)


@pytest.fixture
def keys(files: Path, tmp_path: Path) -> Path:
    """Two key pairs, an unsigned file and a signed one."""
    for name in ("mine", "other"):
        write_keys(tmp_path, name, ed25519.Ed25519PrivateKey.generate())
    shutil.copy(files / "text-classification.pte", tmp_path / "unsigned.pte")
    sign_file(tmp_path / "unsigned.pte", tmp_path / "mine.pem", tmp_path / "signed.pte")
    return tmp_path


def test_a_signed_file_is_a_linnet_file(keys: Path) -> None:
    signed, unsigned = keys / "signed.pte", keys / "unsigned.pte"
    verify_file(str(signed))
    check_signature(signed, keys / "mine.pub.pem")
    assert read_trailer(signed).version == (1, 2)
    assert read_trailer(signed).evidence == read_trailer(unsigned).evidence
    with linnet.load(signed, require_signature=keys / "mine.pub.pem") as model, linnet.load(unsigned) as original:
        assert model("turn it up") == original("turn it up")
    sign_file(signed, keys / "other.pem", signed)
    check_signature(signed, keys / "other.pub.pem")
    assert signed.stat().st_size == unsigned.stat().st_size + 64


def test_openssl_accepts_the_signature(keys: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    message, signature = split_signature((keys / "signed.pte").read_bytes(), "signed")
    (keys / "message").write_bytes(message)
    (keys / "signature").write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "mine.pub.pem", "-rawin", "-in", "message", "-sigfile", "signature"]  # fmt: skip # noqa: E501
    done = subprocess.run(command, cwd=keys, capture_output=True, text=True)
    assert "Signature Verified Successfully" in done.stdout + done.stderr


def test_another_key_and_no_signature_are_refused(keys: Path) -> None:
    with pytest.raises(SignatureError, match="was not signed by the key"):
        linnet.load(keys / "signed.pte", require_signature=keys / "other.pub.pem")
    with pytest.raises(SignatureError, match="has no signature"):
        linnet.load(keys / "unsigned.pte", require_signature=keys / "mine.pub.pem")
    with pytest.raises(InvalidArgumentError, match="needs the path"):
        linnet.load((keys / "signed.pte").read_bytes(), require_signature=keys / "mine.pub.pem")


FOOTER = {"magic": 0, "version": 8, "minor version": 10, "footer size": 12, "sizes": 16, "signature size": 40,
          "ranges hash": 50, "file hash": 90, "zeros": 112, "last zero": 119, "end": 127}  # fmt: skip


@pytest.mark.parametrize("where", ["program", "weights", "evidence", "signature", *FOOTER])
def test_every_part_is_signed(keys: Path, where: str) -> None:
    data = bytearray((keys / "signed.pte").read_bytes())
    program = read_trailer(keys / "signed.pte").program_size
    end = len(data) - FOOTER_SIZE
    places = {"program": 64, "weights": program - 9, "evidence": program + 20, "signature": end - 5}
    places |= {name: end + at for name, at in FOOTER.items()}
    data[places[where]] ^= 1
    changed = keys / "changed.pte"
    changed.write_bytes(data)
    with pytest.raises(linnet.errors.FileError):
        check_signature(changed, keys / "mine.pub.pem")


def test_keys_of_another_kind_are_named(keys: Path) -> None:
    write_keys(keys, "curve", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(InvalidArgumentError, match="expected an Ed25519 private key"):
        sign_file(keys / "signed.pte", keys / "curve.pem", keys / "out.pte")
    with pytest.raises(InvalidArgumentError, match="expected an Ed25519 public key"):
        check_signature(keys / "signed.pte", keys / "curve.pub.pem")
    with pytest.raises(InvalidArgumentError, match="no public key in PEM"):
        check_signature(keys / "signed.pte", keys / "signed.pte")
    assert not (keys / "out.pte").exists()


def test_the_commands(keys: Path) -> None:
    file = str(keys / "unsigned.pte")
    assert cli.main(["verify", file, "--key", str(keys / "mine.pub.pem")]) == 3
    assert cli.main(["sign", file, "--key", str(keys / "mine.pem")]) == 0
    assert cli.main(["verify", file, "--key", str(keys / "mine.pub.pem")]) == 0
    assert cli.main(["verify", file, "--key", str(keys / "other.pub.pem")]) == 3


def test_the_command_does_not_overwrite_another_file(keys: Path) -> None:
    out = keys / "mine.txt"
    out.write_text("mine")
    arguments = ["sign", str(keys / "unsigned.pte"), "--key", str(keys / "mine.pem"), "-o", str(out)]
    assert cli.main(arguments) == 2
    assert out.read_text() == "mine"
    assert cli.main([*arguments, "--force"]) == 0
    check_signature(out, keys / "mine.pub.pem")


def test_verify_says_whose_signature_it_checked(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, key = str(keys / "signed.pte"), str(keys / "mine.pub.pem")
    assert cli.main(["verify", file, "--key", key]) == 0
    assert f"signature: by the key {key}\n" in capsys.readouterr().out
    assert cli.main(["verify", file]) == 0
    assert "signature" not in capsys.readouterr().out
    for more, signed_by in (["--key", key], key), ([], None):
        assert cli.main(["verify", file, "--json", *more]) == 0
        assert json.loads(capsys.readouterr().out)["signed_by"] == signed_by


def test_the_jvm_checks_signatures(keys: Path) -> None:
    from tests.conformance.runners import MissingReader
    from tests.runtime_bindings.jvm.jvm import run_java

    data = bytearray((keys / "signed.pte").read_bytes())
    data[read_trailer(keys / "signed.pte").program_size - 9] ^= 1
    (keys / "changed.pte").write_bytes(data)
    names = ("signed.pte", "mine.pub.der", "other.pub.der", "changed.pte", "unsigned.pte")
    try:
        said = run_java("signatures", *(keys / name for name in names))
    except MissingReader as missing:
        pytest.skip(f"needs {missing}")
    refused = ["other SIGNATURE_INVALID", "changed SIGNATURE_INVALID", "unsigned SIGNATURE_INVALID"]
    assert said == ["right text-classification", *refused]
