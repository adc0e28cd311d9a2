"""Commands of the SDK: run, chat, prepare, mask, inspect, verify, sign and doctor."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["chat", "doctor", "inspect", "mask", "prepare", "run", "sign", "verify"]

run = Command(
    help="answer texts with a file",
    group="use a file",
    module="linnet.cli.run",
    common=("--question", "--context", "--pair", "--top-k", "--aggregation-strategy", "--mask", "--threads", "--json"),
)
chat = Command(
    help="talk with a language model",
    group="use a file",
    module="linnet.cli.chat",
    common=("--system", "--temperature", "--max-new-tokens", "--seed", "--threads", "--json"),
)
prepare = Command(
    help="compute a prompt that texts begin with once, and keep it",
    group="use a file",
    module="linnet.cli.prepare",
    common=("--system", "--output", "--threads", "--json"),
)
mask = Command(
    help="mask personal data in texts",
    group="run for others",
    module="linnet.cli.mask",
    common=("--types", "--model", "--mode", "--find", "--session", "--key-file", "--unmask", "--list", "--json"),
)
inspect = Command(help="show what a file says about itself", group="use a file", module="linnet.cli.inspect")
verify = Command(
    help="check a file's bytes and repeat its golden cases", group="use a file", module="linnet.cli.verify"
)
sign = Command(help="sign a file with an Ed25519 key", group="use a file", module="linnet.cli.sign", rare=True)
doctor = Command(help="show what this build and this machine can do", group="use a file", module="linnet.cli.doctor")
