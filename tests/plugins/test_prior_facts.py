"""The facts of the fixed and fitted priors: volumes, tails, proportions, arcs, and densities found again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from sklearn import mixture
from torch import Generator, Tensor

from otae.errors import CloudError
from otae.interfaces import Prior
from otae_priors import Dirichlet, Empirical, Flow, Gaussian, Ring, Sphere, StudentT
from otae_priors.gamma import gamma
from otae_priors.multivariate_t import MultivariateT

MANY = 40_000


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def double(part: Prior) -> Any:
    return part.double().eval()


def blobs(count: int = 1500, seed: int = 0) -> Tensor:
    """Returns codes in two clusters, of which the first holds three quarters."""
    first = torch.arange(count) % 4 > 0
    noise = torch.randn(count, 2, generator=generator(seed), dtype=torch.float64)
    return torch.where(first[:, None], noise + 5, 0.5 * noise - 5)


@pytest.mark.parametrize("latent_dim", [1, 2, 7, 64])
@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
def test_a_ring_has_unit_variance_and_the_density_of_its_volume(latent_dim: int, ratio: float) -> None:
    part = double(Ring(latent_dim, ratio))
    z = part.sample(MANY, generator())
    torch.testing.assert_close(part.law.variance, torch.ones(latent_dim).double())
    torch.testing.assert_close(z.var(0), torch.ones(latent_dim).double(), rtol=0.05, atol=0)
    ball = math.pi ** (latent_dim / 2) / math.gamma(latent_dim / 2 + 1)
    volume = ball * part.outer**latent_dim * (1 - ratio**latent_dim)
    torch.testing.assert_close(part.law.log_prob(z), torch.full((MANY,), -math.log(volume)).double())
    assert part.law.entropy().item() == pytest.approx(math.log(volume))


def test_a_rings_draws_fill_equal_volumes_equally() -> None:
    part = double(Ring(3, ratio=0.4, outer=2.0))
    radii = part.sample(MANY, generator()).norm(dim=1)
    shares = (radii**3 - 0.8**3) / (2**3 - 0.8**3)
    assert stats.kstest(shares.numpy(), "uniform").pvalue > 1e-4


def test_a_ring_has_no_mass_in_its_hole_or_outside() -> None:
    law = double(Ring(2, ratio=0.5, outer=2.0)).law
    told = law.log_prob(torch.tensor([[0.0, 0.9], [0.0, 1.5], [2.1, 0.0]]).double())
    assert told.isinf().tolist() == [True, False, True]


@pytest.mark.parametrize("part", [Ring(4, ratio=0.6, outer=2.0), Sphere(4, radius=2.0)], ids=["ring", "sphere"])
def test_ways_on_round_priors_stay_where_they_have_mass(part: Prior) -> None:
    part = double(part)
    a, b = part.sample(200, generator()), part.sample(200, generator(1))
    radii = part.interpolate(a, b, torch.linspace(0, 1, 21).double()).norm(dim=2)
    low, high = torch.minimum(a.norm(dim=1), b.norm(dim=1)), torch.maximum(a.norm(dim=1), b.norm(dim=1))
    assert (radii >= low[:, None] - 1e-9).all()
    assert (radii <= high[:, None] + 1e-9).all()


def test_a_way_on_a_sphere_is_a_great_circle_at_an_even_pace() -> None:
    part = double(Sphere(3, radius=1.0))
    a, b = torch.eye(3).double()[:1], torch.eye(3).double()[1:2]
    way = part.interpolate(a, b, torch.tensor([0.0, 1 / 3, 1.0]).double())[0]
    torch.testing.assert_close(way[1], torch.tensor([math.cos(math.pi / 6), 0.5, 0.0]).double())


@pytest.mark.parametrize("b", [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1e-12, 0.0]], ids=["opposite", "same", "near"])
def test_ways_between_special_codes_stay_on_the_sphere(b: list[float]) -> None:
    end = torch.tensor([b]).double()
    way = double(Sphere(3, radius=1.0)).interpolate(torch.eye(3).double()[:1], end, torch.linspace(0, 1, 7).double())
    torch.testing.assert_close(way.norm(dim=2), torch.ones(1, 7).double())
    torch.testing.assert_close(way[:, -1], end)


@pytest.mark.parametrize("part", [Gaussian(3), StudentT(3), Dirichlet(3)], ids=["gaussian", "student-t", "dirichlet"])
def test_ways_elsewhere_are_straight(part: Prior) -> None:
    part = double(part)
    a, b = part.sample(5, generator()), part.sample(5, generator(1))
    torch.testing.assert_close(part.interpolate(a, b, torch.tensor([0.25]).double())[:, 0], 0.75 * a + 0.25 * b)


@pytest.mark.parametrize("df", [0.5, 1.0, 3.0, 30.0])
def test_the_student_density_is_that_of_scipy(df: float) -> None:
    part = double(StudentT(3, df=df))
    z = 3 * torch.randn(50, 3, generator=generator()).double()
    expected = stats.multivariate_t(np.zeros(3), part.scale**2 * np.eye(3), df).logpdf(z.numpy())
    np.testing.assert_allclose(part.law.log_prob(z).numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("df", [2.5, 5.0, 100.0])
def test_a_student_prior_has_unit_variance_where_there_is_one(df: float) -> None:
    torch.testing.assert_close(StudentT(4, df=df).law.variance, torch.ones(4))


@pytest.mark.parametrize(("df", "mean", "variance"), [(0.8, "nan", "nan"), (1.5, "0.0", "inf"), (2.0, "0.0", "inf")])
def test_a_student_law_tells_which_moments_are_missing(df: float, mean: str, variance: str) -> None:
    law = StudentT(1, df=df).law
    assert (str(law.mean.item()), str(law.variance.item())) == (mean, variance)


@pytest.mark.parametrize("df", [1.0, 5.0])
def test_squared_radii_of_student_draws_follow_fishers_law(df: float) -> None:
    part = double(StudentT(3, df=df))
    ratio = part.sample(MANY, generator()).square().sum(1) / 3 / part.scale**2
    assert stats.kstest(ratio.numpy(), stats.f(3, df).cdf).pvalue > 1e-4


def test_the_student_law_in_one_dimension_is_that_of_torch() -> None:
    z = torch.linspace(-4, 4, 9).double()
    ours = MultivariateT(torch.zeros(1).double(), 4.0, 0.7).log_prob(z[:, None])
    torch.testing.assert_close(ours, torch.distributions.StudentT(4.0, 0.0, 0.7).log_prob(z))


@pytest.mark.parametrize("concentration", [0.01, 0.3, 1.0, 20.0])
def test_dirichlet_draws_are_proportions_with_the_moments_of_the_law(concentration: float) -> None:
    z = double(Dirichlet(4, concentration)).sample(MANY, generator())
    law = torch.distributions.Dirichlet(torch.full((4,), concentration).double())
    torch.testing.assert_close(z.sum(1), torch.ones(MANY).double())
    assert (z >= 0).all()
    torch.testing.assert_close(z.mean(0), law.mean, rtol=0, atol=6 * 0.45 / MANY**0.5)
    torch.testing.assert_close(z.var(0), law.variance, rtol=0.05, atol=0)


def test_the_marginals_of_a_dirichlet_prior_are_beta_laws() -> None:
    z = double(Dirichlet(5, 0.7)).sample(MANY, generator())
    assert stats.kstest(z[:, 0].numpy(), stats.beta(0.7, 4 * 0.7).cdf).pvalue > 1e-4


def test_tiny_concentrations_stay_finite_in_single_precision() -> None:
    z = Dirichlet(8, 1e-3).sample(5000, generator())
    assert z.isfinite().all()
    torch.testing.assert_close(z.sum(1), torch.ones(5000))


def test_a_dirichlet_prior_has_no_density_over_vectors() -> None:
    assert Dirichlet(3).law is None


def test_gamma_noise_is_gamma_and_differentiable() -> None:
    shape = torch.full((MANY,), 2.5, dtype=torch.float64, requires_grad=True)
    draws = gamma(shape, generator())
    assert stats.kstest(draws.detach().numpy(), stats.gamma(2.5).cdf).pvalue > 1e-4
    (slope,) = torch.autograd.grad(draws.mean(), shape)
    assert slope.sum().item() == pytest.approx(1, abs=0.02)  # the mean of a gamma law is its concentration


def test_the_density_of_a_flow_integrates_to_one() -> None:
    torch.manual_seed(0)
    part = double(Flow(1, width=8))
    with torch.no_grad():
        for parameter in part.flow.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    part.standardize.norm.running_mean += 0.7
    part.standardize.norm.running_var *= 2
    grid = torch.linspace(-12, 12, 20_001).double()
    assert integrate.simpson(part.law.log_prob(grid[:, None]).exp().detach(), x=grid) == pytest.approx(1, abs=1e-3)


def test_a_way_of_a_flow_is_straight_in_its_noise() -> None:
    torch.manual_seed(0)
    part = double(Flow(2, width=8))
    with torch.no_grad():
        noise = torch.randn(2, 5, 2, generator=generator()).double()
        a, b, middle = (part.flow().transform.inv(e) for e in (noise[0], noise[1], noise.mean(0)))
        mean, scale = part._moments()
        way = part.interpolate((a - mean) / scale, (b - mean) / scale, torch.tensor([0.5]).double())
    torch.testing.assert_close(way[:, 0], (middle - mean) / scale, rtol=1e-5, atol=1e-5)


def test_an_empirical_gaussian_has_the_moments_of_the_codes() -> None:
    part, codes = double(Empirical(2, method="gaussian")), blobs()
    part.fit(codes)
    torch.testing.assert_close(part.law.mean, codes.mean(0))
    torch.testing.assert_close(part.sample(MANY, generator()).T.cov(), codes.T.cov(), rtol=0.05, atol=0.05)
    assert part.components is None


def test_an_empirical_mixture_is_scikit_learns_and_finds_the_clusters() -> None:
    part, codes = double(Empirical(2, components=2)), blobs()
    part.fit(codes)
    theirs = mixture.GaussianMixture(2, max_iter=500, random_state=0).fit(codes.numpy())
    np.testing.assert_allclose(part.law.log_prob(codes), theirs.score_samples(codes.numpy()), rtol=1e-6, atol=1e-8)
    assert part.components is not None
    torch.testing.assert_close(
        part.components.weights.sort().values, torch.tensor([0.25, 0.75]).double(), rtol=0, atol=1e-3
    )
    np.testing.assert_allclose(part.components.assign(codes), theirs.predict_proba(codes.numpy()), atol=1e-6)


def test_an_empirical_prior_by_neighbours_is_an_adaptive_kernel_estimate() -> None:
    part, codes = double(Empirical(2, method="neighbours", neighbours=3)), blobs(200)
    part.fit(codes)
    widths = torch.cdist(codes, codes).sort(1).values[:, 3] / 2**0.5  # the first is the code itself
    z = torch.randn(20, 2, generator=generator()).double() * 5
    each = -torch.cdist(z, codes).square() / (2 * widths**2) - 2 * widths.log() - math.log(2 * math.pi)
    torch.testing.assert_close(part.law.log_prob(z), each.logsumexp(1) - math.log(200))


def test_only_so_many_neighbours_are_kept_as_the_limit_says() -> None:
    part, codes = double(Empirical(2, method="neighbours", limit=50)), blobs(500)
    part.fit(codes)
    assert part.means.shape == (50, 2)
    assert (torch.cdist(part.means, codes).min(1).values < 1e-6).all()
    assert len(part.means.unique(dim=0)) == 50


def test_codes_that_coincide_leave_a_density() -> None:
    for method in ("gaussian", "neighbours"):
        part = double(Empirical(2, method=method))
        part.fit(torch.ones(20, 2).double())
        assert part.law.log_prob(part.sample(10)).isfinite().all()


@pytest.mark.parametrize("method", ["gaussian", "mixture", "neighbours"])
def test_an_empirical_prior_is_standard_normal_until_it_is_fitted(method: Any) -> None:
    part, z = double(Empirical(3, method=method)), torch.randn(7, 3, generator=generator()).double()
    torch.testing.assert_close(part.law.log_prob(z), double(Gaussian(3)).law.log_prob(z))


@pytest.mark.parametrize(("options", "count", "message"), [
    ({"method": "gaussian"}, 1, "at least 2 codes for a covariance, got 1"),
    ({"method": "mixture", "components": 9}, 8, "at least 9 codes for a mixture of 9 components, got 8"),
    ({"method": "neighbours", "neighbours": 5}, 5, "at least 6 codes for the distance to neighbour 5, got 5"),
    ({"method": "neighbours", "neighbours": 5, "limit": 4}, 50, "within the limit, got 4"),
])  # fmt: skip
def test_too_few_codes_are_refused(options: dict[str, Any], count: int, message: str) -> None:
    with pytest.raises(CloudError, match=message):
        Empirical(2, **options).fit(torch.randn(count, 2))
