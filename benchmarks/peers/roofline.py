"""Share of the int8 peak that a model attains: ``python -m benchmarks.peers.roofline``.

The peak is what plain GEMMs of the model's own shapes reach here on one thread, each shape with the fastest of three
libraries (:mod:`benchmarks.peers.gemm`), in turns with the whole model, every one in a process of its own. The share is
the time that all linear layers of the model would take at that peak over the time that the whole model takes: the
multiply-accumulates per second of the model's linear layers over those of the GEMMs. Attention's two products are
counted separately (:mod:`benchmarks.peers.macs`): the second share includes them, at the same int8 rate, which is more
than float32 products could reach; the target is about the first.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.peers.child import Job
from benchmarks.peers.compare import Ratio
from benchmarks.peers.gemm import LIBRARIES, GemmJob
from benchmarks.peers.macs import Linear, attention_macs, linear_macs, linears
from benchmarks.peers.models import MODELS, ModelSpec, checkpoint_folder, linnet_file
from benchmarks.peers.rounds import run_child, token_ids
from linnet_bench.measure.engine import take_turns
from linnet_bench.record.statistics import median, percentile

__all__ = ["RooflineResult", "main", "measure_roofline", "peak_seconds"]

TOKENS = 128

_MODEL = "linnet"  # takes turns with the libraries


@dataclasses.dataclass(frozen=True, kw_only=True)
class RooflineResult:
    """Result of all turns, on one thread.

    Attributes:
        tokens: length of the text.
        shapes: linear layers of the model.
        linear_macs, attention_macs: multiply-accumulates of one text.
        model_seconds: time of the whole model, one for each turn.
        gemm_seconds: time of one call of each shape, one for each turn, by library and then by "INPUTSxOUTPUTS".
    """

    tokens: int
    shapes: Sequence[Linear]
    linear_macs: int
    attention_macs: int
    model_seconds: Sequence[float]
    gemm_seconds: Mapping[str, Mapping[str, Sequence[float]]]

    @property
    def peak_seconds(self) -> list[float]:
        """Return the time of all linear layers at the peak in seconds, one for each turn."""
        turns = range(len(self.model_seconds))
        return [peak_seconds(self.shapes, self._turn(turn)) for turn in turns]

    @property
    def share(self) -> Ratio:
        """Return the share of the peak, linear layers only."""
        by_turn = [peak / model for peak, model in zip(self.peak_seconds, self.model_seconds, strict=True)]
        return Ratio(middle=median(by_turn), low=min(by_turn), high=max(by_turn))

    @property
    def share_with_attention(self) -> float:
        """Return the share of the peak if attention's products count at the same rate."""
        return self.share.middle * (self.linear_macs + self.attention_macs) / self.linear_macs

    def summary(self) -> str:
        """Return the result as one sentence."""
        share = self.share
        return (
            f"at {self.tokens} tokens on one thread the linear layers' int8 multiply-accumulates run at "
            f"{100 * share.middle:.0f} % ({100 * share.low:.0f}-{100 * share.high:.0f} %) of the GEMM peak, "
            f"{100 * self.share_with_attention:.0f} % with attention's products"
        )

    def lines(self) -> list[str]:
        """Return the result as Markdown."""
        libraries = list(self.gemm_seconds)
        lines = [
            f"| int8 GEMM, {self.tokens} rows, GMAC/s | times | {' | '.join(libraries)} |",
            "|---" + "|---:" * (len(libraries) + 1) + "|",
        ]
        for shape in self.shapes:
            name = f"{shape.inputs}x{shape.outputs}"
            macs = self.tokens * shape.inputs * shape.outputs
            rates = [f"{macs / median(self.gemm_seconds[library][name]) / 1e9:.0f}" for library in libraries]
            lines.append(f"| {shape.inputs} to {shape.outputs} | {shape.count} | {' | '.join(rates)} |")
        model, peak = median(self.model_seconds), median(self.peak_seconds)
        return [
            *lines,
            f"\nMultiply-accumulates of one text: {self.linear_macs / 1e6:.1f} M in linear layers (int8), "
            f"{self.attention_macs / 1e6:.1f} M in attention's products (float32). Linear layers at the peak "
            f"{peak * 1e3:.2f} ms ({self.linear_macs / peak / 1e9:.0f} GMAC/s), the whole model {model * 1e3:.2f} ms "
            f"({self.linear_macs / model / 1e9:.0f} GMAC/s).",
            f"\n**{self.summary()[0].upper()}{self.summary()[1:]}.**",
        ]

    def _turn(self, turn: int) -> dict[str, dict[str, float]]:
        return {
            library: {shape: seconds[turn] for shape, seconds in by_shape.items()}
            for library, by_shape in self.gemm_seconds.items()
        }


