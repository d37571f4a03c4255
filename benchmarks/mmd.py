"""The kernel costs against GeomLoss and plain dense torch, forwards and backwards, in time and in memory.

    python benchmarks/mmd.py --output benchmarks/results/mmd.json

All take turns in one process on the same clouds, with the gradient to one of them as in training, and the ratio is that of our
median to the best of the others'. At 100,000 points each has a fresh process, which is stopped after `--limit` seconds; ours
is not. Memory is by how much one call raises the peak of a fresh process. POT has no kernel discrepancies. GeomLoss's own
KeOps backend joins with `--keops`, which compiles its formulas first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch
from reductions import ceilings
from sides import alone, attempt, machine, medians, save
from torch import Tensor

from otae import kernels
from otae_mmd import MMD, CramerWold, Gaussian, RandomFeatures, SlicedEnergy

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]

BAR = 1.1
SIZES = ((64, 64), (256, 64), (1024, 64), (256, 12288), (1000, 3), (4000, 3), (10_000, 3))  # points, dimensions
KERNELS = ("gaussian", "energy", "imq")
LINEAR = ((1000, 3), (10_000, 3), (100_000, 3))
LARGE = (100_000, 3)
MANY = 1024  # dimensions from which on GeomLoss's KeOps backend is left out
HELD = 10_000  # points whose matrices, with one copy for each scale, no longer fit into memory
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def ours(kernel: Any, dim: int) -> Loss:
    """Returns the discrepancy of otae."""
    options = {"bandwidth": length(dim)} if kernel == "gaussian" else {}
    return MMD(kernels.create(kernel, **options), "biased")


def geomloss(kernel: str, dim: int, backend: str = "tensorized") -> Loss:
    """Returns that of GeomLoss, which halves it."""
    from geomloss import SamplesLoss

    loss: Loss = SamplesLoss(kernel, blur=length(dim), backend=backend)
    return loss


def cdist(kernel: str, dim: int) -> Loss:
    """Returns that of whole matrices as torch has them, from `torch.cdist`."""
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "gaussian": lambda distances: torch.exp(distances.square() / (-2 * length(dim) ** 2)),
        "energy": torch.neg,
        "imq": lambda distances: multiquadric(distances.square(), dim),
    }
    return whole(lambda u, v: functions[kernel](torch.cdist(u, v)))


def gram(kernel: str, dim: int) -> Loss:
    """Returns that of whole matrices from matrix products, with the squared distances expanded."""
    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "gaussian": lambda squared: torch.exp(squared / (-2 * length(dim) ** 2)),
        "energy": lambda squared: -squared.sqrt(),
        "imq": lambda squared: multiquadric(squared, dim),
    }

    def matrix(u: Tensor, v: Tensor) -> Tensor:
        squared = u.square().sum(1)[:, None] + v.square().sum(1) - 2 * u @ v.T
        return functions[kernel](squared.clamp_min(1e-12))

    return whole(matrix)


def whole(matrix: Loss) -> Loss:
    """Returns the discrepancy of a function that makes the matrix of all pairs."""
    return lambda x, y: matrix(x, x).mean() + matrix(y, y).mean() - 2 * matrix(x, y).mean()


def multiquadric(squared: Tensor, dim: int) -> Tensor:
    """Returns the kernel of WAE-MMD."""
    constants = [2 * dim * scale for scale in SCALES]
    return torch.stack([constant / (constant + squared) for constant in constants]).sum(0)


def length(dim: int) -> float:
    """Returns the typical distance of two normal points."""
    return (2 * dim) ** 0.5


def contenders(kernel: str, points: int, dim: int, keops: bool) -> dict[str, Loss]:
    """Returns all that compute one discrepancy at a size, ours first."""
    found = {"otae": ours(kernel, dim)}
    if kernel != "imq":
        found["geomloss"] = geomloss(kernel, dim)
        if keops and dim < MANY:
            found["geomloss online"] = geomloss(kernel, dim, "online")
    if kernel != "imq" or points < HELD:
        found |= {"cdist": cdist(kernel, dim), "gram": gram(kernel, dim)}
    return found


def linear(dim: int) -> dict[str, Loss]:
    """Returns the costs beside `mmd`."""
    return {
        "cramer-wold": CramerWold(gamma=0.05),
        "random-features": RandomFeatures(Gaussian(length(dim))),
        "sliced-energy": SlicedEnergy(),
    }


def clouds(points: int, dim: int) -> tuple[Tensor, Tensor]:
    """Returns two normal clouds, one of them moved."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, points, dim, generator=generator)
    return x, y + 0.1


