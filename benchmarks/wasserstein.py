"""The Wasserstein costs against POT, GeomLoss and plain dense torch, in time, accuracy and memory.

    python benchmarks/wasserstein.py --output benchmarks/results/wasserstein.json

All take turns in one process on the same clouds in single precision, forwards, and forwards and backwards to one cloud; the
ratio is that of our median to the best of the others'. On one thread, times are the processor's. One whose gradient is not finite
is shown, and does not count.

- `sliced` against POT's on equally many lines.
- `exact` against `ot.emd2`, and `gaussian` against `ot.gaussian.bures_wasserstein_distance`, with the gradients of both.
- `sinkhorn` (debiased, p = 2) against GeomLoss's `SamplesLoss` with its default schedule, against POT's and against plain
  torch, all but GeomLoss until the marginals are off by 2 %. Errors are those of values and gradients relative to ours
  converged in double precision. From 10,000 points on each has a fresh process, which is stopped after `--limit` seconds,
  or after 1.2 times ours where that is longer; memory is by how much the call raises its peak.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from entropic import Loss, contenders
from reductions import ceilings
from sides import alone, attempt, machine, medians, save
from torch import Tensor

from otae.reductions import load_library
from otae_wasserstein import Exact, Gaussian, Sinkhorn, Sliced
from otae_wasserstein.sliced.directions import random_directions

LINES = 64
SLICED = ((64, 64, 16), (1000, 1000, 16), (1000, 800, 16), (10_000, 10_000, 16), (100_000, 100_000, 16))
EXACT = ((64, 64, 16), (256, 256, 16), (1000, 1000, 16), (2000, 2000, 16))  # points, points, dimensions
GAUSSIAN = ((64, 64, 256), (1000, 1000, 16), (1000, 1000, 256), (10_000, 10_000, 64), (100_000, 100_000, 64))
SINKHORN = ((64, 64, 16), (256, 256, 16), (1000, 1000, 3), (1000, 1000, 64))
BLURS = (0.05, 0.2)  # in units of the typical distance
LARGE = ((10_000, 3, 0.2), (10_000, 3, 0.05), (10_000, 64, 0.2), (100_000, 3, 0.2))
BARS = {"sliced": 1 / 1.5, "exact": 1.1, "gaussian": 1.1, "sinkhorn": 1.1}
LEEWAY = 1.2


def clouds(n: int, m: int, dim: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Returns a normal cloud, and two smaller ones apart."""
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(n, dim, generator=generator), torch.randn(m, dim, generator=generator)
    sides = torch.where(torch.rand(m, 1, generator=generator) > 0.5, 1.0, -1.0)
    return x, 0.5 * y + 0.7 * sides


def typical(x: Tensor, y: Tensor) -> float:
    """Returns the typical distance of a point of each cloud."""
    return torch.cdist(x[:500], y[:500]).mean().item()


def value(loss: Loss, x: Tensor, y: Tensor) -> Tensor:
    """Returns a loss without gradient."""
    with torch.no_grad():
        return loss(x, y)


def step(loss: Loss, x: Tensor, y: Tensor) -> Tensor:
    """Returns a loss's gradient to the first cloud."""
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(loss(leaf, y), leaf)[0]


def sliced(dim: int) -> dict[str, Loss]:
    """Returns the sliced cost, and POT's, which draws its lines in NumPy unless they are given."""
    ot = load_library("ot")

    def pot(x: Tensor, y: Tensor) -> Tensor:
        lines = random_directions(dim, LINES, x)
        distance: Tensor = ot.sliced_wasserstein_distance(x, y, projections=lines)
        return distance.square()

    return {"otae": Sliced(LINES), "pot": pot}


def exact(_: int) -> dict[str, Loss]:
    """Returns the exact cost, and POT's."""
    ot = load_library("ot")
    return {"otae": Exact(), "pot": lambda x, y: ot.emd2(*[x.new_empty(0)] * 2, ot.dist(x, y), numItermax=1_000_000)}


def gaussian(_: int) -> dict[str, Loss]:
    """Returns the Gaussian cost, and POT's from means and covariances."""
    ot = load_library("ot")

    def pot(x: Tensor, y: Tensor) -> Tensor:
        covariances = (torch.cov(points.T, correction=0) for points in (x, y))
        distance: Tensor = ot.gaussian.bures_wasserstein_distance(x.mean(0), y.mean(0), *covariances)
        return distance.square()

    return {"otae": Gaussian(), "pot": pot}


def errors(found: dict[str, Loss], truth: Loss, x: Tensor, y: Tensor) -> dict[str, dict[str, float]]:
    """Returns the relative errors of values and gradients."""
    right, slope = value(truth, x.double(), y.double()), step(truth, x.double(), y.double())
    return {
        name: {
            "value": abs(value(loss, x, y).double() / right - 1).item(),
            "gradient": ((step(loss, x, y) - slope).norm() / slope.norm()).item(),
        }
        for name, loss in found.items()
    }


