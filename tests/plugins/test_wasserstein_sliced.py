"""The sliced Wasserstein costs: the coupling on the line, lines shared by all samples, closed forms and POT's values."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance
from torch import Tensor

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae.reductions import load_library
from otae_wasserstein import GeneralizedSliced, MaxSliced, Sliced
from otae_wasserstein.sliced.directions import random_directions
from otae_wasserstein.sliced.line import Line, line_costs


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses(count: int, seed: int = 0) -> Tensor:
    weights = 0.2 + torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return weights / weights.sum()


def seeded(cost: Any, source: Any, target: Any, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return cost(source, target)


@pytest.mark.parametrize("weighted", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize(("n", "m"), [(6, 6), (6, 4), (1, 5), (7, 1)])
def test_costs_on_the_line_are_those_of_scipy(n: int, m: int, weighted: tuple[bool, bool]) -> None:
    x, y = draws(3, n), draws(3, m, seed=1)
    a, b = masses(n) if weighted[0] else None, masses(m, seed=1) if weighted[1] else None
    truth = [wasserstein_distance(x[k], y[k], a, b) for k in range(3)]
    assert line_costs(Line(x, a), Line(y, b), 1.0).tolist() == pytest.approx(truth, rel=1e-12)


@given(n=st.integers(1, 9), m=st.integers(1, 9), p=st.sampled_from([1.0, 1.5, 2.0, 3.0]))
def test_even_masses_are_no_masses(n: int, m: int, p: float) -> None:
    x, y = draws(2, n), draws(2, m, seed=1)
    even = line_costs(Line(x, torch.full((n,), 1 / n)), Line(y, torch.full((m,), 1 / m)), p)
    torch.testing.assert_close(line_costs(Line(x), Line(y), p), even, rtol=1e-6, atol=1e-7)
    repeated = line_costs(Line(x.repeat_interleave(m, 1)), Line(y.repeat_interleave(n, 1)), p)
    torch.testing.assert_close(line_costs(Line(x), Line(y), p), repeated)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
def test_gradients_on_the_line_are_right_in_points_and_masses(p: float) -> None:
    inputs = [each.requires_grad_() for each in (draws(2, 4), masses(4), draws(2, 3, seed=1), masses(3, seed=1))]

    def cost(x: Tensor, a: Tensor, y: Tensor, b: Tensor) -> Tensor:
        return line_costs(Line(x, a / a.sum()), Line(y, b / b.sum()), p)

    assert torch.autograd.gradcheck(cost, inputs)
    assert torch.autograd.gradcheck(lambda x, y: line_costs(Line(x), Line(y), p), [inputs[0], inputs[2]])


def test_torch_sorts_as_numpy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draws(5, 40), draws(5, 30, seed=1)
    by_numpy = line_costs(Line(x), Line(y), 2.0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    torch.testing.assert_close(line_costs(Line(x), Line(y), 2.0), by_numpy, rtol=0, atol=0)


def test_many_small_masses_keep_their_sum_in_single_precision() -> None:
    weights = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    x = torch.randn(1, 100_000, generator=torch.Generator().manual_seed(1))
    a = weights / weights.sum()
    found = line_costs(Line(x, a), Line(x + 1), 2.0).double()
    truth = line_costs(Line(x.double(), a.double() / a.double().sum()), Line(x.double() + 1), 2.0)
    torch.testing.assert_close(found, truth, rtol=1e-5, atol=0)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_pot_finds_the_same_on_the_same_lines(weighted: bool, p: float) -> None:
    ot = load_library("ot")
    x, y = draws(9, 3), 2 * draws(7, 3, seed=1) + 1
    a, b = (masses(9), masses(7, seed=1)) if weighted else (None, None)
    torch.manual_seed(0)
    lines = random_directions(3, 20, x)
    theirs = ot.sliced_wasserstein_distance(x, y, a, b, projections=lines, p=p) ** p
    torch.testing.assert_close(seeded(Sliced(20, p), Cloud(x, a), Cloud(y, b)), theirs, rtol=1e-9, atol=0)


def test_directions_are_shared_by_all_samples() -> None:
    """One direction for each sample would make the clouds look alike: a known defect, 0.01 instead of 9."""
    x, y = draws(4000, 2) + torch.tensor([3.0, 0.0]), draws(4000, 2, seed=1) + torch.tensor([0.0, 3.0])
    assert seeded(Sliced(500), x, y).item() == pytest.approx(9, rel=0.15)


@pytest.mark.parametrize("orthogonal", [False, True])
def test_a_translation_costs_its_share_on_every_line(orthogonal: bool) -> None:
    x, shift = draws(8, 4), torch.tensor([1.0, 2.0, 0.0, 2.0])
    found = seeded(Sliced(4000, orthogonal=orthogonal), x, x + shift).item()
    assert found == pytest.approx(9 / 4, rel=1e-9 if orthogonal else 0.1), "|shift|² / D"


@pytest.mark.parametrize(("dimension", "count"), [(3, 7), (5, 5), (4, 2)])
def test_orthogonal_directions_are_orthogonal_in_turn(dimension: int, count: int) -> None:
    lines = random_directions(dimension, count, draws(1), orthogonal=True)
    assert lines.shape == (dimension, count)
    for block in torch.split(lines, dimension, dim=1):
        torch.testing.assert_close(block.T @ block, torch.eye(block.shape[1], dtype=torch.float64))


@given(seed=st.integers(0, 99), factor=st.floats(0.1, 10), p=st.sampled_from([1.0, 2.0]))
@pytest.mark.slow
def test_sliced_costs_follow_the_laws_of_a_distance(seed: int, factor: float, p: float) -> None:
    x, y, order = draws(6, 3, seed=seed), draws(6, 3, seed=seed + 100), torch.tensor([3, 1, 4, 0, 5, 2])
    cost = Sliced(16, p)
    value = seeded(cost, x, y)
    assert value > 0
    torch.testing.assert_close(seeded(cost, y, x), value)
    torch.testing.assert_close(seeded(cost, x[order], y), value)
    torch.testing.assert_close(seeded(cost, factor * x + 1, factor * y + 1), factor**p * value)
    assert seeded(cost, x, x[order]).item() == pytest.approx(0, abs=1e-20)


def test_gradients_of_the_second_order_are_right() -> None:
    inputs = (draws(4, 2).requires_grad_(), draws(3, 2, seed=1).requires_grad_())
    assert torch.autograd.gradgradcheck(lambda x, y: seeded(Sliced(5), x, y), inputs)


def test_the_best_direction_is_that_of_a_translation() -> None:
    x = draws(30, 5)
    assert MaxSliced()(x, x + torch.tensor([0.0, 3.0, 0.0, 4.0, 0.0])).item() == pytest.approx(25, rel=1e-9)


def test_the_best_direction_is_where_two_variances_differ_most() -> None:
    x = draws(500, 3) * torch.tensor([1.0, 1.0, 3.0])
    y = x * torch.tensor([1.0, 1.0, 2.0])
    part = MaxSliced()
    torch.manual_seed(0)
    assert part(x, y).item() == pytest.approx(x[:, 2].square().mean().item(), rel=1e-2)
    assert part.direction(Cloud(x), Cloud(y))[2].abs().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_ascent_finds_at_least_what_many_random_directions_do(p: float) -> None:
    ot = load_library("ot")
    x, y, a, b = draws(9, 3), 2 * draws(7, 3, seed=1) + 1, masses(9), masses(7, seed=1)
    best = ot.max_sliced_wasserstein_distance(x, y, a, b, n_projections=5000, seed=0, p=p).item() ** p
    found = seeded(MaxSliced(steps=60, p=p), Cloud(x, a), Cloud(y, b)).item()
    assert best * (1 - 1e-4) <= found <= 1.01 * best


@given(seed=st.integers(0, 20))
def test_more_steps_never_find_less(seed: int) -> None:
    x, y = draws(8, 4, seed=seed), draws(8, 4, seed=seed + 100)
    values = [seeded(MaxSliced(starts=2, steps=steps), x, y).item() for steps in (0, 3, 10)]
    assert values == sorted(values)
    assert values[0] >= (x.mean(0) - y.mean(0)).square().sum().item()


def test_circles_are_their_formula() -> None:
    x, y = draws(6, 3), draws(4, 3, seed=1)
    torch.manual_seed(0)
    centres = 1.5 * torch.nn.functional.normalize(torch.randn(8, 3, dtype=torch.float64), dim=1)
    truth = line_costs(Line(torch.cdist(centres, x)), Line(torch.cdist(centres, y)), 2.0).mean()
    torch.testing.assert_close(seeded(GeneralizedSliced(projections=8, radius=1.5), x, y), truth)


@pytest.mark.parametrize("degree", [1, 3, 5])
def test_polynomials_are_their_formula(degree: int) -> None:
    x, y = draws(6, 2), draws(4, 2, seed=1)
    terms = list(combinations_with_replacement(range(2), degree))
    torch.manual_seed(0)
    factors = torch.nn.functional.normalize(torch.randn(8, len(terms), dtype=torch.float64), dim=1)

    def slices(points: Tensor) -> Line:
        return Line(factors @ torch.stack([points[:, list(term)].prod(1) for term in terms]))

    truth = line_costs(slices(x), slices(y), 2.0).mean()
    torch.testing.assert_close(seeded(GeneralizedSliced("polynomial", 8, degree=degree), x, y), truth)


def test_circles_about_far_points_are_planes() -> None:
    x, y = draws(8, 3), draws(8, 3, seed=1)
    far = seeded(GeneralizedSliced(radius=1e4, projections=4000), x, y).item()
    assert far == pytest.approx(seeded(Sliced(4000), x, y).item(), rel=0.1)


def test_even_degrees_and_endless_polynomials_are_refused() -> None:
    with pytest.raises(ConfigError, match="even degree 2"):
        GeneralizedSliced("polynomial", degree=2)
    with pytest.raises(CloudError, match="choose defining='circular'"):
        GeneralizedSliced("polynomial", degree=5)(torch.zeros(2, 64), torch.zeros(2, 64))


COSTS = [Sliced(), Sliced(p=1.0), MaxSliced(steps=5), GeneralizedSliced(), GeneralizedSliced("polynomial")]


@pytest.mark.parametrize("cost", COSTS, ids=str)
def test_equal_clouds_are_at_no_distance(cost: Any) -> None:
    x = draws(7, 3).requires_grad_()
    value = cost(x, x.detach()[torch.tensor([4, 2, 6, 0, 1, 3, 5])])
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert torch.autograd.grad(value, x)[0].isfinite().all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("cost", COSTS, ids=str)
def test_duplicates_and_scales_are_finite_in_single_precision(cost: Any, scale: float) -> None:
    x, y = torch.full((5, 4), scale, requires_grad=True), (scale * draws(7, 4)).float()
    value = cost(x, y)
    value.backward()
    assert value.isfinite()
    assert value > 0
    assert x.grad.isfinite().all()


def test_clouds_far_from_the_origin_lose_nothing() -> None:
    x, y = ((1000 + 0.001 * points).float() for points in (draws(50, 1), draws(50, 1, seed=1) + 1))
    truth = Sliced()(x.double(), y.double())  # in one dimension all directions are one
    torch.testing.assert_close(Sliced()(x, y).double(), truth, rtol=1e-5, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype: torch.dtype) -> None:
    x, y = draws(2000, 3).to(dtype), (draws(1500, 3, seed=1) + 1).to(dtype)
    value = seeded(Sliced(), x, y)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, seeded(Sliced(), x.float(), y.float()))