def peak_seconds(shapes: Sequence[Linear], gemm_seconds: Mapping[str, Mapping[str, float]]) -> float:
    """Return the time of all linear layers in seconds, each shape with its fastest library.

    Args:
        shapes: linear layers.
        gemm_seconds: seconds of one call, by library and then by "INPUTSxOUTPUTS".
    """
    return sum(
        shape.count * min(by_shape[f"{shape.inputs}x{shape.outputs}"] for by_shape in gemm_seconds.values())
        for shape in shapes
    )


def measure_roofline(
    spec: ModelSpec, file: Path, *, rounds: int, seconds: float, tokens: int = TOKENS
) -> RooflineResult:
    """Measure the model and the libraries in turns.

    Args:
        spec: the model.
        file: linnet's int8 file of it.
        rounds: number of turns.
        seconds: sampling time for each shape, and for the model.
        tokens: length of the text.

    Raises:
        RuntimeError: a process failed; the message ends with its output.
    """
    checkpoint = checkpoint_folder(spec)
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    shapes = linears(config)
    ids = token_ids(checkpoint, (tokens,))
    model_seconds: list[float] = []
    gemm: dict[str, dict[str, list[float]]] = {library: {} for library in LIBRARIES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gemm_job = GemmJob(shapes=[[shape.inputs, shape.outputs] for shape in shapes], tokens=tokens, seconds=seconds)
        (folder / "gemm.json").write_text(json.dumps(dataclasses.asdict(gemm_job)), encoding="utf-8")
        model_job = Job(
            engine=_MODEL,
            runner=_MODEL,
            file=str(file),
            threads=1,
            seconds=seconds,
            batch=1,
            ids=ids,
            outputs=str(folder / "outputs.npz"),
        )

        def run(program: str, turn: int) -> None:
            if program == _MODEL:
                print(f"-- roofline: {spec.name}, turn {turn + 1}/{rounds}", file=sys.stderr, flush=True)
                said = run_child(model_job, folder)
                model_seconds.append(percentile(said.samples_ns[str(tokens)], 50) / 1e9)
                return
            for shape, value in _gemm_child(program, folder).items():
                gemm[program].setdefault(shape, []).append(value)

        take_turns([_MODEL, *LIBRARIES], rounds, run)
    return RooflineResult(
        tokens=tokens,
        shapes=shapes,
        linear_macs=linear_macs(shapes, tokens),
        attention_macs=attention_macs(config, tokens),
        model_seconds=model_seconds,
        gemm_seconds=gemm,
    )


def _gemm_child(library: str, folder: Path) -> dict[str, float]:
    result = folder / "gemm-result.json"
    command = [sys.executable, "-m", "benchmarks.peers.gemm", library, str(folder / "gemm.json"), str(result)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"GEMMs of {library} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    seconds: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
    return seconds


def main() -> int:
    """Print the roofline of each model."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers.roofline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.peers.roofline --models minilm-l6 --rounds 5",
    )
    parser.add_argument("--models", default=",".join(MODELS), help=f"of {','.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=3, help="turns, default 3")
    parser.add_argument("--seconds", type=float, default=0.25, help="of sampling for each shape, default 0.25")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="default 128")
    args = parser.parse_args()
    unknown = sorted(set(args.models.split(",")) - set(MODELS))
    if unknown or args.rounds < 1 or args.tokens < 3:
        parser.error("--models of " + ", ".join(MODELS) + "; --rounds at least 1; --tokens at least 3")
    for name in args.models.split(","):
        spec = MODELS[name]
        result = measure_roofline(spec, linnet_file(spec), rounds=args.rounds, seconds=args.seconds, tokens=args.tokens)
        print(f"## Roofline: {spec.title}\n\n" + "\n".join(result.lines()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
