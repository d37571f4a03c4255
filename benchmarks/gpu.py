"""All figures that need a GPU, in one table and under eight minutes: the costs by the number of points, on both backends.

    python benchmarks/gpu.py --output benchmarks/results/gpu.json

Each line is one cost, forwards and backwards, in single precision: the median of a few calls after a small one that compiles
and one that warms up, and the peak of what torch holds on the device (KeOps holds little more than its results). Each line
has a process of its own, so that none can spoil the others. What is expected to take more than `--limit` seconds, what fails,
and what there was no time for is in the table too, marked `not measured`, with the reason. Where there is no GPU, nothing is
measured, and the script says so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import torch
from sides import machine, medians, save
from torch import Tensor

import otae

MILLION = 1_000_000
SMALL = 100  # points of the call that compiles
THOUSANDS = (1000, 10_000, 100_000)


@dataclass(frozen=True)
class Line:
    """Creates a line of the table: one cost on one backend by the number of points.

    Args:
        cost: The cost's name.
        options: Its options.
        dimensions: Of source and target.
        counts: The numbers of points to try, rising.
        power: With which power of the number of points the time grows at most.
    """

    cost: str
    options: dict[str, Any] = field(default_factory=dict)
    dimensions: tuple[int, int] = (3, 3)
    counts: tuple[int, ...] = THOUSANDS
    power: int = 2

    @property
    def name(self) -> str:
        """Returns the line in words."""
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.cost}({options}) D={' and '.join(map(str, dict.fromkeys(self.dimensions)))}"


def on_both(cost: str, size: int, **options: Any) -> list[Line]:
    """Returns the lines of a cost on both backends.

    Args:
        cost: The cost's name.
        size: The number of dimensions.
        **options: Its other options.
    """
    return [Line(cost, {**options, "backend": backend}, (size, size)) for backend in ("dense", "keops")]


LINES = (
    Line("coupled-gw", dimensions=(64, 12_288), counts=(64, 256, 1024)),
    *on_both("mmd", 3, kernel={"name": "gaussian", "bandwidth": 2.0}),
    *on_both("sinkhorn", 3, blur=0.3),
    *on_both("gw", 3, tolerance=1e-3),
    *on_both("mmd", 64, kernel={"name": "gaussian", "bandwidth": 10.0}),
    Line("sinkhorn", {"blur": 2.0}, (64, 64)),
    Line("gw", {"tolerance": 1e-3}, (16, 16)),
    Line("mmd", {"kernel": "imq"}, (64, 64)),
    Line("sliced", dimensions=(64, 64), counts=(*THOUSANDS, MILLION), power=1),
    Line("sliced-energy", dimensions=(64, 64), counts=(*THOUSANDS, MILLION), power=1),
    Line(
        "random-features",
        {"kernel": {"name": "gaussian", "bandwidth": 10.0}},
        (64, 64),
        counts=(*THOUSANDS, MILLION),
        power=1,
    ),
    Line("gaussian", dimensions=(64, 64), counts=(*THOUSANDS, MILLION), power=1),
)


def prepared(line: Line, count: int) -> Callable[[], None]:
    """Returns a call that computes a line's cost and its gradient.

    Args:
        line: The line.
        count: The number of points.
    """
    generator = torch.Generator("cuda").manual_seed(0)
    x, y = (torch.randn(count, size, generator=generator, device="cuda") for size in line.dimensions)
    y = y * torch.linspace(1, 0.5, y.shape[1], device="cuda")
    cost = otae.costs.create(line.cost, **line.options).cuda()

    def call() -> None:
        leaf: Tensor = x.detach().requires_grad_()
        torch.autograd.backward(cost(leaf, y))

    return call


def seconds(call: Callable[[], None]) -> float:
    """Returns the time of one call, the device's work included.

    Args:
        call: What is called.
    """
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def figures(line: Line, count: int, repetitions: int, limit: float) -> dict[str, float]:
    """Returns the time and the peak of a line at one number of points.

    Args:
        line: The line.
        count: The number of points.
        repetitions: The number of timed calls, after one to warm up.
        limit: The seconds above which a second call is not made.
    """
    torch.cuda.empty_cache()  # KeOps takes its memory beside torch's
    call = prepared(line, count)
    torch.cuda.reset_peak_memory_stats()
    first = seconds(call)
    taken = medians({"": call}, repetitions, warm=False)[""] if first * repetitions < limit else first
    return {"seconds": taken, "megabytes": torch.cuda.max_memory_allocated() / 2**20}


def measured(line: Line, repetitions: int, limit: float) -> Iterator[dict[str, Any]]:
    """Yields the figures of a line by the number of points, as far as they are expected to take no more than the limit.

    Args:
        line: The line.
        repetitions: The number of timed calls.
        limit: The seconds that a call may be expected to take.
    """
    seconds(prepared(line, SMALL))
    expected, before = 0.0, line.counts[0]
    for count in line.counts:
        expected *= (count / before) ** line.power
        if expected > limit:
            yield {"points": count, "failed": f"about {expected:.3g} s a call are expected"}
            return
        found = figures(line, count, repetitions, limit)
        yield {"points": count, **found}
        expected, before = found["seconds"], count


def attempted(index: int, limit: float, repetitions: int, left: float) -> list[dict[str, Any]]:
    """Returns the figures of a line, measured in a process of its own, with a reason for each size that has none.

    Args:
        index: Which line it is.
        limit: The seconds that a call may be expected to take.
        repetitions: The number of timed calls.
        left: The seconds after which the process is stopped.
    """
    given = {"--line": index, "--limit": limit, "--repetitions": repetitions}
    command = [sys.executable, __file__, *(str(word) for pair in given.items() for word in pair)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate(timeout=max(left, 0))
        reason = "" if process.returncode == 0 else (err.splitlines() or [f"status {process.returncode}"])[-1]
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        reason = "the time was over"
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    reason = reason or (rows[-1].get("failed", "") if rows else "it printed nothing")
    done = {row["points"]: row for row in rows}
    return [done.get(count, {"points": count, "failed": reason}) for count in LINES[index].counts]


def told(name: str, row: dict[str, Any]) -> str:
    """Returns a row of the table.

    Args:
        name: The line's name.
        row: Its figures at one number of points.
    """
    start = f"{name:64} {row['points']:>9}"
    if "failed" in row:
        return f"{start}   not measured: {row['failed']}"
    return f"{start} {row['seconds']:10.4f} s {row['megabytes']:8.0f} MB"


def main() -> None:
    """Measures all lines, prints the table, and writes it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=float, default=10.0, help="seconds that a call may be expected to take")
    parser.add_argument("--repetitions", type=int, default=3, help="the number of timed calls")
    parser.add_argument("--budget", type=float, default=440.0, help="seconds for all of it")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    parser.add_argument("--line", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("No GPU here: nothing measured.")
        return
    if options.line is not None:
        for row in measured(LINES[options.line], options.repetitions, options.limit):
            print(json.dumps(row), flush=True)
        return
    end = time.perf_counter() + options.budget
    keops = [name for name in ("pykeops",) if name in packages_distributions()]
    found: dict[str, Any] = {"lines": {}, **machine(*keops)}
    print(f"{found['device']}, {found['versions']}")
    for index, line in enumerate(LINES):
        rows = attempted(index, options.limit, options.repetitions, end - time.perf_counter())
        found["lines"][line.name] = rows
        print("\n".join(told(line.name, row) for row in rows), flush=True)
        save(options.output, found)


if __name__ == "__main__":
    main()
