"""The kernels and ground costs that come with otae, on the suites of their kinds, and strangers' in every cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from naive import points as draws
from torch import Tensor

import otae
from otae.cloud import Cloud
from otae.errors import BackendError, CloudError, ConfigError
from otae.interfaces import Ground, Kernel, Weighted
from otae.reductions import Radial
from otae.testing import GroundSuite, KernelSuite
from otae.transport import Euclidean, HalfSqEuclidean, Limits, SqEuclidean
from otae_mmd import IMQ, MMD, Energy, Gaussian, Laplacian, RandomFeatures, RationalQuadratic
from otae_wasserstein import L1, Bernoulli, Chamfer, Exact, Paired, Sinkhorn


class TestGaussian(KernelSuite):
    plugin = Gaussian


class TestLaplacian(KernelSuite):
    plugin = Laplacian
    options: ClassVar[dict[str, Any]] = {"bandwidth": 2.0, "scales": (0.5, 2.0)}


class TestRationalQuadratic(KernelSuite):
    plugin = RationalQuadratic
    options: ClassVar[dict[str, Any]] = {"alpha": 0.7}


class TestIMQ(KernelSuite):
    plugin = IMQ


class TestEnergy(KernelSuite):
    plugin = Energy


class TestWeighted(KernelSuite):
    plugin = Weighted
    options: ClassVar[dict[str, Any]] = {"kernel": {"name": "gaussian", "bandwidth": 1.5}, "weight": 2.0}


class TestEuclidean(GroundSuite):
    plugin = Euclidean


class TestPower(GroundSuite):
    plugin = Euclidean
    options: ClassVar[dict[str, Any]] = {"power": 1.5}


class TestSqEuclidean(GroundSuite):
    plugin = SqEuclidean
    shape = (2, 3)


class TestHalfSqEuclidean(GroundSuite):
    plugin = HalfSqEuclidean


class TestL1(GroundSuite):
    plugin = L1


class TestBernoulli(GroundSuite):
    plugin = Bernoulli
    unit = True


class TestChamfer(GroundSuite):
    plugin = Chamfer
    shape = (5, 2)


class TestFlatChamfer(GroundSuite):
    plugin = Chamfer
    options: ClassVar[dict[str, Any]] = {"dims": 2}
    shape = (6,)


@dataclass(frozen=True)
class Linear(Kernel):
    """Creates the kernel 1 + <x, y>, which is no function of the distance."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        return 1 + x @ y.T


@dataclass(frozen=True)
class Cauchy(Radial):
    """Creates the kernel 1 / (1 + d²), whose slope is left to autograd."""

    def of(self, squared: Any) -> Any:
        return 1 / (1 + squared)


@dataclass(frozen=True)
class Cubed(Ground):
    """Creates the ground cost Σ|x - y|³: of all pairs at once, and nothing else."""

    scale: float = 1.0

    @property
    def degree(self) -> float:
        """Returns 3."""
        return 3.0

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        return self.scale * (x[:, None] - y).abs().pow(3).sum(2)


@pytest.fixture
def _strangers() -> Iterator[None]:
    otae.kernels.register("linear-kernel", Linear)
    otae.grounds.register("cubed", Cubed)
    yield
    otae.kernels.unregister("linear-kernel")
    otae.grounds.unregister("cubed")


@pytest.mark.usefixtures("_strangers")
def test_a_strangers_kernel_and_ground_are_named_like_any_other() -> None:
    cost = otae.costs.create("mmd", kernel=["linear-kernel", {"name": "gaussian", "bandwidth": 1.0}])
    x, y = draws(6, 3), draws(5, 3, seed=1)
    torch.testing.assert_close(cost(x, y), MMD(Linear())(x, y) + MMD(Gaussian(1.0))(x, y))
    experiment = otae.load_config("wae-mmd", overrides=["objective.reconstruction.cost.ground={name: cubed, scale: 2}"])
    assert experiment.objective["reconstruction"].cost.options["ground"] == {"name": "cubed", "scale": 2.0}
    with pytest.raises(ConfigError, match=r"cost\.ground \(ground 'cubed'\): scael: unknown option"):
        otae.load_config("wae-mmd", overrides=["objective.reconstruction.cost.ground={name: cubed, scael: 2}"])


