"""A batch of pairs of clouds at once against a Python loop over the pairs, forwards and backwards.

Run `python benchmarks/batched.py`. For each cost that is vectorised it prints the time of either and their ratio, of 64 pairs of
32 points in 8 dimensions, the best of some calls in turn on one thread of the processor, and writes `results/batched.json`.
Padded batches have weights, a quarter of which are 0.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import otae
from otae import Cloud, Cost

PAIRS, POINTS, DIM, CALLS = 64, 32, 8, 7
COSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "paired": ("paired", {}),
    "gaussian": ("gaussian", {}),
    "sliced": ("sliced", {}),
    "generalized-sliced": ("generalized-sliced", {}),
    "sliced-energy": ("sliced-energy", {}),
    "mmd, imq": ("mmd", {"kernel": "imq"}),
    "mmd, gaussian": ("mmd", {"kernel": "gaussian"}),
    "mmd, energy": ("mmd", {"kernel": "energy"}),
    "cramer-wold": ("cramer-wold", {}),
    "sinkhorn, blur 0.5": ("sinkhorn", {"blur": 0.5}),
    "sinkhorn, blur 0.1": ("sinkhorn", {"blur": 0.1}),
    "max-sliced": ("max-sliced", {}),
    "random-features": ("random-features", {}),
    "random-features, 64": ("random-features", {"features": 64}),
    "coupled-gw": ("coupled-gw", {}),
    "sliced-gw": ("sliced-gw", {}),
    "spectral-gw": ("spectral-gw", {}),
    "sinkhorn, reach 3": ("sinkhorn", {"blur": 0.5, "reach": 3.0}),
    "sinkhorn, euclidean": ("sinkhorn", {"blur": 0.3, "ground": "euclidean"}),
}


def clouds(padded: bool) -> list[Tensor]:
    """Returns points of both sides, and their weights where batches are padded."""
    torch.manual_seed(0)
    points = [torch.randn(PAIRS, POINTS, DIM), torch.randn(PAIRS, POINTS, DIM) + 0.5]
    weights = [torch.rand(PAIRS, POINTS), torch.rand(PAIRS, POINTS)] if padded else []
    for each in weights:
        each[:, 3 * POINTS // 4 :] = 0
    return points + weights


def loop(cost: Cost, inputs: list[Tensor]) -> Tensor:
    """Returns the costs one by one."""
    weights = inputs[2:] or [[None] * PAIRS] * 2
    pairs = zip(*inputs[:2], *weights, strict=True)
    return torch.stack([cost(Cloud(x, a), Cloud(y, b)) for x, y, a, b in pairs])


def batch(cost: Cost, inputs: list[Tensor]) -> Tensor:
    """Returns the costs at once."""
    return cost.batched(*inputs)


def once(compare: Callable[[Cost, list[Tensor]], Tensor], cost: Cost, inputs: list[Tensor], gradient: bool) -> float:
    """Returns the seconds of the processor that one call takes."""
    points = [each.clone().requires_grad_(gradient) for each in inputs[:2]]
    start = time.process_time()
    value = compare(cost, [*points, *inputs[2:]]).sum()
    if gradient:
        value.backward()
    return time.process_time() - start


def measure(name: str, padded: bool, gradient: bool) -> dict[str, Any]:
    """Returns the times of a loop and a batch, called in turn, and their ratio."""
    kind, options = COSTS[name]
    cost, inputs = otae.costs.create(kind, **options), clouds(padded)
    if cost.paired and padded:
        inputs[3] = inputs[2]
    calls = [[once(each, cost, inputs, gradient) for each in (loop, batch)] for _ in range(CALLS)]
    slow, fast = map(min, zip(*calls, strict=True))
    return {
        "cost": name,
        "padded": padded,
        "gradient": gradient,
        "loop_ms": round(1000 * slow, 2),
        "batch_ms": round(1000 * fast, 2),
        "ratio": round(slow / fast, 1),
    }


def main() -> None:
    """Measures all costs, prints them, and writes them down."""
    torch.set_num_threads(1)
    rows = []
    for padded in (False, True):
        for gradient in (False, True):
            for name in COSTS:
                rows.append(row := measure(name, padded, gradient))
                told = f"{'padded' if padded else 'uniform'}, {'with' if gradient else 'without'} gradient"
                print(
                    f"{name:22} {told:26} loop {row['loop_ms']:8} ms, batch {row['batch_ms']:7} ms: {row['ratio']}",
                    flush=True,
                )
    found = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__, "rows": rows}
    path = Path(__file__).parent / "results" / "batched.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
