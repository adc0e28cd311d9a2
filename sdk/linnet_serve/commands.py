"""Command of the service: serve."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["serve"]

serve = Command(
    help="answer over HTTP: OpenAI, TEI, pipelines, Open Inference Protocol",
    group="run for others",
    module="linnet_serve.cli.serve",
    extra="serve",
)
