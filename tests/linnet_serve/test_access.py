"""Keys, scopes, quotas, tokens of an issuer and the audit log of a running service, and their parts alone."""

from __future__ import annotations

import base64
import datetime
import hmac
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from linnet_serve.access.keys import KeyFile, new_key, read_keys, write_keys
from linnet_serve.access.principal import Principal
from linnet_serve.access.quotas import Quotas
from linnet_serve.errors import ServiceError
from tests.support.serving import Served, serving

ISSUER, AUDIENCE = "https://issuer.example", "linnet"
BODY = {"inputs": "turn the volume up"}


def keys_command(*arguments: str | Path) -> Any:
    command = [sys.executable, "-m", "linnet", "serve", "keys", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def made_key(path: Path, name: str, *arguments: str) -> dict[str, Any]:
    entry: dict[str, Any] = keys_command("add", name, "--keys", path, *arguments)
    return entry


class Locked:
    """A service with keys and an issuer."""

    def __init__(self, served: Served, folder: Path, signer: ec.EllipticCurvePrivateKey) -> None:
        self.served, self.folder, self.signer = served, folder, signer
        self.keys = folder / "keys.json"

    def status(self, key: str | None, path: str = "/embed", body: Any = BODY) -> int:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return self.served.post(path, body, headers=headers).status_code

    def token(self, **claims: Any) -> str:
        usual = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "sub": "me", "scope": "embed"}
        return jwt.encode({**usual, **claims}, self.signer, algorithm="ES256", headers={"kid": "one"})


