"""The whole objective of the Gromov-Wasserstein autoencoder, against the formulas of the paper written out naively."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import otae
from otae import Autoencoder, Objective, Term
from otae.clouds import Clouds

LATENT_DIM, DATA_SHAPE, BATCH = 3, (2, 4, 4), 7
WEIGHTS = {"gromov": 1.0, "reconstruction": 1.0, "merge": 1.0, "entropy": 0.03}


@pytest.fixture
def model() -> Autoencoder:
    torch.manual_seed(0)
    sizes = {"latent_dim": LATENT_DIM, "data_shape": DATA_SHAPE}
    networks = (otae.encoders.create("mlp", **sizes, width=8), otae.decoders.create("mlp", **sizes, width=8))
    return Autoencoder(*networks, otae.priors.create("neural", latent_dim=LATENT_DIM)).double()


@pytest.fixture
def objective() -> Objective:
    """Returns the objective in eval mode, so that the critic's spectral norms stand still."""
    torch.manual_seed(1)
    critic = otae.costs.create("critic", shapes=(DATA_SHAPE, (LATENT_DIM,)), width=8, features=4)
    half = otae.costs.create("paired", ground="half-sqeuclidean")
    terms = {
        "gromov": Term(otae.costs.create("coupled-gw"), "prior", "generation", WEIGHTS["gromov"]),
        "reconstruction": Term(half, "data", "reconstruction", WEIGHTS["reconstruction"]),
        "merge": Term(critic, ["data", "code"], ["generation", "prior"], WEIGHTS["merge"]),
        "entropy": Term(otae.costs.create("entropy"), "code", weight=WEIGHTS["entropy"]),
    }
    return Objective(terms).double().eval()


@pytest.fixture
def x() -> Tensor:
    return torch.rand(BATCH, *DATA_SHAPE, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def drawn(model: Autoencoder, objective: Objective, x: Tensor) -> Clouds:
    """Returns the clouds that the objective draws from seed 3, drawn in the same order."""
    torch.manual_seed(3)
    clouds = Clouds(model, x)
    for _, term in objective:
        for names in (term.source, term.target):
            _ = None if names is None else clouds[names]
    return clouds


def paper_gromov(clouds: Clouds, objective: Objective) -> Tensor:
    z, x = clouds["prior"].points, clouds["generation"].points
    scale = objective.terms["gromov"].cost.log_scale.exp() / z.std(dim=0).mean().clamp(min=1e-8)
    of_z = ((z[:, None] - z[None]) * scale).norm(dim=2)
    of_x = (x[:, None] - x[None]).flatten(2).norm(dim=2)
    return (of_z - of_x).abs().sum() / BATCH**2


def paper_reconstruction(clouds: Clouds, objective: Objective) -> Tensor:
    return (0.5 * (clouds["data"].points - clouds["reconstruction"].points) ** 2).sum(dim=(1, 2, 3)).mean()


def paper_merge(clouds: Clouds, objective: Objective) -> Tensor:
    critic = objective.terms["merge"].cost.adversary

    def mean_value(x: Tensor, z: Tensor) -> Tensor:
        return torch.stack([critic(torch.cat([a.flatten(), b])[None])[0] for a, b in zip(x, z, strict=True)]).mean()

    generated = mean_value(clouds["generation"].points, clouds["prior"].points)
    return generated - mean_value(clouds["data"].points, clouds["code"].points)


def paper_entropy(clouds: Clouds, objective: Objective) -> Tensor:
    return -clouds["code"].law.variance.log().sum(dim=1).mean()


PAPER = {
    "gromov": paper_gromov,
    "reconstruction": paper_reconstruction,
    "merge": paper_merge,
    "entropy": paper_entropy,
}


def test_each_term_is_that_of_the_paper(model: Autoencoder, objective: Objective, x: Tensor) -> None:
    torch.manual_seed(3)
    losses = objective(model, x)
    clouds = drawn(model, objective, x)
    for name, formula in PAPER.items():
        torch.testing.assert_close(losses.terms[name].raw, formula(clouds, objective), rtol=1e-10, atol=1e-12, msg=name)


def test_the_total_and_its_gradient_are_those_of_the_paper(model: Autoencoder, objective: Objective, x: Tensor) -> None:
    torch.manual_seed(3)
    found = objective(model, x).total
    clouds = drawn(model, objective, x)
    truth = torch.stack([WEIGHTS[name] * formula(clouds, objective) for name, formula in PAPER.items()]).sum()
    torch.testing.assert_close(found, truth, rtol=1e-10, atol=1e-12)
    parameters = [*model.parameters(), *objective.minimised()]
    for one, other in zip(torch.autograd.grad(found, parameters), torch.autograd.grad(truth, parameters), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12)


def test_the_critic_minimises_what_it_does_in_the_paper(model: Autoencoder, objective: Objective, x: Tensor) -> None:
    merge = objective.terms["merge"]
    clouds = drawn(model, objective, x)
    source, target = clouds[merge.source].detach(), clouds[merge.target].detach()
    torch.manual_seed(4)
    found = merge.cost.adversary_loss(source, target)
    torch.manual_seed(4)
    t = torch.rand(BATCH, 1, dtype=x.dtype)
    critic = merge.cost.adversary
    points = (t * source.points + (1 - t) * target.points).requires_grad_()
    (slopes,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    low, high = critic(source.points), critic(target.points)
    penalty = ((slopes.norm(dim=1) - 1) ** 2).mean() + 1e-4 * (low**2).mean() + 1e-4 * (high**2).mean()
    torch.testing.assert_close(found, -(high.mean() - low.mean()) + 10 * penalty, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("term", "trained"),
    [
        ("gromov", {"decoder", "prior", "scale"}),
        ("reconstruction", {"encoder", "decoder"}),
        ("merge", {"encoder", "decoder", "prior"}),
        ("entropy", {"encoder"}),
    ],
)
def test_each_term_trains_what_it_does_in_the_paper(
    term: str, trained: set[str], model: Autoencoder, objective: Objective, x: Tensor
) -> None:
    objective(model, x).terms[term].raw.backward()
    parts = {name: list(getattr(model, name).parameters()) for name in ("encoder", "decoder", "prior")}
    parts["scale"] = objective.minimised()
    moved = {name for name, owned in parts.items() if any(p.grad is not None and p.grad.any() for p in owned)}
    assert moved == trained