@pytest.mark.parametrize("estimator", ["unbiased", "biased"])
def test_the_discrepancy_of_a_linear_kernel_is_that_of_the_means(estimator: Any) -> None:
    x, y = draws(6, 3).requires_grad_(), draws(5, 3, seed=1)
    value, truth = MMD(Linear(), estimator)(x, y), (x.mean(0) - y.mean(0)).square().sum()
    if estimator == "unbiased":
        truth = truth - x.var(0).sum() / 6 - y.var(0).sum() / 5
    torch.testing.assert_close(value, truth)
    torch.testing.assert_close(*(torch.autograd.grad(each, x)[0] for each in (value, truth)))
    with pytest.raises(ConfigError, match="no random frequencies"):
        RandomFeatures(Linear())


def test_a_radial_kernel_of_ones_own_takes_the_fast_way() -> None:
    x, y = draws(6, 3).requires_grad_(), draws(5, 3, seed=1)
    values = [MMD(kernel)(x, y) for kernel in (Cauchy(), RationalQuadratic(0.5**0.5))]
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(torch.autograd.grad(value, x)[0] for value in values))


def test_a_kernel_without_a_formula_is_refused_by_keops_by_name() -> None:
    with pytest.raises(BackendError, match=r"Linear\(\) has no formula for KeOps.*'dense'"):
        MMD(Linear(), backend="keops")(draws(6, 3), draws(5, 3, seed=1))


LONG = {"tolerance": 1e-10, "max_iterations": 3000}
OURS: dict[str, tuple[Ground, Ground]] = {
    "l1 on the line": (L1(), Euclidean()),
    "cubed on the line": (Cubed(), Euclidean(3.0)),
    "half": (HalfSqEuclidean(), SqEuclidean()),
}


@pytest.mark.parametrize("held", [True, False], ids=["held", "summed"])
@pytest.mark.parametrize("name", OURS)
def test_any_ground_cost_is_solved_as_the_same_power_of_the_distance(name: str, held: bool) -> None:
    """A block function goes the general way, a power of the distance its own: values, gradients and weights agree."""
    general, special = OURS[name]
    factor = 0.5 if name == "half" else 1.0
    inputs = [
        draws(7, 1),
        draws(6, 1, seed=1) + 0.5,
        draws(7, 1, seed=2)[:, 0].softmax(0),
        draws(6, 1, seed=3)[:, 0].softmax(0),
    ]
    costs: list[Any] = [Exact(general), Exact(special)]
    costs += [Sinkhorn(general, blur=0.5, **LONG), Sinkhorn(special, blur=0.5, **LONG)]
    costs += [Sinkhorn(each, blur=0.5, reach=1.0, **LONG) for each in (general, special)]
    for one, other in zip(costs[::2], costs[1::2], strict=True):
        found = []
        for cost in (one, other):
            cost.limits = cost.limits if held else Limits(held=0)
            leaves = [each.clone().requires_grad_() for each in inputs]
            value = cost(Cloud(leaves[0], leaves[2]), Cloud(leaves[1], leaves[3]))
            found.append([value, *torch.autograd.grad(value, leaves)])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours.detach(), factor * theirs.detach(), rtol=1e-6, atol=1e-8)


def test_the_gradient_of_any_ground_cost_is_that_of_finite_differences() -> None:
    x, y = draws(4, 2).requires_grad_(), draws(3, 2, seed=1).requires_grad_()
    for cost in (Exact(Cubed()), Sinkhorn(L1(), blur=0.5, **LONG), Sinkhorn(Cubed(), blur=0.5, debias=False, **LONG)):
        assert torch.autograd.gradcheck(cost, (x, y), atol=1e-4), cost


