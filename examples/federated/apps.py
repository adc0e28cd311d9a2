"""Flower apps of the federated example: client and server.

A client gets the weights of the adapters, trains them on its rows and sends them back; the server takes their mean,
weighted by the numbers of rows (FedAvg, McMahan et al., <https://arxiv.org/abs/1602.05629>).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from examples.federated.local import AdapterModel
from examples.walkthrough import read_rows

client = ClientApp()


@client.train()
def train(message: Message, context: Context) -> Message:
    """Train on the rows of this client."""
    settings = message.content["config"]
    folder = Path(str(settings["folder"]))
    rows = read_rows(folder / f"client{context.node_config['partition-id']}.jsonl")
    model = AdapterModel(str(settings["model"]), json.loads((folder / "labels.json").read_text(encoding="utf-8")))
    model.load(message.content["arrays"].to_torch_state_dict())
    model.fit(rows, epochs=int(settings["epochs"]), seed=int(settings["server-round"]), schedule="constant")
    answer = {
        "arrays": ArrayRecord(model.weights()),
        "metrics": MetricRecord({"num-examples": len(rows)}),
    }
    return Message(content=RecordDict(answer), reply_to=message)


def server(
    folder: Path, name: str, model: AdapterModel, rounds: int, epochs: int, after: Callable[[int, AdapterModel], float]
) -> ServerApp:
    """Return what asks the clients `rounds` times; ``model`` has the mean of their weights at the end.

    Args:
        folder: with the rows of each client and `labels.json`.
        name: checkpoint that every client has.
        model: of the server.
        rounds: how often weights travel.
        epochs: passes of a client over its rows in each.
        after: told the round and the server's model; returns its accuracy.
    """
    app = ServerApp()

    @app.main()
    def main(grid: Grid, context: Context) -> None:
        def evaluate(number: int, arrays: ArrayRecord) -> MetricRecord:
            model.load(arrays.to_torch_state_dict())
            return MetricRecord({"accuracy": after(number, model)})

        settings: dict[str, Any] = {"folder": str(folder), "model": name, "epochs": epochs}
        FedAvg(fraction_evaluate=0.0).start(
            grid=grid,
            initial_arrays=ArrayRecord(model.weights()),
            num_rounds=rounds,
            train_config=ConfigRecord(settings),
            evaluate_fn=evaluate,
        )

    return app
