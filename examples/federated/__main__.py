"""Federated training of intents with Flower: clients exchange adapter weights and keep their rows.

    make && .venv/bin/pip install "flwr[simulation]==1.42.*"
    python -m examples.federated --data clinc150 -o build/federated

(`make federated` does both, in a virtual environment of its own.) Rows are distributed unequally: some clients have
many, and most have few rows of some intents. The result is compared with one training on all rows, and with each client
alone. Every client is a separate process here (Flower's simulation); the same apps run over a network with
`flower-superlink` and `flower-supernode`.
"""

import argparse
import importlib.util
import json
import logging
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from examples.walkthrough import Row, answer, at_most, clinc150, hold_out, read_rows, run_linnet, write_rows
from linnet.cli.script import program_name, run_script

if TYPE_CHECKING:
    from examples.federated.local import AdapterModel

_DOMAINS = ("banking", "credit_cards")
_UNEVEN = 0.5  # of the Dirichlet distribution of each intent over the clients (Hsu et al., arXiv:1909.06335)
_ILLUSTRATIVE = Path(__file__).parent.parent / "banking" / "illustrative.jsonl"
_ASKED = ("how much do i have in savings", "i lost my credit card", "tell me a joke")

_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def deal(rows: Sequence[Row], clients: int, seed: int = 0) -> list[list[Row]]:
    """Distribute rows unequally among clients; each gets at least one."""
    generator = np.random.default_rng(seed)
    hands: list[list[Row]] = [[] for _ in range(clients)]
    for label in sorted({row["label"] for row in rows}):
        members = [row for row in rows if row["label"] == label]
        shares = generator.dirichlet([_UNEVEN] * clients)
        for row, owner in zip(members, generator.choice(clients, size=len(members), p=shares), strict=True):
            hands[owner].append(row)
    for hand in hands:
        if not hand:
            hand.append(max(hands, key=len).pop())
    return hands


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=program_name(), description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2", help="checkpoint that all have")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of CLINC150 (default: the rows of banking/)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of what is written")
    parser.add_argument("--clients", type=int, default=4, metavar="N")
    parser.add_argument("--rounds", type=int, default=8, metavar="N", help="how often weights travel")
    parser.add_argument("--epochs", type=int, default=1, metavar="N", help="passes over a client's rows in each")
    parser.add_argument("--quick", action="store_true", help="20 rows of each class")
    return parser.parse_args()


def write_hands(folder: Path, hands: Sequence[Sequence[Row]], labels: Sequence[str]) -> None:
    """Write the rows of each client, and the labels that all know."""
    for number, hand in enumerate(hands):
        write_rows(folder / f"client{number}.jsonl", hand)
        print(f"client {number}: {len(hand)} rows, {len({row['label'] for row in hand})} of {len(labels)} intents")
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")


def train_together(chosen: argparse.Namespace, folder: Path, model: "AdapterModel", held: Sequence[Row]) -> None:
    """Let Flower's clients train; ``model`` has the mean of what they learned at the end."""
    from flwr.simulation import run_simulation

    from examples.federated.apps import client, server

    def tell(number: int, averaged: "AdapterModel") -> float:
        accuracy = averaged.accuracy(held)
        print(f"round {number}: accuracy {accuracy:.3f}", flush=True)
        return accuracy

    run_simulation(
        server_app=server(folder, chosen.model, model, chosen.rounds, chosen.epochs, tell),
        client_app=client,
        num_supernodes=chosen.clients,
        backend_config={
            "client_resources": {"num_cpus": 1},
            "init_args": {"include_dashboard": False, "log_to_driver": False},
        },
    )


def main() -> None:
    """Run the walk-through."""
    chosen = arguments()
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)  # of the clients' processes too
    if importlib.util.find_spec("flwr") is None or importlib.util.find_spec("ray") is None:
        raise SystemExit('Flower and its simulation are missing here; run: pip install "flwr[simulation]==1.42.*"')
    logging.getLogger("flwr").setLevel(logging.WARNING)
    from examples.federated.local import AdapterModel

    rows, held = clinc150(chosen.data, _DOMAINS) if chosen.data else hold_out(read_rows(_ILLUSTRATIVE), 0.25)
    rows = at_most(rows, 20) if chosen.quick else rows
    labels = sorted({row["label"] for row in rows})
    hands = deal(rows, chosen.clients)
    folder = chosen.output.resolve()
    write_hands(folder, hands, labels)

    together = AdapterModel(chosen.model, labels)
    start = together.weights()
    travels = sum(value.numel() for value in start.values())
    print(f"{together.told}; {4 * travels / 1e6:.1f} MB travel each way, each round")
    train_together(chosen, folder, together, held)

    passes = chosen.rounds * chosen.epochs

    def by_itself(known: Sequence[Row]) -> float:
        model = AdapterModel(chosen.model, labels)
        model.load(start)
        model.fit(known, passes, seed=0)
        return model.accuracy(held)

    alone = [by_itself(hand) for hand in hands]
    print(f"\n{len(held)} held-out rows, {passes} passes over the rows each:")
    print(f"  each client alone     {statistics.mean(alone):.3f} ({min(alone):.3f} to {max(alone):.3f})")
    print(f"  federated             {together.accuracy(held):.3f}")
    print(f"  all rows in one place {by_itself(rows):.3f}")
    deliver(together, folder, held, illustrative=chosen.data is None)


def deliver(model: "AdapterModel", folder: Path, held: Sequence[Row], *, illustrative: bool) -> None:
    """Export what was learned, and ask it."""
    file = folder / "model.pte"
    proof: list[str | Path] = ["--proof", write_rows(folder / "held_out.jsonl", held)]
    # of a dozen rows that prove the file, one that flips is already much
    proof += ["--budget", "agreement=0.5"] if illustrative else []
    run_linnet("export", model.save(folder / "checkpoint"), "-o", file, "--max-length", "64", "--force", *proof)
    answer(file, _ASKED)


if __name__ == "__main__":
    run_script(main)
