"""Writes a small, complete linnet file and what eager PyTorch answers for it.

    python -m tests.support.toy_program FOLDER

writes ``toy.pte`` (forward and forward_batch, XNNPACK, dynamic length, the whole contract, a trailer),
``plain.pte`` (the same model without contract and trailer), ``expected.npz``, one file for each case of
``mutations.CONTRACT_CASES`` in ``contract/``, ``newer.pte``, which a later ExecuTorch would have written, and
``aborting.pte``, at whose ``forward`` a stock ExecuTorch ends the process. It runs in a process of its own, so
that the tests of the runtime never import PyTorch.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeProgramManager, ExecutorchProgramManager, to_edge_transform_and_lower
from executorch.exir._serialize._program import deserialize_pte_binary, serialize_pte_binary
from executorch.exir.schema import Bool, Double, EValue, ExecutionPlan, Int, String

from linnet.format.manifest import Manifest, RawValue
from linnet.format.trailer import build_trailer
from linnet_export.lower.structural_ranges import structural_ranges
from tests.support.mutations import CONTRACT_CASES
from tests.support.wordpiece import wordpiece_bytes

VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "turn", "up", "down", "the", "light", "##s", "music")
VOCAB_SIZE = 32
WIDTH = 16
LABELS = ("on", "off", "other")
MAX_LENGTH = 24
MAX_BATCH = 4


class Toy(torch.nn.Module):
    """Two embeddings, two linears, the mean over the tokens: int64 [1, n] twice to float32 [1, 3]."""

    def __init__(self) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(VOCAB_SIZE, WIDTH)
        self.types = torch.nn.Embedding(2, WIDTH)
        self.inner = torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.outer = torch.nn.Linear(4 * WIDTH, len(LABELS))

    def tokens(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Return float32 [batch, n, 3]."""
        hidden = torch.relu(self.inner(self.words(input_ids) + self.types(token_type_ids)))
        logits: torch.Tensor = self.outer(hidden)
        return logits

    def forward(self, input_ids: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        return self.tokens(input_ids, token_type_ids).mean(dim=1)


class ToyBatch(torch.nn.Module):
    """The same for padded batches; the mean leaves masked tokens out."""

    def __init__(self, toy: Toy) -> None:
        super().__init__()
        self.toy = toy

    def forward(
        self, input_ids: torch.Tensor, token_type_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> torch.Tensor:
        mask = attention_mask.unsqueeze(-1).to(torch.float32)
        return (self.toy.tokens(input_ids, token_type_ids) * mask).sum(dim=1) / mask.sum(dim=1)


def manifest() -> Manifest:
    """Return the contract of the toy file."""
    return Manifest(
        task="text-classification",
        model_type="bert",
        labels=LABELS,
        score_function="softmax",
        tokenizer_kind="wordpiece",
        tokenizer=wordpiece_bytes(VOCABULARY),
        vocab_size=VOCAB_SIZE,
        pad_id=0,
        unk_id=1,
        cls_id=2,
        sep_id=3,
        mask_id=4,
        max_length=MAX_LENGTH,
        max_batch=MAX_BATCH,
        inputs=("input_ids", "token_type_ids"),
        batch_inputs=("input_ids", "token_type_ids", "attention_mask"),
        outputs=("logits",),
        recipe="fp32",
        source="toy",
        producer="linnet tests",
        executorch_version="1.5.1",
        backends=("XnnpackBackend",),
        operators=("aten::embedding.out",),
    )


def constant_methods(contract: Manifest) -> dict[str, object]:
    """Return the raw fields with bytes as uint8 tensors, which is how ExecuTorch keeps them."""
    raw = contract.to_raw()
    return {
        name: torch.frombuffer(bytearray(value), dtype=torch.uint8) if isinstance(value, bytes) else value
        for name, value in raw.items()
    }


def lower(toy: Toy, constants: dict[str, object] | None) -> bytes:
    """Return the ExecuTorch program of both methods."""
    length = torch.export.Dim("length", min=1, max=MAX_LENGTH)
    batch = torch.export.Dim("batch", min=1, max=MAX_BATCH)
    # Distinct tensors: torch.export takes one object passed twice for one input.
    single = tuple(torch.zeros(1, 5, dtype=torch.long) for _ in range(2))
    padded = tuple(torch.ones(2, 5, dtype=torch.long) for _ in range(3))
    programs = {
        "forward": torch.export.export(toy, single, dynamic_shapes=({1: length},) * 2),
        "forward_batch": torch.export.export(ToyBatch(toy), padded, dynamic_shapes=({0: batch, 1: length},) * 3),
    }
    edge: EdgeProgramManager = to_edge_transform_and_lower(
        programs, partitioner=[XnnpackPartitioner()], constant_methods=constants
    )
    done: ExecutorchProgramManager = edge.to_executorch()
    return bytes(done.buffer)


def expected(toy: Toy) -> dict[str, np.ndarray]:
    """Return inputs and eager answers, for several lengths and one padded batch."""
    random = torch.Generator().manual_seed(1)
    cases: dict[str, torch.Tensor] = {}
    for length in (1, 2, 7, MAX_LENGTH):
        ids = torch.randint(0, VOCAB_SIZE, (1, length), generator=random)
        types = torch.randint(0, 2, (1, length), generator=random)
        cases |= {f"ids_{length}": ids, f"types_{length}": types, f"logits_{length}": toy(ids, types)}
    ids = torch.randint(0, VOCAB_SIZE, (3, 6), generator=random)
    mask = torch.tensor([[1] * 6, [1] * 3 + [0] * 3, [1] + [0] * 5])
    types = torch.zeros_like(ids)
    answers = ToyBatch(toy)(ids, types, mask)
    cases |= {"batch_ids": ids, "batch_types": types, "batch_mask": mask, "batch_logits": answers}
    return {name: value.detach().numpy() for name, value in cases.items()}


def _constant(value: RawValue) -> EValue:
    kinds = {int: Int, float: Double, bool: Bool, str: String}
    return EValue(kinds[type(value)](value))


def _set_field(plans: list[ExecutionPlan], name: str, value: RawValue | None) -> None:
    """Give the constant method ``name`` another value, add it, or remove it (None)."""
    plan = next((plan for plan in plans if plan.name == name), None)
    if value is None:
        plans[:] = [plan for plan in plans if plan.name != name]
        return
    if plan is None:
        plan = copy.deepcopy(next(plan for plan in plans if plan.name == "schema_version"))
        plan.name = name
        plans.append(plan)
    plan.values[plan.outputs[0]] = _constant(value)


def changed(program: bytes, changes: Mapping[str, RawValue | None], rename: Mapping[str, str]) -> bytes:
    """Return ``program`` with changed constant methods, and operators renamed."""
    file = deserialize_pte_binary(program)
    for name, value in changes.items():
        _set_field(file.program.execution_plan, name, value)
    for plan in file.program.execution_plan:
        for operator in plan.operators:
            operator.name = rename.get(operator.name, operator.name)
    return bytes(serialize_pte_binary(file, extract_delegate_segments=True))


def aborting(program: bytes) -> bytes:
    """Return ``program`` with an output of ``forward`` that is no value: ExecuTorch finds out by an assertion."""
    file = deserialize_pte_binary(program)
    (forward,) = [plan for plan in file.program.execution_plan if plan.name == "forward"]
    forward.outputs = [9999]
    return bytes(serialize_pte_binary(file, extract_delegate_segments=True))


def with_trailer(program: bytes) -> bytes:
    """Return ``program`` with a small trailer."""
    return program + build_trailer(program, structural_ranges(program), {"golden": [], "proof": {"state": "toy"}})


def main(folder: Path) -> None:
    """Write all files into ``folder``."""
    torch.manual_seed(0)
    toy = Toy().eval()
    program = lower(toy, constant_methods(manifest()))
    (folder / "contract").mkdir(parents=True, exist_ok=True)
    (folder / "plain.pte").write_bytes(lower(toy, None))
    np.savez(folder / "expected.npz", allow_pickle=False, **expected(toy))
    for number, case in enumerate(CONTRACT_CASES):
        file = folder / "contract" / f"{number}.pte"
        file.write_bytes(with_trailer(changed(program, case.changes, {})))
    newer = changed(program, {"executorch_version": "9.2.0"}, {"aten::embedding": "aten::embedding_of_the_future"})
    (folder / "newer.pte").write_bytes(with_trailer(newer))
    (folder / "aborting.pte").write_bytes(with_trailer(aborting(program)))
    (folder / "toy.pte").write_bytes(with_trailer(program))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
