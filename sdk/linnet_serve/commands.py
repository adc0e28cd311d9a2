"""Commands of the service: serve and replay."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["replay", "serve"]

serve = Command(
    help="answer over HTTP: OpenAI, TEI, pipelines, Open Inference Protocol",
    group="run for others",
    module="linnet_serve.cli.serve",
    extra="serve",
    common=("--config", "--host", "--port", "--keys", "--replicas", "--mask", "--rules", "--json"),
)
replay = Command(
    help="repeat the answer of a receipt, and compare it to the last bit",
    group="run for others",
    module="linnet_serve.cli.replay",
    extra="serve",
    rare=True,
)
