"""Sums over all pairs of two clouds by dense torch and by KeOps, side by side, and from which size on which one is faster.

    python benchmarks/reductions.py --output benchmarks/results/reductions.json

Both sum the same points in one process, taking turns, after a small call each that compiles; the ratio is that of the
medians. A size is left out for a backend where the next smaller one lets expect more than `--limit` seconds for a call.
With KeOps' formulas not yet compiled the script takes some minutes more. The variable OMP_NUM_THREADS sets the threads of
both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from sides import clock, machine, save
from torch import Tensor

from otae.reductions import Squares, kernel_product, log_sum_exp, safe_exp

BACKENDS = ("dense", "keops")
SIZES, DIMENSIONS = (1000, 4000, 10_000, 30_000), (3, 16, 64)
QUICK = ((1000, 4000), (3, 64))
FAST = "-march=native -ffast-math -fno-finite-math-only"
MOST = 9  # repetitions


def gaussian(x: Tensor, y: Tensor, backend: Any) -> Tensor:
    """Returns the product of a Gaussian kernel with ones.

    Args:
        x: The first points, with shape (N, D).
        y: The second points, with shape (N, D).
        backend: The backend.
    """
    width = 2.0 * x.shape[1]
    return kernel_product(lambda squared: safe_exp(-squared / width), Squares(x, y), y.new_ones(len(y), 1), backend)


def forward(x: Tensor, y: Tensor, backend: Any) -> None:
    """Computes the product alone."""
    gaussian(x, y, backend)


def forward_backward(x: Tensor, y: Tensor, backend: Any) -> None:
    """Computes the product and its gradient to the first points."""
    torch.autograd.backward(gaussian(x.detach().requires_grad_(), y, backend).sum())


def logarithm(x: Tensor, y: Tensor, backend: Any) -> None:
    """Computes the logarithms of the rows' sums of exponentials."""
    width = 2.0 * x.shape[1]
    log_sum_exp(lambda squared: -squared / width, Squares(x, y), backend)


WORK: dict[str, Callable[[Tensor, Tensor, Any], None]] = {
    "gaussian": forward,
    "gaussian-backward": forward_backward,
    "log-sum-exp": logarithm,
}


def seconds(call: Callable[[], object]) -> float:
    """Returns the time of one call.

    Args:
        call: What is called.
    """
    start = clock()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - start


def side_by_side(calls: dict[str, Callable[[], object]], budget: float) -> dict[str, Any]:
    """Returns the median time of each call; they take turns, and a call that alone outruns the budget is made once.

    Args:
        calls: The calls by name.
        budget: The time to spend on each, in seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(MOST):
        for name, call in calls.items():
            if sum(times[name]) + max(times[name], default=0) < budget:
                times[name].append(seconds(call))
    return {name: {"seconds": statistics.median(each), "repetitions": len(each)} for name, each in times.items()}


def measured(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the figures of each kind of work, dimension and size, and prints them.

    Args:
        options: What is to be measured.
    """
    print(f"{'work':18} {'D':>3} {'N':>6}   dense ns/pair   KeOps ns/pair   dense/KeOps")
    for work, dimension in product(options.work, options.dimensions):
        expected = dict.fromkeys(options.backends, 0.0)  # seconds for a pair
        for name in options.backends:
            WORK[work](*torch.randn(2, 100, dimension, device=options.device), name)  # compiles
        for size in options.sizes:
            x, y = torch.randn(2, size, dimension, device=options.device)
            names = [name for name, each in expected.items() if each * size**2 < options.limit]
            calls = {name: lambda each=name, x=x, y=y, call=WORK[work]: call(x, y, each) for name in names}
            found = side_by_side(calls, options.budget)
            expected |= {name: each["seconds"] / size**2 for name, each in found.items()}
            shown = [f"{1e9 * expected[name]:15.2f}" if name in found else " " * 14 + "-" for name in BACKENDS]
            ratio = found["dense"]["seconds"] / found["keops"]["seconds"] if len(found) == len(BACKENDS) else None
            print(f"{work:18} {dimension:3} {size:6} {' '.join(shown)} {ratio or float('nan'):13.2f}", flush=True)
            yield {"work": work, "dimension": dimension, "size": size, **found, "dense_over_keops": ratio}


def ceilings(device: str) -> dict[str, float]:
    """Returns what the machine can do: products per second, bytes per second, and nanoseconds for an entry of a kernel.

    Args:
        device: The device.
    """
    block, large = torch.rand(512, 512, device=device), torch.rand(2048, 2048, device=device)
    cached, huge = torch.rand(1000, 1000, device=device), torch.rand(8192, 8192, device=device)  # 4 and 256 MB
    out = torch.empty_like(block)

    def each(call: Callable[[], object], entries: int) -> float:
        call()
        return side_by_side({"call": call}, 1.0)["call"]["seconds"] / entries

    return {
        "gemm_gflops": 2 * 2048 / each(lambda: large @ large, large.numel()) / 1e9,
        "gb_read_in_cache": 4 / each(lambda: cached @ cached[0], cached.numel()) / 1e9,
        "gb_read_in_memory": 4 / each(lambda: huge @ huge[0], huge.numel()) / 1e9,
        "ns_exp_in_cache": 1e9 * each(lambda: torch.exp(block, out=out), block.numel()),
        "ns_add_in_cache": 1e9 * each(lambda: torch.add(block, 1, out=out), block.numel()),
        "ns_add_in_memory": 1e9 * each(lambda: large.add_(1), large.numel()),
    }


def with_fast_flags(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Returns the figures of KeOps in three dimensions, compiled for this processor and with fast mathematics.

    Args:
        options: What was measured without.
    """
    command = [sys.executable, __file__, "--backends", "keops", "--dimensions", "3", "--sizes", "10000", "--plain"]
    environment = {**os.environ, "CXXFLAGS": FAST}
    with TemporaryDirectory() as folder:
        output = Path(folder) / "figures.json"
        given = [*command, "--device", options.device, "--output", str(output)]
        subprocess.run(given, check=True, stdout=subprocess.DEVNULL, env=environment)
        figures: list[dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))["figures"]
    return figures


def main() -> None:
    """Measures both backends, prints the ratios, and writes them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--plain", action="store_true", help="neither the ceilings nor other flags of the compiler")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of points of each cloud")
    parser.add_argument("--dimensions", type=int, nargs="+", default=DIMENSIONS, help="numbers of dimensions")
    parser.add_argument("--work", choices=WORK, nargs="+", default=tuple(WORK), help="what is computed")
    parser.add_argument("--backends", choices=BACKENDS, nargs="+", default=BACKENDS, help="by which backends")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds to spend on each figure")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds that a call may be expected to take")
    parser.add_argument("--device", default="cpu", help="the device, such as cuda")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.dimensions = QUICK
    torch.manual_seed(0)
    found: dict[str, Any] = {"figures": list(measured(options))}
    if not options.plain:
        found["ceilings"] = ceilings(options.device)
        found["flags"] = FAST
        found["figures_with_flags"] = with_fast_flags(options)
        print(json.dumps({name: found[name] for name in ("ceilings", "figures_with_flags")}, indent=2))
    save(options.output, found | machine("pykeops"))


if __name__ == "__main__":
    main()
