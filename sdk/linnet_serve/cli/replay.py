"""Command ``linnet replay``: the answer of a receipt, computed again and compared to the last bit."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from linnet.errors import InvalidArgumentError
from linnet_serve.receipts import Receipt, Receipts, read_receipt, read_receipt_key
from linnet_serve.settings import ModelSettings, Settings

__all__ = ["add_arguments", "run"]

_LONGEST_PATH = 256  # a receipt is longer

_EPILOG = """\
RECEIPT is the value of the header x-linnet-receipt, or of the comment "receipt" of a stream, or a file with it. The
service stored neither the text nor the answer: the request comes from whoever kept it.

examples:
  linnet replay receipt.txt --request body.json --file smollm2.pte --key receipts.key

exit status: 0 the same answer, 1 another one
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("receipt", metavar="RECEIPT", help="a receipt, or a file with one")
    parser.add_argument("--request", required=True, metavar="FILE", help="the body of the request; - is standard input")
    parser.add_argument("--file", required=True, metavar="PTE", help="the linnet file that answered")
    parser.add_argument("--key", required=True, metavar="FILE", help="the receipt key of the service")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Answer the request of a receipt again; return 0 if the answer is the same.

    Raises:
        InvalidArgumentError: the receipt, the request, the file or the key do not belong together.
    """
    path = Path(args.receipt)
    receipt = read_receipt(
        path.read_text(encoding="ascii") if len(args.receipt) < 1024 and path.is_file() else args.receipt
    )
    receipts = Receipts(read_receipt_key(Path(args.key)))
    receipts.verify(receipt)
    raw = sys.stdin.buffer.read() if args.request == "-" else Path(args.request).read_bytes()
    if receipts.hash(raw) != receipt.input_hmac:
        raise InvalidArgumentError("the request is not the one of the receipt: its keyed hash differs")
    _check_file(Path(args.file), receipt)
    found = asyncio.run(_answer_again(receipt, raw, args.file, args.key))
    same = found.output_hmac == receipt.output_hmac
    if args.json:
        print(json.dumps({"same": same, "kernels": found.kernels, "recorded_kernels": receipt.kernels}))
    else:
        print(f"{'the same answer' if same else 'ANOTHER ANSWER'}: {receipt.path} of {receipt.model}")
        print(f"  recorded with {receipt.kernels}, linnet {receipt.linnet}; now {found.kernels}, linnet {found.linnet}")
    return 0 if same else 1


def _check_file(path: Path, receipt: Receipt) -> None:
    from linnet.format.footer import file_identity

    if not path.is_file():
        raise InvalidArgumentError(f"{path}: there is no such file")
    identity = file_identity(str(path))
    if identity != receipt.file_sha256:
        raise InvalidArgumentError(
            f"{path} has the SHA-256 {identity}, the receipt was made with {receipt.file_sha256}"
        )


async def _answer_again(receipt: Receipt, raw: bytes, file: str, key: str) -> Receipt:
    """Answer a request with a service of its own that does not listen; return the new receipt."""
    from linnet_serve.app import make_app
    from linnet_serve.service import Service

    models = [ModelSettings(file=file, name=receipt.model)]
    service = Service(Settings(models=models, receipts=True, receipt_key=key))
    await service.start()
    try:
        headers, body = await _call(make_app(service), receipt.path, _seeded(raw, receipt))
    finally:
        await service.close()
    for name, value in headers:
        if name == b"x-linnet-receipt":
            return read_receipt(value.decode("ascii"))
    for line in body.decode("utf-8", "replace").splitlines():
        if line.startswith(": receipt "):
            return read_receipt(line)
    raise InvalidArgumentError(f"the request is not answered any more: {body[:500].decode('utf-8', 'replace')}")


def _seeded(raw: bytes, receipt: Receipt) -> bytes:
    """Return a body with the seed that the service chose."""
    if receipt.seed is None:
        return raw
    return msgspec.json.encode({**msgspec.json.decode(raw), "seed": receipt.seed})


async def _call(app: Any, path: str, body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Call an ASGI application; return the headers and the body of its answer."""
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
        "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": b"", "headers": [],
        "client": None, "server": None,
    }  # fmt: skip
    inbox = [{"type": "http.request", "body": body, "more_body": False}]
    headers: list[tuple[bytes, bytes]] = []
    parts: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        if inbox:
            return inbox.pop()
        waiting: asyncio.Future[MutableMapping[str, Any]] = asyncio.get_running_loop().create_future()
        return await waiting  # the client does not go

    async def send(message: MutableMapping[str, Any]) -> None:
        headers.extend(message.get("headers", ()))
        parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return headers, b"".join(parts)
