"""All figures that need a GPU, in one table and under eight minutes: the costs by the number of points, on both backends.

    python benchmarks/gpu.py --output benchmarks/results/gpu.json

Each line is one cost, forwards and backwards, in single precision: the median of a few calls after one to compile and warm
up, and the peak of the device's memory. A cost that has taken more than `--limit` seconds at one size is not asked for a
larger one; what fails is told by its error. Where there is no GPU, nothing is measured, and the script says so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from sides import machine, medians, save
from torch import Tensor

import otae

MILLION = 1_000_000


@dataclass(frozen=True)
class Line:
    """Creates a line of the table: one cost on one backend by the number of points.

    Args:
        cost: The cost's name.
        options: Its options.
        dimensions: Of source and target.
        counts: The numbers of points to try, rising.
    """

    cost: str
    options: dict[str, Any] = field(default_factory=dict)
    dimensions: tuple[int, int] = (3, 3)
    counts: tuple[int, ...] = (1000, 10_000, 100_000)

    @property
    def name(self) -> str:
        """Returns the line in words."""
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.cost}({options}) in {self.dimensions[0]} and {self.dimensions[1]} dimensions"


LINES = (
    Line("coupled-gw", dimensions=(64, 12_288), counts=(64, 256, 1024)),
    Line("mmd", {"kernel": "gaussian", "backend": "dense"}, counts=(1000, 10_000, 100_000)),
    Line("mmd", {"kernel": "gaussian", "backend": "keops"}, counts=(1000, 10_000, 100_000, MILLION)),
    Line("mmd", {"kernel": "gaussian", "backend": "keops"}, dimensions=(64, 64)),
    Line("gw", {"backend": "dense", "tolerance": 1e-3}, counts=(1000, 10_000, 100_000)),
    Line("gw", {"backend": "keops", "tolerance": 1e-3}, counts=(1000, 10_000, 100_000, MILLION)),
    Line("gw", {"tolerance": 1e-3}, dimensions=(16, 16), counts=(1000, 10_000, 100_000)),
)


def measured(line: Line, limit: float, repetitions: int) -> dict[str, Any]:
    """Returns the times and peaks of a line by the number of points.

    Args:
        line: The line.
        limit: The seconds a call may take for a larger one to be tried.
        repetitions: The number of timed calls.
    """
    found: dict[str, Any] = {}
    for count in line.counts:
        call = prepared(line, count)
        torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        try:
            call()
            torch.cuda.synchronize()
        except (otae.errors.OtaeError, RuntimeError) as error:
            found[str(count)] = {"error": str(error).splitlines()[0]}
            break
        first = time.perf_counter() - start
        seconds = medians({"": call}, repetitions, warm=False)[""] if first < limit / 2 else first
        found[str(count)] = {"seconds": seconds, "megabytes": torch.cuda.max_memory_allocated() / 2**20}
        if seconds > limit / 5:
            break
    return found


def prepared(line: Line, count: int) -> Callable[[], None]:
    """Returns a call that computes a line's cost and its gradient.

    Args:
        line: The line.
        count: The number of points.
    """
    generator = torch.Generator("cuda").manual_seed(0)
    x, y = (torch.randn(count, size, generator=generator, device="cuda") for size in line.dimensions)
    cost = otae.costs.create(line.cost, **line.options).cuda()

    def call() -> None:
        leaf: Tensor = x.clone().requires_grad_()
        torch.autograd.backward(cost(leaf, y * torch.linspace(1, 0.5, y.shape[1], device="cuda")))

    return call


def main() -> None:
    """Measures all lines, prints the table, and writes it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=float, default=30.0, help="seconds that a call may take")
    parser.add_argument("--repetitions", type=int, default=3, help="the number of timed calls")
    parser.add_argument("--budget", type=float, default=450.0, help="seconds after which no further line is begun")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("No GPU here: nothing measured.")
        return
    found: dict[str, Any] = {}
    start = time.perf_counter()
    for line in LINES:
        if time.perf_counter() - start > options.budget:
            break
        found[line.name] = measured(line, options.limit, options.repetitions)
        for count, figures in found[line.name].items():
            told = figures.get("error") or f"{figures['seconds']:10.4f} s {figures['megabytes']:10.0f} MB"
            print(f"{line.name:72} {count:>9} {told}", flush=True)
        save(options.output, {"lines": found} | machine("pykeops"))


if __name__ == "__main__":
    main()
