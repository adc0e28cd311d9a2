"""Settings of the service: defaults, the TOML file, and command-line options as one frozen object."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean

__all__ = [
    "AccessSettings",
    "JwtSettings",
    "LimitSettings",
    "MaskSettings",
    "ModelSettings",
    "MonitoringSettings",
    "Settings",
    "name_of",
    "read_settings",
    "read_size",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SIZE = re.compile(r"(\d+)\s*([kMG]?)B?")
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}

T = TypeVar("T")


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables; an unknown name is an error."""


class ModelSettings(_Settings, frozen=True):
    """Settings of one model.

    Attributes:
        file: path of the linnet file.
        name: name in requests; empty: that of the file without its suffix.
        aliases: further names in requests.
        replicas: worker processes.
        threads: threads of each; 0: one for each CPU, at most 4, or 1 with several replicas.
        generations: most texts that one replica generates at the same time.
        context: most tokens of each text; 0: as many as the file can.
        memory: most data of each replica beyond its libraries, as "500MB": weights that are prepared, texts, caches of
            decoders; empty: no limit.
        queue: most jobs that wait.
        timeout: seconds that one request may take, waiting included.
    """

    file: str
    name: str = ""
    aliases: list[str] = []
    replicas: int = 1
    threads: int = 0
    generations: int = 4
    context: int = 0
    memory: str = ""
    queue: int = 256
    timeout: float = 60.0

    @property
    def memory_bytes(self) -> int:
        """Most bytes of data of a replica, 0: no limit."""
        return read_size(self.memory) if self.memory else 0


class JwtSettings(_Settings, frozen=True):
    """Tokens of an issuer: RS256, ES256 and EdDSA, checked with its public keys.

    Attributes:
        jwks: path of the issuer's JSON Web Key Set.
        issuer: value that the claim ``iss`` must have.
        audience: value that the claim ``aud`` must hold.
    """

    jwks: str
    issuer: str
    audience: str


class AccessSettings(_Settings, frozen=True):
    """Access control.

    Attributes:
        keys: path of the file of keys, see ``linnet serve keys``; empty: no keys.
        jwt: tokens of an issuer; None: none.
        allow_anonymous: listen on other interfaces than the machine's own without keys.
        audit: path of the audit log, JSON lines without texts; empty: none.
        origins: origins of web pages that may read answers (CORS).
    """

    keys: str = ""
    jwt: JwtSettings | None = None
    allow_anonymous: bool = False
    audit: str = ""
    origins: list[str] = []


class LimitSettings(_Settings, frozen=True):
    """Limits of requests.

    Attributes:
        body: most bytes of a body, as "2MB".
        bodies: most bytes of the bodies of all requests that are not answered yet; more get 503.
        header: most bytes of all headers of a request.
        texts: most texts, pairs or passages in one request.
        connections: most open connections; others get 503.
        idle: seconds after which an idle connection is closed.
        slow: seconds that a client may take to send a body, or to read a part of an answer.
        drain: seconds that running requests get when the service ends.
    """

    body: str = "2MB"
    bodies: str = "64MB"
    header: int = 16384
    texts: int = 1024
    connections: int = 2048
    idle: float = 30.0
    slow: float = 30.0
    drain: float = 30.0

    @property
    def body_bytes(self) -> int:
        """Most bytes of a body."""
        return read_size(self.body)

    @property
    def bodies_bytes(self) -> int:
        """Most bytes of all bodies."""
        return read_size(self.bodies)


class MaskSettings(_Settings, frozen=True):
    """Masking of personal data before texts are queued.

    Attributes:
        types: types of personal data; empty: all.
        model: path of a token-classification file that finds names; empty: patterns alone.
        region: country of phone numbers without a country code, as "DE"; empty: none.
        mode: one of :data:`linnet.masking.MODES`; with "pseudonym" answers get the values back.
    """

    types: list[str] = []
    model: str = ""
    region: str = ""
    mode: str = "pseudonym"


class MonitoringSettings(_Settings, frozen=True):
    """Metrics.

    Attributes:
        metrics: answer ``/metrics``.
        public: answer ``/metrics`` without a key too.
        log: path of a file that gets one line of JSON with all metrics at each interval; empty: none.
        interval: seconds between these lines.
        rules: path of the rules of alerts (TOML); empty: none.
    """

    metrics: bool = True
    public: bool = False
    log: str = ""
    interval: float = 60.0
    rules: str = ""


class Settings(_Settings, frozen=True):
    """Settings of the service.

    Attributes:
        models: the models, at least one.
        host: address to listen at.
        port: TCP port; 0: a free one, which is printed.
        socket: path of a Unix socket to listen at instead; empty: none.
        certificate, private_key: PEM files for TLS; empty: plain HTTP.
        receipts: each answer carries a receipt, see ``linnet replay``.
        receipt_key: path of the file with the key that hashes inputs in receipts; it is made if it is not there.
        docs: answer ``/`` with a page to try the interfaces.
    """

    models: list[ModelSettings] = []
    host: str = "127.0.0.1"
    port: int = 8080
    socket: str = ""
    certificate: str = ""
    private_key: str = ""
    receipts: bool = False
    receipt_key: str = "receipts.key"
    docs: bool = True
    access: AccessSettings = AccessSettings()
    limits: LimitSettings = LimitSettings()
    mask: MaskSettings | None = None
    monitoring: MonitoringSettings = MonitoringSettings()

    @property
    def local(self) -> bool:
        """True if only this machine can connect."""
        return bool(self.socket) or self.host in ("127.0.0.1", "::1", "localhost")


