"""Gromov-Wasserstein costs side by side with the formulas and solvers that they stand for.

    python benchmarks/gromov.py --output benchmarks/results/gromov.json

- `coupled`: the distortion of paired clouds, forwards and backwards, against the broadcast formula and `torch.cdist`;
- `entropic`: `gw` against POT's entropic solver, at one ε and down to POT's own objective, in 2 and 3, and in 16 dimensions;
- `cold`: `gw` annealed to 0.007 E|x|² E|y|², and without entropy, against POT's exact solver: value and time;
- `batch`: a solved coupling of two mini-batches of images and codes against the Gram product that it needs;
- `scale`: time and memory of the entropic solver by the number of points: the kernel held, then summed over and never held.

Clouds are skewed Gaussian draws, scaled so that the largest squared distance is 1: the target either an isometric copy with
noise, or another law. POT computes in double precision, `gw` in single and in double precision.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from clouds import clouds, feasible_objective, squared
from reductions import ceilings
from sides import fresh_numbers, fresh_peak, machine, medians, own_peak, save
from torch import Tensor

import otae
from otae.reductions import load_library

EPSILON = 5e-3
COLD = 0.007  # a small temperature, in units of E|x|² E|y|²: a 23rd of the default
PIXELS = 12_288


def coupled(batches: tuple[int, ...], repetitions: int) -> dict[str, Any]:
    """Returns the times of the distortion of paired clouds, forwards and backwards.

    Args:
        batches: The batch sizes; broadcasting stops at 256, where it takes 12 GB.
        repetitions: The number of timed calls.
    """
    found = {}
    for batch in batches:
        times = medians({name: distortion(name, batch) for name in ("ours", "cdist")}, repetitions)
        if batch <= 256:
            times |= medians({"broadcast": distortion("broadcast", batch)}, 1, warm=False)
        found[str(batch)] = {"seconds": times, "ratios": ratios(times)}
        if batch <= 256:
            found[str(batch)]["megabytes"] = {
                name: fresh_peak(__file__, "--peak-of", name, "--size", str(batch)) for name in times
            }
        tell(f"coupled-gw, batch {batch}", found[str(batch)])
    return found


def distortion(name: str, batch: int) -> Callable[[], None]:
    """Returns a call that computes the distortion and its gradients.

    Args:
        name: `ours`, `cdist` or `broadcast`.
        batch: The batch size.
    """
    z, x = torch.randn(batch, 64), torch.rand(batch, PIXELS)
    cost = otae.costs.create("coupled-gw", scale=1.0, learn_scale=False, normalize=False)
    forms = {
        "ours": cost,
        "cdist": lambda z, x: (torch.cdist(z, z) - torch.cdist(x, x)).abs().mean(),
        "broadcast": lambda z, x: ((z[:, None] - z).norm(dim=2) - (x[:, None] - x).norm(dim=2)).abs().mean(),
    }

    def call() -> None:
        leaves = z.clone().requires_grad_(), x.clone().requires_grad_()
        torch.autograd.backward(forms[name](*leaves))

    return call


def entropic(counts: tuple[int, ...], repetitions: int) -> dict[str, Any]:
    """Returns times and objectives of entropic solvers at one ε.

    Args:
        counts: The numbers of points.
        repetitions: The number of timed calls of ours; POT's is timed once.
    """
    found = {}
    for sizes in ((2, 3), (16, 16)):
        for count in counts:
            x, y = clouds(count, sizes, "copy")
            theirs, objective = pot_entropic(x, y)
            each: dict[str, Any] = {"seconds": {"pot": theirs}, "objectives": {"pot": objective}}
            for dtype in (torch.float32, torch.float64):
                cost = otae.costs.create("gw", epsilon=EPSILON, tolerance=1e-5)
                pair = x.to(dtype), y.to(dtype)
                name = str(dtype).removeprefix("torch.")
                each["seconds"] |= medians({name: lambda cost=cost, pair=pair: cost.solve(*pair)}, repetitions)
                plan = cost.solve(*pair).plan.dense().double()
                each["objectives"][name] = feasible_objective(squared(x), squared(y), plan, EPSILON)
            each["ratios"] = ratios(each["seconds"], of="pot")
            found[f"{count}, {sizes[0]}-{sizes[1]}"] = each
            tell(f"entropic gw, {count} points, {sizes} dimensions", each)
    return found


def pot_entropic(x: Tensor, y: Tensor) -> tuple[float, float]:
    """Returns the time and the objective, entropy included, of POT's entropic solver at its own tolerances.

    Args:
        x: The source, with shape (N, D).
        y: The target, with shape (M, E).
    """
    ot = load_library("ot")
    c, d = squared(x), squared(y)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its inner loop stopped at its limit
        plan = torch.as_tensor(ot.gromov.entropic_gromov_wasserstein(c.numpy(), d.numpy(), epsilon=EPSILON))
    spent = time.perf_counter() - start
    if not 0.999 < float(plan.sum()) < 1.001:
        raise RuntimeError("POT's solver underflowed: its plan has no mass.")
    return spent, feasible_objective(c, d, plan, EPSILON)


def cold(counts: dict[int, int]) -> dict[str, Any]:
    """Returns times and values with little or no entropy, and POT's exact solver's, each of a feasible plan.

    Args:
        counts: How many problems to solve, by the number of points.
    """
    ot = load_library("ot")
    found = {}
    for sizes in ((2, 3), (16, 16)):
        for count, problems in counts.items():
            for seed in range(problems):
                x, y = clouds(count, sizes, "other", seed)
                c, d = squared(x), squared(y)
                start = time.perf_counter()
                plan = torch.as_tensor(ot.gromov.gromov_wasserstein(c.numpy(), d.numpy()))
                each: dict[str, Any] = {"seconds": {"pot": time.perf_counter() - start}}
                each["values"] = {"pot": feasible_objective(c, d, plan, 0)}
                epsilon = COLD * float(x.var(0, correction=0).sum() * y.var(0, correction=0).sum())
                annealed = otae.costs.create("gw", epsilon=epsilon, tolerance=5e-4)
                exact = otae.costs.create("gw", solver="exact")
                single = x.float(), y.float()
                each["seconds"] |= medians({"annealed": lambda cost=annealed, pair=single: cost.solve(*pair)}, 3)
                each["seconds"] |= medians({"exact": lambda cost=exact, pair=(x, y): cost.solve(*pair)}, 1, warm=False)
                for name, solution in (("annealed", annealed.solve(*single)), ("exact", exact.solve(x, y))):
                    each["values"][name] = feasible_objective(c, d, solution.plan.dense().double(), 0)
                each["ratios"] = ratios(each["seconds"], of="pot")
                each["shares"] = {name: value / each["values"]["pot"] for name, value in each["values"].items()}
                found[f"{count}, {sizes[0]}-{sizes[1]}, seed {seed}"] = each
                tell(f"little entropy, {count} points, {sizes} dimensions, seed {seed}", each)
    return found


def batch(sizes: tuple[int, ...], repetitions: int) -> dict[str, Any]:
    """Returns times of a solved coupling of images and codes, forwards and backwards, and of the Gram product alone.

    Args:
        sizes: The batch sizes.
        repetitions: The number of timed calls.
    """
    found = {}
    for size in sizes:
        z, x = torch.randn(size, 64), torch.rand(size, PIXELS)
        entropic_cost, exact_cost = otae.costs.create("gw"), otae.costs.create("gw", solver="exact")

        def solved(cost: Any, z: Tensor = z, x: Tensor = x) -> None:
            leaf = x.clone().requires_grad_()
            torch.autograd.backward(cost(leaf, z))

        def gram(x: Tensor = x) -> None:
            leaf = x.clone().requires_grad_()
            torch.autograd.backward((leaf @ leaf.T).square().mean())

        calls: dict[str, Callable[[], object]] = {
            "gram": gram,
            "entropic": lambda cost=entropic_cost: solved(cost),
            "exact": lambda cost=exact_cost: solved(cost),
        }
        times = medians(calls, repetitions)
        found[str(size)] = {"seconds": times, "ratios": {name: times[name] / times["gram"] for name in times}}
        tell(f"solved coupling, batch {size}", found[str(size)])
    return found


def scale(counts: tuple[int, ...], output: Path | None) -> dict[str, Any]:
    """Returns time and memory by the number of points, in three dimensions, and draws both where results are kept.

    Args:
        counts: The numbers of points.
        output: The file of the results, beside which the picture is kept.
    """
    found = {}
    for count in counts:
        seconds, peak = fresh_numbers(__file__, "--peak-of", "streamed", "--size", str(count))
        found[str(count)] = {"seconds": seconds, "megabytes": peak}
        tell(f"{count} points", found[str(count)])
    if output:
        draw(found, output.with_name("gromov_scale.png"))
    return found


def draw(found: dict[str, dict[str, float]], path: Path) -> None:
    """Draws time and memory by the number of points.

    Args:
        found: The figures by the number of points.
        path: The file of the picture.
    """
    from matplotlib.figure import Figure

    counts = [int(count) for count in found]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, what in zip(axes, ("seconds", "megabytes"), strict=True):
        axis.plot(counts, [each[what] for each in found.values()], "o-", label="gw")
        axis.axvline(2**12.5, color="grey", linewidth=0.8, linestyle=":", label="kernel held, up to here")
        axis.set(xlabel="points of each cloud", ylabel=what, ylim=(0, None))
    axes[1].plot(counts, [4 * count**2 / 2**20 for count in counts], "--", label="one matrix of all pairs")
    for axis in axes:
        axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def streamed(count: int) -> Callable[[], object]:
    """Returns a call that solves for a coupling without holding its kernel.

    Args:
        count: The number of points of each cloud.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=generator) * torch.tensor([1.0, 0.7, 0.4])
    y = torch.randn(count, 3, generator=generator) * torch.tensor([1.2, 0.5, 0.4])
    cost = otae.costs.create("gw", tolerance=1e-3)
    cost.solve(x[:100], y[:100])  # what a first call loads is no part of the peak
    return lambda: cost.solve(x, y)


