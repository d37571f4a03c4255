"""One training step of GWAE at 3×64×64: otae against the step of the paper written out naively, in time and in memory.

    python benchmarks/gwae_step.py --output benchmarks/results/gwae_step.json

Both train the same networks from the same weights on the same batch: one main step, then the critic's five. They take
turns in one process, and the ratio is that of the medians. Memory is the peak of a fresh process, less what it held
before its first step.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import RMSprop

import otae
from otae import Autoencoder, Objective, Term
from otae.training.layout import channels_last
from otae.training.module import frozen

DATA_SHAPE, LATENT_DIM = (3, 64, 64), 64
LEARNING_RATE, CRITIC_STEPS, ENTROPY_WEIGHT = 1e-4, 5, 0.03
TIME_BAR, MEMORY_BAR = 0.6, 0.2


@dataclass(frozen=True)
class Gwae:
    """Creates the trainable parts of GWAE, as otae builds them.

    Args:
        model: The autoencoder.
        objective: The objective.
    """

    model: Autoencoder
    objective: Objective

    @classmethod
    def build(cls, seed: int = 0) -> Gwae:
        """Returns the parts with the sizes of the paper.

        Args:
            seed: The seed of the weights.
        """
        torch.manual_seed(seed)
        given: dict[str, Any] = {"latent_dim": LATENT_DIM, "data_shape": DATA_SHAPE, "value_range": (0.0, 1.0)}
        encoder, decoder = otae.encoders.create("conv", **given), otae.decoders.create("conv", **given)
        model = Autoencoder(encoder, decoder, otae.priors.create("neural", latent_dim=LATENT_DIM))
        fit = otae.costs.create("paired", ground="half-sqeuclidean")
        critic = otae.costs.create("critic", shapes=(DATA_SHAPE, (LATENT_DIM,)))
        objective = Objective(
            {
                "gromov": Term(otae.costs.create("coupled-gw"), "prior", "generation"),
                "reconstruction": Term(fit, "data", "reconstruction"),
                "merge": Term(critic, ["data", "code"], ["generation", "prior"]),
                "entropy": Term(otae.costs.create("entropy"), "code", weight=ENTROPY_WEIGHT),
            }
        )
        return cls(model, objective)

    @property
    def critic(self) -> nn.Module:
        """Returns the critic's network."""
        network: nn.Module = self.objective.get_submodule("terms.merge.cost.network")
        return network

    @property
    def log_scale(self) -> Tensor:
        """Returns the logarithm of the scale between the spaces."""
        return self.objective.get_parameter("terms.gromov.cost.log_scale")

    def optimizers(self) -> tuple[RMSprop, RMSprop]:
        """Returns the main optimiser and the critic's."""
        owned = [*self.model.parameters(), *self.objective.minimised()]
        return RMSprop(owned, lr=LEARNING_RATE), RMSprop(self.objective.maximised(), lr=LEARNING_RATE)


def our_step(parts: Gwae) -> Callable[[Tensor], None]:
    """Returns a function that takes one step with the parts of otae.

    Args:
        parts: The parts to train.
    """
    for module in (parts.model, parts.objective):
        channels_last(module)
    main, adversary = parts.optimizers()

    def step(x: Tensor) -> None:
        with frozen(parts.objective.maximised()):
            descend(main, parts.objective(parts.model, x).total)
        for losses in parts.objective.adversary_losses(parts.model, x, CRITIC_STEPS):
            descend(adversary, losses["merge"])

    return step