def step(loss: Loss, x: Tensor, y: Tensor) -> None:
    """Computes a loss and its gradient to the first cloud."""
    loss(x.requires_grad_(), y).backward()
    x.grad = None


def repetitions(points: int) -> int:
    """Returns how often a size is timed."""
    return max(3, min(30, 10_000 // points))


def timed(found: dict[str, Loss], points: int, dim: int) -> dict[str, float]:
    """Returns the median seconds of each loss with its gradient."""
    x, y = clouds(points, dim)
    calls = {name: partial(step, loss, x, y) for name, loss in found.items()}
    return medians(calls, repetitions(points), warm=points < HELD)


def compared(keops: bool) -> list[dict[str, Any]]:
    """Returns the times of all contenders at all sizes, with the ratio of ours to the best of the others."""
    rows = []
    for points, dim in SIZES:
        for kernel in KERNELS:
            seconds = timed(contenders(kernel, points, dim, keops), points, dim)
            others = [spent for name, spent in seconds.items() if name != "otae"]
            ratio = seconds["otae"] / min(others) if others else None
            rows.append({"kernel": kernel, "points": points, "dimensions": dim, "seconds": seconds, "ratio": ratio})
            print(f"{kernel} {points} x {dim}: {told(seconds)}; ratio {ratio and round(ratio, 2)}", flush=True)
    return rows


def others_by_size() -> list[dict[str, Any]]:
    """Returns the times of the costs beside `mmd`; the quadratic one is left out where it takes minutes."""
    rows = []
    for points, dim in LINEAR:
        found = {name: loss for name, loss in linear(dim).items() if points <= HELD or name != "cramer-wold"}
        seconds = timed(found, points, dim)
        rows.append({"points": points, "dimensions": dim, "seconds": seconds})
        print(f"{points:6} x {dim}: {told(seconds)}")
    return rows


def large(keops: bool, limit: float) -> list[dict[str, Any]]:
    """Returns what one call with gradient takes at the largest size: ours, and the others' as far as they end."""
    rows, (points, dim) = [], LARGE
    for kernel in KERNELS:
        for name in contenders(kernel, points, dim, keops):
            asked = ("--alone", name, kernel, str(points), str(dim))
            figures = attempt(None if name == "otae" else limit, __file__, *asked)
            rows.append({"name": name, "kernel": kernel, "points": points, "dimensions": dim, **figures})
            told_of = figures.get("failed") or f"{figures['seconds']:.1f} s, {figures['megabytes']:.0f} MB"
            print(f"{kernel} {points} x {dim}, alone: {name} {told_of}", flush=True)
    return rows


def call_alone(name: str, kernel: str, points: int, dim: int) -> dict[str, float]:
    """Returns the seconds and the peak of memory of one call with gradient in this process."""
    everything = contenders(kernel, points, dim, keops=True) | linear(dim)
    step(everything[name], *clouds(8, dim))  # imports and caches
    return alone(partial(step, everything[name], *clouds(points, dim)))


def peaks() -> list[dict[str, Any]]:
    """Returns the peaks of memory by size; where others hold matrices, ours does not grow beyond its tiles."""
    rows = []
    asked = [("otae", 1000), ("otae", 10_000), ("otae", 30_000), ("geomloss", 10_000), ("cdist", 10_000)]
    asked += [("random-features", 100_000), ("sliced-energy", 100_000)]
    for name, points in asked:
        figures = attempt(None, __file__, "--alone", name, "gaussian", str(points), "3")
        rows.append({"name": name, "points": points, **figures})
        print(f"peak of {name} at {points} x 3: {figures['megabytes']:.0f} MB", flush=True)
    return rows


def told(seconds: dict[str, float]) -> str:
    """Returns times in words."""
    return ", ".join(f"{name} {1000 * spent:.4g} ms" for name, spent in seconds.items())


def main() -> None:
    """Measures all of it, prints the ratios, and writes them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="the number of torch's threads")
    parser.add_argument("--keops", action="store_true", help="let GeomLoss's KeOps backend take part")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that others have at the largest size")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.alone:
        name, kernel, points, dim = options.alone
        print(json.dumps(call_alone(name, kernel, int(points), int(dim))))
        return
    found: dict[str, Any] = {
        "bar": BAR,
        "limit": options.limit,
        "ceilings": ceilings("cpu"),
        **machine("geomloss", "pykeops"),
    }
    for part, measure in {
        "compared": partial(compared, options.keops),
        "others": others_by_size,
        "peaks": peaks,
        "large": partial(large, options.keops, options.limit),
    }.items():
        found[part] = measure()
        save(options.output, found)


if __name__ == "__main__":
    main()
