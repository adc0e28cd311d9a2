"""`linnet init`: the command."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from linnet.cli.console import Console
from linnet_export.cli import terminated_as_interrupt
from linnet_export.log_capture import redirect_output

__all__ = ["InitCommand", "command"]

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


class InitCommand:
    """The command as the `linnet` program sees it."""

    name = "init"
    help = "a new model with a vocabulary of its own and random weights, to be pre-trained"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        parser.epilog = _EXAMPLE
        add = parser.add_argument
        add("--model-type", required=True, metavar="TYPE", help="mobilebert, bert, electra or distilbert")
        add("--texts", type=Path, required=True, metavar="FILE", help="corpus: .txt; .jsonl, .json, .csv, .tsv")
        add("-o", "--output", type=Path, required=True, metavar="DIR", help="directory of the checkpoint")
        add("--text-column", metavar="NAME", help="column of the text")
        add("--vocab-size", type=int, default=8000, metavar="N", help="tokens at most (default 8000)")
        add("--cased", action="store_true", help="keep upper case and accents")
        add("--config-overrides", type=_overrides, default={}, metavar="NAME=VALUE,...",
            help="fields of the configuration, as in transformers' run_mlm.py")  # fmt: skip
        add("--seed", type=int, default=0, metavar="N", help="of the weights (default 0)")
        add("--force", action="store_true", help="replace what is there")
        add("--json", action="store_true", help="print what was made as JSON")

    def run(self, args: argparse.Namespace) -> int:
        """Make the model; return the exit status."""
        from linnet_train import NewModelConfig, make_model

        config = NewModelConfig(
            model_type=args.model_type, output=args.output, texts=args.texts, text_column=args.text_column,
            vocab_size=args.vocab_size, lowercase=not args.cased, overrides=args.config_overrides, seed=args.seed,
            force=args.force,
        )  # fmt: skip
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


def _overrides(text: str) -> dict[str, str]:
    pairs = [each.split("=", 1) for each in text.split(",") if each]
    if any(len(pair) != 2 for pair in pairs):
        raise argparse.ArgumentTypeError(f"found {text!r}, needed NAME=VALUE,NAME=VALUE")
    return {name.strip(): value.strip() for name, value in pairs}


command = InitCommand()