def coordinates(signer: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = signer.public_key().public_numbers()
    parts = {"x": numbers.x, "y": numbers.y}
    return {k: base64.urlsafe_b64encode(v.to_bytes(32, "big")).rstrip(b"=").decode() for k, v in parts.items()}


@pytest.fixture(scope="module")
def locked(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    folder = tmp_path_factory.mktemp("locked")
    signer = ec.generate_private_key(ec.SECP256R1())
    public = {"kty": "EC", "crv": "P-256", "kid": "one", "alg": "ES256", "use": "sig", **coordinates(signer)}
    (folder / "jwks.json").write_text(json.dumps({"keys": [public]}))
    made_key(folder / "keys.json", "first")
    config = folder / "serve.toml"
    config.write_text(
        f'[access]\nkeys = "{folder}/keys.json"\naudit = "{folder}/audit.jsonl"\n'
        f'[access.jwt]\njwks = "{folder}/jwks.json"\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
    )
    both = [files / "feature-extraction.pte", files / "text-classification.pte"]
    with serving(folder, *both, "--config", config) as served:
        yield Locked(served, folder, signer)


def test_no_key_and_a_wrong_key_are_the_same_401(locked: Locked) -> None:
    key = made_key(locked.keys, "app")["key"]
    answers = [
        locked.served.post("/embed", BODY, headers=headers)
        for headers in (
            {},
            {"authorization": "Bearer nonsense"},
            {"authorization": "Basic abc"},
            {"authorization": f"Bearer {key[:-1]}{'A' if key[-1] != 'A' else 'B'}"},
            {"x-api-key": "x" * 10_000},
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert locked.status(key) == 200
    assert locked.served.post("/embed", BODY, headers={"x-api-key": key}).status_code == 200


def test_a_revocation_and_a_new_key_count_at_once(locked: Locked) -> None:
    entry = made_key(locked.keys, "leaver")
    assert locked.status(entry["key"]) == 200
    keys_command("revoke", entry["id"], "--keys", locked.keys)
    assert locked.status(entry["key"]) == 401
    listed = {key["id"]: key["state"] for key in keys_command("list", "--keys", locked.keys)}
    assert listed[entry["id"]] == "revoked"


def test_scopes_and_models_are_403(locked: Locked) -> None:
    classifier = made_key(locked.keys, "c", "--scope", "predict", "--model", "text-classification")["key"]
    assert locked.status(classifier, "/predict") == 200
    assert locked.status(classifier, "/embed") == 403
    assert locked.status(classifier, "/models/feature-extraction") == 403
    assert locked.status(classifier, "/admin/reload", None) == 403
    names = locked.served.get("/v1/models", headers={"authorization": f"Bearer {classifier}"}).json()["data"]
    assert [model["id"] for model in names] == ["text-classification"]


def test_quotas_of_requests_and_tokens_are_429_with_the_time_to_wait(locked: Locked) -> None:
    few = made_key(locked.keys, "few", "--requests-per-minute", "2")["key"]
    assert [locked.status(few) for _ in range(3)] == [200, 200, 429]
    answer = locked.served.post("/embed", BODY, headers={"authorization": f"Bearer {few}"})
    assert 1 <= int(answer.headers["retry-after"]) <= 31
    little = made_key(locked.keys, "little", "--tokens-per-day", "3")["key"]
    assert [locked.status(little) for _ in range(2)] == [200, 429]


def test_an_expired_key_is_401(tmp_path: Path) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    text, entry = new_key("old", scopes=["embed"], models=["*"], expires=past, requests_per_minute=0, tokens_per_day=0)
    write_keys(tmp_path / "keys.json", [entry])
    assert KeyFile(tmp_path / "keys.json").find(text) is None


def test_tokens_of_the_issuer_are_checked(locked: Locked) -> None:
    assert locked.status(locked.token()) == 200
    assert locked.status(locked.token(scope="predict")) == 403
    assert locked.status(locked.token(linnet_models=["text-classification"])) == 403
    for wrong in (
        locked.token(exp=time.time() - 120),
        locked.token(aud="another"),
        locked.token(iss="another"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "scope": "embed"}, "", "none"),
        jwt.encode(
            {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "scope": "embed"},
            "0" * 40, "HS256", headers={"kid": "one"},
        ),
        jwt.encode(
            {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60, "scope": "embed"},
            ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "one"},
        ),
    ):  # fmt: skip
        assert locked.status(wrong) == 401


def test_health_and_the_page_need_no_key(locked: Locked) -> None:
    for path in ("/health/live", "/health/ready", "/v2/health/ready", "/openapi.json", "/"):
        assert locked.served.get(path).status_code == 200
    assert locked.served.get("/info").status_code == 401
    assert "access-control-allow-origin" not in locked.served.get("/info", headers={"origin": "http://x"}).headers


def test_the_audit_log_names_the_key_and_holds_no_text(locked: Locked) -> None:
    entry = made_key(locked.keys, "audited")
    marker = "zebra crossing"
    answer = locked.served.post("/embed", {"inputs": marker}, headers={"authorization": f"Bearer {entry['key']}"})
    lines: list[dict[str, Any]] = []
    while not any(line["request"] == answer.headers["x-request-id"] for line in lines):
        lines = [json.loads(line) for line in (locked.folder / "audit.jsonl").read_text().splitlines()]
    found = next(line for line in lines if line["request"] == answer.headers["x-request-id"])
    assert (found["key"], found["route"], found["model"], found["status"]) == (
        entry["id"], "/embed", "feature-extraction", 200,
    )  # fmt: skip
    assert found["tokens"] > 2
    assert "zebra" not in (locked.folder / "audit.jsonl").read_text()
    assert entry["key"].rpartition("_")[2] not in (locked.folder / "audit.jsonl").read_text()


def test_the_file_of_keys_holds_hashes_and_is_private(tmp_path: Path) -> None:
    entry = made_key(tmp_path / "keys.json", "app", "--expires", "90d")
    assert stat.S_IMODE(os.stat(tmp_path / "keys.json").st_mode) == 0o600  # noqa: PTH116
    secret = entry["key"].rpartition("_")[2]
    assert secret not in (tmp_path / "keys.json").read_text()
    stored = read_keys(tmp_path / "keys.json")[0]
    assert stored.name == "app"
    assert stored.expires is not None
    assert 89 <= (stored.expires - datetime.datetime.now(datetime.UTC)).days <= 90


def test_wrong_words_are_named(tmp_path: Path) -> None:
    for arguments, message in (
        (["ad", "x"], "did you mean"),
        (["add", "x", "--scope", "embd"], "embed"),
        (["revoke", "x"], "no file of keys"),
        (["add", "x", "--expires", "soon"], "90d"),
    ):
        command = [sys.executable, "-m", "linnet", "serve", "keys", *arguments, "--keys", str(tmp_path / "k.json")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (2, 3), done.stderr
        assert message in done.stderr


def test_other_machines_are_let_in_with_keys_alone(files: Path) -> None:
    command = [sys.executable, "-m", "linnet", "serve", str(files / "fill-mask.pte"), "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--keys" in done.stderr
    assert "--allow-anonymous" in done.stderr


def test_buckets_fill_up_with_time() -> None:
    now = [0.0]
    quotas = Quotas(lambda: now[0])
    one = Principal(id="k", scopes=frozenset(), requests_per_minute=6, tokens_per_day=100)
    for _ in range(6):
        quotas.admit(one)
    with pytest.raises(ServiceError) as refused:
        quotas.admit(one)
    assert refused.value.retry_after == pytest.approx(10)
    now[0] = 10
    quotas.admit(one)
    quotas.charge(one, 300)
    now[0] = 100
    with pytest.raises(ServiceError, match="tokens"):
        quotas.admit(one)
    now[0] = 100 + 3 * 86400
    quotas.admit(one)


def test_every_refusal_hashes_and_compares_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a refusal then tells neither whether the id is known, nor how much of the secret is right."""
    text, entry = new_key("a", scopes=[], models=[], expires=None, requests_per_minute=0, tokens_per_day=0)
    write_keys(tmp_path / "keys.json", [entry])
    keys = KeyFile(tmp_path / "keys.json")
    calls: list[str] = []
    digest, compare = hmac.digest, hmac.compare_digest

    def counted_digest(*given: Any) -> bytes:
        calls.append("hash")
        return digest(*given)

    def counted_compare(*given: Any) -> bool:
        calls.append("compare")
        return compare(*given)

    monkeypatch.setattr(hmac, "digest", counted_digest)
    monkeypatch.setattr(hmac, "compare_digest", counted_compare)
    wrong = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")
    for given in (wrong, f"linnet_{'0' * 12}_{text.rpartition('_')[2]}", "nonsense", ""):
        calls.clear()
        assert keys.find(given) is None
        assert calls == ["hash", "compare"]
    assert keys.find(text) is not None
