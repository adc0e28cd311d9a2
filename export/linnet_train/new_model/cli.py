"""The `linnet init` command."""

from __future__ import annotations

import argparse
import json

from linnet.cli.console import Console
from linnet_export.cli import terminated_as_interrupt
from linnet_export.log_capture import redirect_output
from linnet_train.fields import build
from linnet_train.new_model import NewModelConfig, make_model
from linnet_train.options import Options

__all__ = ["add_arguments", "run"]

_EXAMPLE = """\
examples:
  linnet init --model-type mobilebert --texts corpus.txt -o new
  linnet init --model-type bert --texts corpus.txt --vocab-size 4000 -o new \\
    --config-overrides hidden_size=128,num_hidden_layers=4,num_attention_heads=4,intermediate_size=512

then:
  linnet export new --no-proof -o new.pte && linnet bench new.pte    # is it fast enough, before it is trained?
  linnet train new --task fill-mask --data corpus.txt -o pretrained
  linnet train pretrained --data intents.jsonl -o intents
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = _EXAMPLE
    Options(parser, NewModelConfig)
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")


def run(args: argparse.Namespace) -> int:
    """Make the model; return the exit status."""
    args = args.options.complete(args)
    config = build(NewModelConfig, args.options.values(NewModelConfig, args), "init")
    with redirect_output(), terminated_as_interrupt():
        made = make_model(config)
    if args.json:
        print(json.dumps(made.to_json(), ensure_ascii=False, indent=2))
        return 0
    console = Console()
    console.line(f"{made.output}: {made.model_type} of {made.parameters / 1e6:.2f} M weights, random")
    console.line(f"{made.vocabulary} tokens; a word of the texts has {made.tokens_per_word:.2f} on average")
    console.line(f"next: linnet train {made.output} --task fill-mask --data {args.texts} -o pretrained")
    return 0