def test_a_ground_cost_that_is_not_symmetric_is_not_debiased() -> None:
    x, y = draws(4, 2).sigmoid(), draws(3, 2, seed=1).sigmoid()
    with pytest.raises(ConfigError, match=r"not symmetric.*debias: false"):
        Sinkhorn(Bernoulli())
    plain = Sinkhorn(Bernoulli(), blur=0.01, debias=False, **LONG)
    assert plain.solve(x, y).value.item() == pytest.approx(Exact(Bernoulli())(x, y).item(), rel=1e-3)
    with pytest.raises(ConfigError, match="GeomLoss knows"):
        Sinkhorn(L1(), backend="geomloss")


def test_sets_are_transported_where_their_dimensions_are_told() -> None:
    x, y = draws(4, 6), draws(3, 6, seed=1)
    truth = Exact().solve_matrix(Chamfer()(x.reshape(4, 3, 2), y.reshape(3, 3, 2))).value
    torch.testing.assert_close(Exact(Chamfer(dims=2))(x, y), truth)
    with pytest.raises(CloudError, match="set dims"):
        Exact(Chamfer())(x, y)


OLD = [
    ("exact", {"p": 1}, r"'p' has moved\. Write ground: \{name: euclidean, power: 1\}"),
    ("sinkhorn", {"p": 1}, r"ground: \{name: euclidean, power: 1\}"),
    ("mmd", {"kernel": "gaussian", "bandwidth": 2.0}, r"kernel: \{name: gaussian, bandwidth: 2\.0\}"),
    ("mmd", {"variance": 2.0}, r"kernel: \{name: imq, variance: 2\.0\}"),
    ("random-features", {"scales": [1, 2]}, r"kernel: \{name: imq, scales: \[1, 2\]\}"),
    ("mmd", {"kernel": {"gaussian": 0.5}}, r"kernel: a kernel is a name.*\[\{name: weighted, kernel: gaussian"),
]


@pytest.mark.parametrize(("name", "options", "new"), OLD)
def test_an_old_spelling_shows_the_new_one(name: str, options: dict[str, Any], new: str) -> None:
    with pytest.raises(ConfigError, match=new) as caught:
        otae.costs.create(name, **options)
    assert "\n" not in str(caught.value), "one fault, one line"


def test_old_spellings_in_python_show_the_new_one_too() -> None:
    with pytest.raises(ConfigError, match=r"Exact: the option 'p' has moved\. Write ground"):
        Exact(p=1.0)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"object, such as otae\.transport\.Euclidean\(1\), got 1\.0"):
        Exact(1.0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"an object, such as Gaussian\(1\.0\).*got 'gaussian'"):
        MMD("gaussian")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"an object.*got 'l1'"):
        Paired("l1")  # type: ignore[arg-type]


def test_kernels_add_and_multiply() -> None:
    kernel, x, y = 0.5 * Gaussian(1.0) + IMQ(2.0) * 3, draws(4, 3), draws(5, 3, seed=1)
    torch.testing.assert_close(kernel(x, y), 0.5 * Gaussian(1.0)(x, y) + 3 * IMQ(2.0)(x, y))
    assert repr(0.5 * Energy() + Energy()) == "0.5 * Energy() + Energy()"
    with pytest.raises(ConfigError, match="positive number, got -1"):
        -1 * Energy()


def test_a_resolved_configuration_tells_the_kernel_by_name_and_options() -> None:
    cost = otae.load_config("wae-mmd").objective["match"].cost
    assert cost.options["kernel"] == {"name": "imq", "variance": 1.0, "scales": [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]}
    moved = otae.load_config("wae-mmd", overrides=["objective.match.cost.kernel.variance=4"])
    assert moved.objective["match"].cost.options["kernel"]["variance"] == 4.0