def ratios(times: dict[str, float], of: str = "ours") -> dict[str, float]:
    """Returns how many times as long as the rest one takes, or the rest as long as ours.

    Args:
        times: The times by name.
        of: The name that is divided by the others, or by which they are divided where it is `ours`.
    """
    if of == "ours":
        return {name: times[name] / times["ours"] for name in times if name != "ours"}
    return {name: times[of] / times[name] for name in times if name != of}


def tell(what: str, figures: dict[str, Any]) -> None:
    """Prints figures.

    Args:
        what: What was measured.
        figures: The figures.
    """
    lines = "; ".join(
        f"{kind} {value:.4g}" if isinstance(value, float)
        else f"{kind} " + ", ".join(f"{name} {each:.4g}" for name, each in value.items())
        for kind, value in figures.items()
    )  # fmt: skip
    print(f"{what}: {lines}", flush=True)


def main() -> None:
    """Measures what is asked for, prints it, and writes it where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", default=["coupled", "entropic", "cold", "batch", "scale"])
    parser.add_argument("--quick", action="store_true", help="small sizes and few repetitions")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        make = streamed if options.peak_of == "streamed" else lambda size: distortion(options.peak_of, size)
        call = make(options.size)
        start = time.perf_counter()
        peak = own_peak(call)
        print(time.perf_counter() - start, peak)
        return
    repetitions, small = (3, True) if options.quick else (5, False)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "coupled": lambda: coupled((64,) if small else (64, 256, 1024), repetitions),
        "entropic": lambda: entropic((500,) if small else (500, 1000, 2000), repetitions),
        "cold": lambda: cold({500: 1} if small else {500: 5, 1000: 3, 2000: 1}),
        "batch": lambda: batch((64,) if small else (64, 256), repetitions),
        "scale": lambda: scale((1000, 6000) if small else (1000, 2000, 4000, 6000, 8000, 10_000), options.output),
    }
    found = {name: parts[name]() for name in options.only}
    save(options.output, found | {"ceilings": ceilings("cpu")} | machine("POT", "numpy"))


if __name__ == "__main__":
    main()