def compared(kind: str, what: str, found: dict[str, Loss], x: Tensor, y: Tensor, truth: Loss | None) -> dict[str, Any]:
    """Returns the times of all with and without gradient, and the ratios of ours to the best of the others'."""
    turns = max(3, min(30, 5000 // len(x)))
    wrong = None if truth is None else errors(found, truth, x, y)
    row: dict[str, Any] = {"kind": kind, "what": what, "bar": BARS[kind], "errors": wrong}
    for name, how in (("forward", value), ("forward and backward", step)):
        seconds = medians({each: partial(how, loss, x, y) for each, loss in found.items()}, turns)
        valid = [
            spent
            for each, spent in seconds.items()
            if each != "otae" and bool(torch.as_tensor(how(found[each], x, y)).isfinite().all())
        ]
        row[name] = {"seconds": seconds, "ratio": seconds["otae"] / min(valid) if valid else None}
        told = ", ".join(f"{each} {1000 * spent:.4g} ms" for each, spent in seconds.items())
        ratio = row[name]["ratio"]
        print(f"{what}, {name}: {told}; ratio {ratio and round(ratio, 2)} (bar {BARS[kind]:.2f})", flush=True)
    if wrong:
        told = ", ".join(f"{each} {off['value']:.0e} and {off['gradient']:.0e}" for each, off in wrong.items())
        print(f"    relative errors of values and gradients: {told}", flush=True)
    return row


def small(keops: bool) -> Iterator[dict[str, Any]]:
    """Yields the comparisons in which all take turns."""
    for kind, of, sizes, truth in (
        ("sliced", sliced, SLICED, None),  # no two have the same lines
        ("exact", exact, EXACT, Exact()),
        ("gaussian", gaussian, GAUSSIAN, Gaussian()),
    ):
        for n, m, dim in sizes:
            yield compared(kind, f"{kind}, {n} and {m} points, D={dim}", of(dim), *clouds(n, m, dim), truth)
    for n, m, dim in SINKHORN:
        for blur in BLURS:
            x, y = clouds(n, m, dim)
            length = blur * typical(x, y)
            truth = Sinkhorn(blur=length, tolerance=1e-7, max_iterations=5000)
            what = f"sinkhorn, {n} and {m} points, D={dim}, blur {blur} of the distance"
            yield compared("sinkhorn", what, contenders(length, dim, keops), x, y, truth)


def large(limit: float, keops: bool) -> Iterator[dict[str, Any]]:
    """Yields what the Sinkhorn divergence with its gradient takes of many points, each contender in a fresh process."""
    for points, dim, blur in LARGE:
        given = (str(points), str(dim), str(blur))
        ours = attempt(None, __file__, "--alone", "otae", *given)
        found = {"otae": ours}
        for name in list(contenders(blur, dim, keops))[1:]:
            found[name] = attempt(max(limit, LEEWAY * ours["seconds"]), __file__, "--alone", name, *given)
        others = [each["seconds"] for name, each in found.items() if name != "otae" and each.get("finite")]
        ratio = ours["seconds"] / min(others) if others else None
        for name, each in found.items():
            told = (
                each.get("failed") or f"{each['seconds']:.2f} s, {each['megabytes']:.0f} MB, finite: {each['finite']}"
            )
            print(f"sinkhorn, {points} points, D={dim}, blur {blur}, {name}: {told}", flush=True)
        print(f"    ratio {ratio and round(ratio, 2)} (bar {BARS['sinkhorn']})", flush=True)
        yield {"points": points, "dimensions": dim, "blur": blur, "found": found, "ratio": ratio}


def call_alone(name: str, points: int, dim: int, blur: float) -> dict[str, Any]:
    """Returns the seconds and the peak of memory of one call with gradient in this process."""
    x, y = clouds(points, points, dim)
    loss = contenders(blur * typical(x, y), dim, keops=True)[name]
    step(loss, *clouds(50, 50, dim))  # imports, and what has to be compiled
    gradients: list[Tensor] = []
    figures = alone(lambda: gradients.append(step(loss, x, y)))
    return {**figures, "finite": bool(gradients[0].isfinite().all())}


def main() -> None:
    """Measures all of it, prints the ratios, and writes them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="the number of torch's threads")
    parser.add_argument("--quick", action="store_true", help="leave out the clouds of 10,000 points and more")
    parser.add_argument("--keops", action="store_true", help="let GeomLoss's KeOps backends take part")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that others have of 10,000 points or more")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.alone:
        name, points, dim, blur = options.alone
        print(json.dumps(call_alone(name, int(points), int(dim), float(blur))))
        return
    found: dict[str, Any] = {"limit": options.limit, "compared": [], "large": [], "ceilings": ceilings("cpu")}
    found |= machine("geomloss", "POT", "pykeops")
    for row in small(options.keops):
        found["compared"].append(row)
        save(options.output, found)
    for row in () if options.quick else large(options.limit, options.keops):
        found["large"].append(row)
        save(options.output, found)


if __name__ == "__main__":
    main()
