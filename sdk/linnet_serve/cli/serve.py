"""Command ``linnet serve``: answers over HTTP, and manages the keys of a service."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from linnet.cli.command import thread_count
from linnet.errors import InvalidArgumentError
from linnet.masking import MODES
from linnet_serve.cli.keys import add_key_arguments, run_keys
from linnet_serve.service import Service
from linnet_serve.settings import Settings, read_settings

__all__ = ["add_arguments", "run"]

_EPILOG = """\
It listens at 127.0.0.1 alone unless --host says otherwise, and then needs keys. SIGTERM lets running requests
finish; SIGHUP opens changed files again, and uses each once its golden cases have passed.

examples:
  linnet serve minilm.pte smollm2.pte
  linnet serve keys add "the app" --keys keys.json --scope embed
  linnet serve chat=smollm2.pte --host 0.0.0.0 --keys keys.json --certificate cert.pem --private-key key.pem
  linnet serve --config serve.toml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("files", metavar="FILE", nargs="*", help="linnet files, or NAME=FILE; or: keys add|list|revoke")
    parser.add_argument("--config", metavar="TOML", help="file with all settings (docs/how-to/serve.md)")
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, metavar="N", help="TCP port, 0 for a free one (default: 8080)")
    parser.add_argument("--socket", metavar="PATH", help="listen at a Unix socket instead")
    parser.add_argument("--certificate", metavar="PEM", help="certificate for TLS")
    parser.add_argument("--private-key", metavar="PEM", help="its private key")
    parser.add_argument("--keys", metavar="FILE", help="file of keys, see: linnet serve keys add")
    parser.add_argument("--allow-anonymous", action="store_true", help="let other machines in without keys")
    parser.add_argument("--audit", metavar="FILE", help="append one line of JSON for each request, without texts")
    parser.add_argument("--replicas", type=int, metavar="N", help="worker processes of each model (default: 1)")
    parser.add_argument("--threads", type=thread_count, metavar="N", help="threads of each (default: up to 4)")
    mask = "mask personal data before anything else: all, or types with commas between (docs/how-to/masking.md)"
    parser.add_argument("--mask", metavar="TYPES", help=mask)
    parser.add_argument("--mask-model", metavar="FILE", help="tagger that finds names, places and organizations")
    parser.add_argument("--mask-mode", choices=MODES, help="what stands in its place (default: pseudonym)")
    parser.add_argument("--rules", metavar="TOML", help="rules of alerts, see: linnet monitor")
    parser.add_argument("--receipts", action="store_true", help="let each answer carry a receipt: linnet replay")
    parser.add_argument("--json", action="store_true", help="print one JSON object when the service listens")
    add_key_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it, or change the keys; return the exit status.

    Raises:
        InvalidArgumentError: a setting is unknown or invalid.
        LinnetError: a file was refused.
    """
    if args.files[:1] == ["keys"]:
        return run_keys(args)
    settings = read_settings(None if args.config is None else Path(args.config), args.files, _options(args))
    if args.replicas or args.threads:
        settings = _for_each_model(settings, args)
    logging.basicConfig(level=logging.INFO, format="linnet serve: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    from linnet_serve.server import run_service  # imports the web libraries

    def listening(service: Service, address: str) -> None:
        _tell(service, address, as_json=args.json)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_service(settings, listening))
    return 0


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line gives."""
    top = {name: getattr(args, name) for name in ("host", "port", "socket", "certificate", "private_key")}
    options: dict[str, Any] = {name: value for name, value in top.items() if value is not None}
    access = {"keys": args.keys, "audit": args.audit, "allow_anonymous": args.allow_anonymous or None}
    options["access"] = {name: value for name, value in access.items() if value is not None}
    if args.receipts:
        options["receipts"] = True
    if args.rules is not None:
        options["monitoring"] = {"rules": args.rules}
    if args.mask or args.mask_model or args.mask_mode:
        types = [] if args.mask in (None, "all") else [name.strip() for name in args.mask.split(",")]
        given = {"types": types, "model": args.mask_model, "mode": args.mask_mode}
        options["mask"] = {name: value for name, value in given.items() if value}
    return options


def _for_each_model(settings: Settings, args: argparse.Namespace) -> Settings:
    import msgspec

    if args.replicas is not None and args.replicas < 1:
        raise InvalidArgumentError(f"--replicas is {args.replicas}, expected at least 1")
    given = {name: getattr(args, name) for name in ("replicas", "threads") if getattr(args, name)}
    return msgspec.structs.replace(
        settings, models=[msgspec.structs.replace(model, **given) for model in settings.models]
    )


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _tell(service: Service, address: str, *, as_json: bool) -> None:
    models = {name: model.info for name, model in service.models.items()}
    if as_json:
        listed = [
            {"name": name, "task": info.task, "sha256": info.file_sha256, "kernels": info.kernels}
            for name, info in models.items()
        ]
        print(json.dumps({"url": address, "pid": os.getpid(), "models": listed}), flush=True)
        return
    for name, info in models.items():
        print(f"linnet serve: {name}: {info.task}, {info.model_type} {info.recipe}, {info.kernels}", file=sys.stderr)
    keys = "no keys are needed" if service.gate.open else "keys are needed"
    print(f"linnet serve: listening at {address}, {keys}; Ctrl-C ends it", file=sys.stderr, flush=True)
