"""The priors: moments, independence, exact mixtures, and weights that learn."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from otae.interfaces import Prior
from otae.reductions import distances, squared_distances
from otae_priors import (
    Factorized,
    Gaussian,
    Mixture,
    Neural,
    Sphere,
    Uniform,
)
from otae_priors.activations import LeakySiLU
from otae_priors.choice import argmax, perturb, sparsemax
from otae_priors.standardize import Standardize

MANY = 40_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def seeded(plugin: type[Any], **options: Any) -> Any:
    torch.manual_seed(0)
    return plugin(**options).double()


def mixture(weights: tuple[float, ...] = (0.5, 0.3, 0.2), latent_dim: int = 3, **options: Any) -> Mixture:
    """Returns a mixture with given weights and full, distinct covariances."""
    part = seeded(Mixture, latent_dim=latent_dim, components=len(weights), **options)
    part.logits.data = torch.tensor(weights, dtype=torch.float64).log()
    part.roots.data += 0.4 * torch.randn_like(part.roots)
    return part


@pytest.mark.parametrize("latent_dim", [1, 2, 16])
@pytest.mark.parametrize("plugin", [Gaussian, Uniform, Sphere])
def test_fixed_priors_have_zero_mean_and_unit_variance(plugin: type[Prior], latent_dim: int) -> None:
    z = seeded(plugin, latent_dim=latent_dim).sample(MANY, generator())
    covariance = torch.atleast_2d(z.T.cov())
    torch.testing.assert_close(z.mean(0), torch.zeros_like(z[0]), rtol=0, atol=6 / MANY**0.5)
    torch.testing.assert_close(covariance, torch.eye(latent_dim).double(), rtol=0, atol=9 / MANY**0.5)


@pytest.mark.parametrize("plugin", [Neural, Factorized])
@pytest.mark.parametrize("latent_dim", [1, 5])
def test_neural_priors_have_zero_mean_and_unit_variance_in_a_training_batch(
    plugin: type[Prior], latent_dim: int
) -> None:
    z = seeded(plugin, latent_dim=latent_dim).sample(256)
    torch.testing.assert_close(z.mean(0), torch.zeros_like(z[0]), rtol=0, atol=1e-10)
    torch.testing.assert_close(z.var(0, correction=0), torch.ones_like(z[0]), rtol=1e-3, atol=0)  # not 1 by the epsilon


@pytest.mark.parametrize("plugin", [Neural, Factorized])
def test_learned_scales_are_the_deviations_of_a_batch_and_have_mean_one(plugin: type[Prior]) -> None:
    part = seeded(plugin, latent_dim=3, learn_scales=True)
    torch.testing.assert_close(part.scales, torch.ones(3).double())
    part.log_scales.data = torch.tensor([0.0, 1.0, -1.0]).double()
    torch.testing.assert_close(part.sample(256).std(0, correction=0), part.scales, rtol=1e-3, atol=0)
    assert part.scales.mean().item() == pytest.approx(1)
    assert (part.scales[1] / part.scales[2]).item() == pytest.approx(math.exp(2))


@pytest.mark.parametrize("plugin", [Neural, Factorized])
def test_learned_scales_find_a_cloud_that_is_longer_than_wide(plugin: type[Prior]) -> None:
    part = seeded(plugin, latent_dim=2, learn_scales=True)
    wanted = torch.tensor([1.8, 0.2]).double()
    optimizer = torch.optim.Adam([part.log_scales], lr=0.1)
    for _ in range(150):
        loss = (part.sample(64).std(0, correction=0) - wanted).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(part.scales, wanted, rtol=0, atol=0.02)


@pytest.mark.parametrize(("options", "radius"), [({}, math.sqrt(5)), ({"radius": 2.5}, 2.5)])
def test_the_sphere_has_its_radius(options: dict[str, float], radius: float) -> None:
    z = seeded(Sphere, latent_dim=5, **options).sample(100)
    torch.testing.assert_close(z.norm(dim=1), torch.full((100,), radius).double())


def test_the_uniform_law_is_that_of_the_cube_and_nothing_outside() -> None:
    law = seeded(Uniform, latent_dim=2).law
    inside, outside = law.log_prob(torch.tensor([[0.0, 1.7], [0.0, 1.8]]).double())
    assert inside.item() == pytest.approx(-2 * math.log(2 * math.sqrt(3)))
    assert outside == -math.inf


def test_the_gaussian_law_is_the_standard_normal() -> None:
    law, z = seeded(Gaussian, latent_dim=4).law, torch.randn(7, 4).double()
    torch.testing.assert_close(law.log_prob(z), -z.square().sum(1) / 2 - 2 * math.log(2 * math.pi))


@pytest.mark.parametrize("plugin", [Sphere, Neural, Factorized])
def test_priors_without_a_known_density_have_no_law(plugin: type[Prior]) -> None:
    assert plugin(3).law is None


@pytest.mark.parametrize("options", [{}, {"width_factor": 2, "depth": 1}])
def test_the_neural_prior_has_the_layers_of_the_paper(options: dict[str, int]) -> None:
    widths = [m.out_features for m in Neural(5, **options).modules() if isinstance(m, nn.Linear)]
    assert widths == ([20, 20, 20, 5] if not options else [10, 5])


def test_the_activation_is_a_silu_that_leaks() -> None:
    x = torch.tensor([-100.0, -1.0, 0.0, 2.0])
    expected = [0.2 * v + 0.8 * v / (1 + math.exp(-v)) for v in x.tolist()]
    torch.testing.assert_close(LeakySiLU()(x), torch.tensor(expected))


def test_a_factorized_prior_sends_each_noise_to_its_own_dimension_only() -> None:
    part = seeded(Factorized, latent_dim=4).eval()
    noise = torch.randn(6, 4).double()
    jacobian = torch.autograd.functional.jacobian(part, noise)
    for n, m in ((0, 0), (0, 5), (4, 4), (5, 2)):
        block = jacobian[n, :, m, :]
        assert torch.equal(block, torch.diag(block.diagonal())), "a dimension sees another's noise"
        assert n == m or not block.any(), "a draw sees another's noise"


def test_the_marginals_of_a_factorized_prior_are_its_own_networks() -> None:
    part = seeded(Factorized, latent_dim=3, width=5, depth=2)
    x = torch.randn(7, 3).double()
    linear = [layer for layer in part.network.layers if not isinstance(layer, LeakySiLU)]
    for k in range(3):
        h = x[:, [k]]
        for layer in linear[:-1]:
            h = LeakySiLU()(h @ layer.weight[k].T + layer.bias[k].T)
        torch.testing.assert_close(part.network(x)[:, [k]], h @ linear[-1].weight[k].T)


@pytest.mark.parametrize("plugin", [Neural, Factorized])
def test_in_eval_mode_a_draw_depends_on_its_own_noise_alone(plugin: type[Any]) -> None:
    part, noise = seeded(plugin, latent_dim=3), torch.randn(10, 3).double()
    part(noise)
    whole, chunks = part.eval()(noise), torch.cat([part(chunk) for chunk in noise.split([1, 2, 7])])
    torch.testing.assert_close(whole, chunks, rtol=1e-12, atol=1e-12)


def test_standardisation_is_a_batch_normalisation() -> None:
    ours, theirs = Standardize(3), nn.BatchNorm1d(3, eps=1e-8, momentum=0.05, affine=False)
    for x in torch.randn(4, 8, 3) * 3 + 1:
        assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_a_training_batch_of_one_is_standardised_by_the_running_moments() -> None:
    part = Standardize(3)
    part(torch.randn(100, 3) + 5)
    one, moments = torch.randn(1, 3), part.norm.running_mean.clone()
    alone = part(one)
    assert torch.equal(part.norm.running_mean, moments)
    assert torch.equal(alone, part.eval()(one))


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_sparsemax_is_the_projection_on_the_simplex(temperature: float) -> None:
    scores = torch.randn(50, 4, generator=generator(), dtype=torch.float64) / temperature
    p = sparsemax(scores)
    torch.testing.assert_close(p.sum(1), torch.ones(50).double())
    assert (p >= 0).all()
    others = torch.distributions.Dirichlet(torch.ones(4).double()).sample((1000,))
    products = torch.einsum("nk,mnk->mn", scores - p, others[:, None] - p)
    assert (products <= 1e-12).all()  # what is nearest in a convex set has every other point behind it


def test_sparsemax_has_the_right_gradient() -> None:
    scores = torch.tensor([[0.3, 0.1, -2.0], [5.0, 0.0, 1.0], [0.2, 0.1, 0.15]], dtype=torch.float64)
    assert torch.autograd.gradcheck(sparsemax, scores.requires_grad_())


def test_choices_follow_the_weights() -> None:
    logits = torch.tensor([0.7, 0.2, 0.1]).log()
    shares = argmax(perturb(logits, torch.rand(MANY, 3, generator=generator()))).mean(0)
    torch.testing.assert_close(shares, logits.exp(), rtol=0, atol=3 / MANY**0.5)


def test_choices_survive_noise_at_its_bounds() -> None:
    assert perturb(torch.zeros(2), torch.tensor([0.0, 1 - 2**-24])).isfinite().all()


def test_a_mixture_has_exactly_zero_mean_and_unit_variance() -> None:
    law = mixture().law
    torch.testing.assert_close(law.mean, torch.zeros(3).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(law.variance, torch.ones(3).double())


@pytest.mark.parametrize("training", [True, False])
def test_a_component_has_the_full_covariance_of_its_root(training: bool) -> None:
    part = mixture().train(training)
    z = part.components.sample(1, MANY, generator())
    expected = part.components.roots[1] @ part.components.roots[1].T
    assert (expected - torch.diag(expected.diagonal())).abs().max() > 0.01, "the case must not be diagonal"
    torch.testing.assert_close(z.mean(0), part.components.means[1], rtol=0, atol=0.02)
    torch.testing.assert_close(z.T.cov(), expected, rtol=0, atol=0.03)


def test_the_law_of_a_mixture_is_the_sum_of_its_components() -> None:
    part, z = mixture(), torch.randn(9, 3).double()
    laws = [
        MultivariateNormal(mean, root @ root.T)
        for mean, root in zip(part.components.means, part.components.roots, strict=True)
    ]
    joint = torch.stack(
        [weight * law.log_prob(z).exp() for weight, law in zip(part.components.weights, laws, strict=True)], 1
    )
    torch.testing.assert_close(part.law.log_prob(z), joint.sum(1).log())
    torch.testing.assert_close(part.components.assign(z), joint / joint.sum(1, keepdim=True))


def test_the_law_of_a_mixture_teaches_every_parameter() -> None:
    part, z = mixture(), torch.randn(5, 3).double()
    assert torch.autograd.gradcheck(
        lambda *_: part.law.log_prob(z), tuple(part.parameters())
    )  # which it moves in place


def test_components_apart_are_told_apart() -> None:
    part = mixture(latent_dim=2)
    part.means.data = torch.tensor([[-9.0, 0.0], [9.0, 9.0], [9.0, -9.0]]).double()
    for k in range(3):
        assert (part.components.assign(part.components.sample(k, 50)).argmax(1) == k).all()


@pytest.mark.parametrize("temperature", [0.05, 0.2])
def test_in_training_few_draws_lie_between_components(temperature: float) -> None:
    part = mixture(temperature=temperature)
    scores = perturb(part.logits, part.uniform(MANY, 3, generator=generator()))
    between = ((sparsemax(scores / temperature) > 0).sum(1) > 1).double().mean()
    assert 0 < between < 1.2 * temperature


def test_the_gradient_of_the_weights_is_that_of_the_mixture() -> None:
    part = mixture(weights=(0.6, 0.3, 0.1), latent_dim=2, temperature=0.02)
    part.means.data = torch.tensor([[-4.0, 0.0], [3.0, 4.0], [3.0, -4.0]]).double()
    place = torch.tensor([0.3, -0.8]).double()

    def potential(z: Tensor) -> Tensor:
        return -1 / (1 + (z - place).square().sum(1))

    torch.manual_seed(0)
    (estimate,) = torch.autograd.grad(potential(part.sample(400_000)).mean(), part.logits)
    each = torch.stack([potential(part.components.sample(k, MANY)).mean() for k in range(3)])
    (exact,) = torch.autograd.grad(part.components.weights @ each, part.logits)
    torch.testing.assert_close(estimate, exact, rtol=0.1, atol=0.1 * exact.abs().max().item())


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    n, m = len(x), len(y)
    return 2 * distances(x, y).mean() - distances(x).sum() / (n * (n - 1)) - distances(y).sum() / (m * (m - 1))


def multiquadratic_mmd(x: Tensor, y: Tensor) -> Tensor:
    blocks = (squared_distances(x), squared_distances(y), squared_distances(x, y))
    of_x, of_y, between = (sum((1 + block / c).reciprocal().mean() for c in (0.1, 1, 10)) for block in blocks)
    return of_x + of_y - 2 * between


@pytest.mark.parametrize("discrepancy", [energy_distance, multiquadratic_mmd])
@pytest.mark.slow
def test_a_mixture_learns_the_proportions_of_clusters(discrepancy: Any) -> None:
    shares, centres = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([[-3.0, 0.0], [2.0, 3.0], [3.0, -3.0]])
    labels = torch.multinomial(shares, 4000, replacement=True, generator=generator())
    data = centres[labels] + 0.5 * torch.randn(4000, 2, generator=generator(1))
    data = (data - data.mean(0)) / data.std(0)

    torch.manual_seed(0)
    prior = Mixture(2, components=3)
    prior.means.data = torch.stack([data[labels == k][0] for k in range(3)])  # one draw of each cluster
    torch.testing.assert_close(prior.components.weights, torch.full((3,), 1 / 3))
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    learned = torch.zeros(3)
    for step in range(200):
        loss = discrepancy(prior.sample(192), data[torch.randint(4000, (192,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        learned += prior.components.weights.detach() / 50 if step >= 150 else 0

    torch.testing.assert_close(learned, shares, rtol=0, atol=0.05)
    assert (prior.components.assign(data).argmax(1) == labels).float().mean() > 0.99