def read_settings(path: Path | None, files: Sequence[str], options: dict[str, Any]) -> Settings:
    """Return the settings of a TOML file, with files and options of the command line over them.

    Args:
        path: the TOML file, or None.
        files: paths of models, or NAME=PATH.
        options: settings by name; a dict for a table, which is merged.

    Raises:
        InvalidArgumentError: a name is unknown, or a value is invalid; the message has all that was found first.
    """
    table = {} if path is None else _read_toml(path)
    models = [*table.get("models", []), *(_model_of(text) for text in files)]
    merged = _merged({**table, "models": models}, options)
    try:
        settings = msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        raise InvalidArgumentError(f"{path or 'the options'}: {_explained(str(error))}") from None
    return _checked(msgspec.structs.replace(settings, models=[_named(model) for model in settings.models]))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"{path}: expected TOML: {error}") from error


def _model_of(text: str) -> dict[str, str]:
    name, equals, file = text.partition("=")
    return {"name": name, "file": file} if equals and _NAME.fullmatch(name) else {"file": text}


def name_of(file: str) -> str:
    """Return the name in requests of a file: its own without the suffix, with other characters as dashes."""
    stem = Path(file).name.removesuffix(".pte")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64] or "model"


def _named(model: ModelSettings) -> ModelSettings:
    return model if model.name else msgspec.structs.replace(model, name=name_of(model.file))


def _merged(table: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    merged = dict(table)
    for name, value in options.items():
        if isinstance(value, dict) and isinstance(merged.get(name, {}), dict):
            merged[name] = _merged(merged.get(name, {}), value)
        else:
            merged[name] = value
    return merged


def _explained(message: str) -> str:
    """Return a message of msgspec with a suggestion for an unknown name."""
    found = re.search(r"unknown field `([^`]*)`(?: - at `\$\.?([^`]*)`)?", message)
    if found is None:
        return message
    tables = {"access": AccessSettings, "limits": LimitSettings, "mask": MaskSettings, "monitoring": MonitoringSettings}
    place = (found[2] or "").split(".")[0].split("[")[0]
    kind = ModelSettings if place == "models" else tables.get(place, Settings)
    where = f"[{place}]" if place else "the top"
    hint = did_you_mean(found[1], kind.__struct_fields__)
    return f"there is no setting {found[1]!r} in {where}{hint}; known are {', '.join(kind.__struct_fields__)}"


def read_size(text: str) -> int:
    """Read a size such as "500MB" (decimal units) in bytes.

    Raises:
        InvalidArgumentError: it is something else.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InvalidArgumentError(f"expected a size such as 500MB, got {text!r}")
    return int(found[1]) * _UNITS[found[2]]


def _checked(settings: Settings) -> Settings:
    """Check what types do not say.

    Raises:
        InvalidArgumentError: with every problem, one per line.
    """
    problems = [*_problems_of_models(settings.models), *_problems_of_the_listener(settings)]
    if settings.limits.bodies_bytes < settings.limits.body_bytes:
        problems.append("bodies of [limits] is less than body, expected at least that")
    if problems:
        raise InvalidArgumentError("; ".join(problems))
    return settings


def _problems_of_models(models: Sequence[ModelSettings]) -> list[str]:
    if not models:
        return ["expected at least one FILE, or [[models]] in the configuration"]
    problems, seen = [], set()
    for model in models:
        read_size(model.memory or "0")
        for name in (model.name, *model.aliases):
            if _NAME.fullmatch(name) is None and name == model.name:
                problems.append(f"the model name {name!r} is not letters, digits, dots, dashes and underscores")
            if name in seen:
                problems.append(f"the name {name!r} is given twice; name a model with NAME=FILE")
            seen.add(name)
        least = {"replicas": 1, "threads": 0, "generations": 1, "context": 0, "queue": 1, "timeout": 0.001}
        for name, bound in least.items():
            if getattr(model, name) < bound:
                problems.append(f"{name} of {model.name} is {getattr(model, name)}, expected at least {bound}")
    return problems


def _problems_of_the_listener(settings: Settings) -> list[str]:
    problems = []
    if bool(settings.certificate) != bool(settings.private_key):
        problems.append("TLS needs both certificate and private_key")
    if not 0 <= settings.port <= 65535:
        problems.append(f"port is {settings.port}, expected 0 to 65535")
    access = settings.access
    if not settings.local and not access.keys and access.jwt is None and not access.allow_anonymous:
        problems.append(
            f"{settings.host} can be reached from other machines: make keys with `linnet serve keys add` and give "
            "--keys, or allow everybody with --allow-anonymous"
        )
    return problems