def naive_step(parts: Gwae) -> Callable[[Tensor], None]:
    """Returns a function that takes one step as the paper's formulas read, with all differences of points in memory.

    As in the authors' training loop, every pass builds a graph, whether or not a gradient is asked of it.

    Args:
        parts: The parts to train.
    """
    model, critic = parts.model, parts.critic
    main, adversary = parts.optimizers()
    everything = [*model.parameters(), *parts.objective.minimised(), *parts.objective.maximised()]

    def potential(x: Tensor, z: Tensor) -> Tensor:
        value: Tensor = critic(torch.cat([x.flatten(1), z], dim=1))
        return value

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        law = model.encoder(x)
        return law.mean, law.variance.log()

    def reparametrize(mean: Tensor, log_variance: Tensor) -> Tensor:
        return mean + torch.randn_like(mean) * (log_variance / 2).exp()

    def update(optimizer: RMSprop, loss: Tensor) -> None:
        for parameter in everything:
            parameter.grad = None
        torch.autograd.backward(loss)
        optimizer.step()

    def main_loss(x: Tensor) -> Tensor:
        mean, log_variance = encode(x)
        z = reparametrize(mean, log_variance)
        x_hat = model.decoder(z)
        z_tilde = model.prior.sample(len(x))
        x_tilde = model.decoder(z_tilde)
        scale = parts.log_scale.exp() / z_tilde.std(dim=0).mean().clamp(min=1e-8)
        of_x = (x_tilde[:, None] - x_tilde[None]).view(len(x), len(x), -1).norm(dim=2)
        of_z = ((z_tilde[:, None] - z_tilde[None]) * scale).norm(dim=2)
        gromov = (of_z - of_x).abs().mean()
        reconstruction = (0.5 * (x - x_hat) ** 2).flatten(1).sum(dim=1).mean()
        entropy = -log_variance.sum(dim=1).mean()
        merge = potential(x_tilde, z_tilde).mean() - potential(x, z).mean()
        total: Tensor = gromov + reconstruction + ENTROPY_WEIGHT * entropy + merge
        return total

    def critic_loss(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
        z = reparametrize(mean, log_variance)
        _unused = model.decoder(z).detach()
        z_tilde = model.prior.sample(len(x))
        x_tilde = model.decoder(z_tilde)
        z, z_tilde, x_tilde = z.detach(), z_tilde.detach(), x_tilde.detach()
        low, high = potential(x, z), potential(x_tilde, z_tilde)
        t = torch.rand(len(x), 1)
        between_x = (t[:, :, None, None] * x + (1 - t[:, :, None, None]) * x_tilde).requires_grad_()
        between_z = (t * z + (1 - t) * z_tilde).requires_grad_()
        value = potential(between_x, between_z).sum()
        slopes = torch.autograd.grad(value, (between_x, between_z), create_graph=True)
        norms = torch.cat([slope.flatten(1) for slope in slopes], dim=1).norm(dim=1)
        penalty = ((norms - 1) ** 2).mean() + 1e-4 * low.square().mean() + 1e-4 * high.square().mean()
        total: Tensor = -(high.mean() - low.mean()) + 10 * penalty
        return total

    def step(x: Tensor) -> None:
        update(main, main_loss(x))
        mean, log_variance = encode(x)
        for _ in range(CRITIC_STEPS):
            update(adversary, critic_loss(x, mean, log_variance))

    return step


STEPS = {"ours": our_step, "naive": naive_step}


def descend(optimizer: RMSprop, loss: Tensor) -> None:
    """Takes one step of an optimiser down a loss.

    Args:
        optimizer: The optimiser.
        loss: The loss, a scalar.
    """
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()


def batch_of(size: int) -> Tensor:
    """Returns a batch of images in [0, 1].

    Args:
        size: The number of images.
    """
    return torch.rand(size, *DATA_SHAPE, generator=torch.Generator().manual_seed(0))


def seconds(batch: int, repetitions: int) -> dict[str, float]:
    """Returns the median time of a step of each kind; they take turns, after one step each to warm up.

    Args:
        batch: The batch size.
        repetitions: The number of timed steps of each kind.
    """
    parts, x = Gwae.build(), batch_of(batch)
    steps = {name: make(copy.deepcopy(parts)) for name, make in STEPS.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repetitions + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step(x)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(spent[1:]) for name, spent in times.items()}


def own_peak(name: str, batch: int) -> int:
    """Returns by how many kilobytes two steps raise this process's peak of memory.

    Args:
        name: The kind of step.
        batch: The batch size.
    """
    step, x = STEPS[name](Gwae.build()), batch_of(batch)
    before = peak()
    for _ in range(2):
        step(x)
    return peak() - before


def peak() -> int:
    """Returns the peak of this process's memory in kilobytes, from Linux; `getrusage` would count its parent's, too."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def megabytes(name: str, batch: int) -> float:
    """Returns the peak of memory of a fresh process that takes two steps, in megabytes.

    Args:
        name: The kind of step.
        batch: The batch size.
    """
    command = [sys.executable, __file__, "--peak-of", name, "--memory-batch", str(batch)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]) / 1024


def main() -> None:
    """Measures both steps, prints the ratios, and writes them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--batch", type=int, default=64, help="the batch size for the time")
    parser.add_argument("--repetitions", type=int, default=7, help="the number of timed steps of each kind")
    parser.add_argument("--memory-batch", type=int, default=256, help="the batch size for the memory; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="the number of torch's threads")
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    parser.add_argument("--peak-of", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.peak_of:
        print(own_peak(options.peak_of, options.memory_batch))
        return
    found: dict[str, Any] = {"seconds": seconds(options.batch, options.repetitions)}
    found["time_ratio"] = found["seconds"]["ours"] / found["seconds"]["naive"]
    figures = f"{told(found['seconds'], 's')}; ratio {found['time_ratio']:.2f} (bar {TIME_BAR})"
    print(f"time of a step, batch {options.batch}: {figures}")
    if options.memory_batch:
        found["megabytes"] = {name: megabytes(name, options.memory_batch) for name in STEPS}
        found["memory_ratio"] = found["megabytes"]["ours"] / found["megabytes"]["naive"]
        figures = f"{told(found['megabytes'], 'MB')}; ratio {found['memory_ratio']:.3f} (bar {MEMORY_BAR})"
        print(f"peak of memory, batch {options.memory_batch}: {figures}")
    if options.output:
        setting = {"batch": options.batch, "memory_batch": options.memory_batch, "repetitions": options.repetitions}
        machine = {"torch": torch.__version__, "threads": torch.get_num_threads(), "machine": platform.machine()}
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(found | setting | machine, indent=2) + "\n")


def told(figures: dict[str, float], unit: str) -> str:
    """Returns figures in words.

    Args:
        figures: Each figure by its name.
        unit: Their unit.
    """
    return ", ".join(f"{name} {figure:.3g} {unit}" for name, figure in figures.items())


if __name__ == "__main__":
    main()
