"""Metrics of structure kept: closed forms, invariances and agreement with scikit-learn, SciPy and POT."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Metric, Missing, Samples, Specimen
from otae.testing import MetricSuite
from otae_metrics import Distortion, Gromov, Neighbourhood, Triplets
from otae_metrics.distortion import best_scale, correlation
from otae_metrics.gromov import compare
from otae_metrics.pairs import matched, pair_interval
from otae_metrics.subset import subset
from otae_metrics.triplets import draw_triplets

LENGTHS = st.floats(0, 5, width=32, allow_subnormal=False)


class TestDistortion(MetricSuite):
    plugin = Distortion
    perfect = {
        "correlation": 1.0,
        "distortion": 0.0,
        "scale": 1.0,
        "generation_correlation": 1.0,
        "generation_distortion": 0.0,
        "generation_scale": 1.0,
    }


class TestTriplets(MetricSuite):
    plugin, options = Triplets, {"triplets": 1_000}
    perfect = {"agreement": 1.0, "generation_agreement": 1.0}


class TestNeighbourhood(MetricSuite):
    plugin = Neighbourhood
    perfect = {"trustworthiness": 1.0, "continuity": 1.0, "preserved": 1.0}


class TestGromov(MetricSuite):
    plugin, options = Gromov, {"limit": 60}
    perfect = {"solved": 0.0, "coupled": 0.0, "gap": 0.0, "scale": 1.0, "generation_gap": 0.0, "generation_scale": 1.0}


def draws(count: int, size: int, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def specimen(data: Tensor, codes: Tensor) -> Specimen:
    known = Samples(data=data, codes=codes)
    return Specimen(data=data, codes=codes, reconstructions=data, generations=data, prior=codes, train=known)


def similar(codes: Tensor) -> Tensor:
    """Returns points whose distances are those of codes, but for one scale."""
    return 7 * codes @ torch.linalg.qr(draws(codes.shape[1], codes.shape[1], 1)).Q + 2


@pytest.mark.parametrize(
    ("metric", "known"),
    [
        (Distortion(), {"correlation": 1, "distortion": 0, "scale": 7}),
        (Triplets(triplets=1_000), {"agreement": 1}),
        (Neighbourhood(5), {"trustworthiness": 1, "continuity": 1, "preserved": 1}),
        (Gromov(), {"solved": 0, "coupled": 0, "gap": 0, "scale": 7}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_similar_clouds_keep_everything(metric: Metric, known: dict[str, float]) -> None:
    codes = draws(40, 3)
    found: Any = metric(specimen(similar(codes), codes))
    assert {name: found[name] for name in known} == pytest.approx(known, abs=1e-9)
    assert {name: found[name].high for name in known if name not in ("scale", "generation_scale")} == pytest.approx(
        {name: value for name, value in known.items() if name != "scale"}, abs=1e-6
    )


@pytest.mark.parametrize(
    ("metric", "name", "known", "error"),
    [
        (Distortion(), "correlation", 0, 0.05),
        (Triplets(limit=400), "agreement", 0.5, 0.02),
        (Neighbourhood(), "trustworthiness", 0.5, 0.02),
        (Neighbourhood(), "preserved", 10 / 399, 0.01),
    ],
    ids=lambda each: str(each) if isinstance(each, str) else "",
)
def test_independent_clouds_keep_what_chance_keeps(metric: Metric, name: str, known: float, error: float) -> None:
    found = metric(specimen(draws(400, 5), draws(400, 5, 1)))[name]
    assert isinstance(found, Estimate)
    assert found == pytest.approx(known, abs=error)
    assert found.low - 0.02 < known < found.high + 0.02


def test_the_distortion_of_three_points_is_known() -> None:
    codes, data = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[0.0], [2.0], [4.0]])
    found = Distortion()(specimen(data, codes))  # distances 1, 3, 2 and 2, 4, 2: the best scale is 4/3
    assert found["distortion"] == pytest.approx((2 / 3 + 0 + 2 / 3) / 8)
    assert found["scale"] == pytest.approx(4 / 3)
    assert found["correlation"] == pytest.approx(np.corrcoef([1, 3, 2], [2, 4, 2])[0, 1])


def test_a_distortion_without_distances_is_left_out_with_the_reason() -> None:
    one, equal = draws(1, 3), torch.ones(9, 4)
    with pytest.raises(NotApplicableError, match="two samples"):
        Distortion()(specimen(one, one))
    found = Distortion()(specimen(equal, draws(9, 2)))
    assert found["correlation"] == found["generation_correlation"] == 0
    assert found["distortion"] == Missing("All samples coincide: there is no distance to keep.")


@given(st.lists(st.tuples(LENGTHS, LENGTHS), min_size=1, max_size=12), st.floats(0, 10))
def test_no_scale_is_better_than_the_best_one(pairs: list[tuple[float, float]], other: float) -> None:
    x, y = torch.tensor(pairs, dtype=torch.float64).T
    chosen = best_scale(x, y)
    assert (chosen * x - y).abs().sum() <= (other * x - y).abs().sum() + 1e-9


def test_the_correlation_agrees_with_numpy() -> None:
    x, y = draws(200, 2).T + 5
    assert correlation(x, x + y) == pytest.approx(np.corrcoef(x, x + y)[0, 1])
    assert correlation(x, torch.full_like(x, 0.1)) == 0


def test_the_interval_of_a_mean_over_pairs_is_as_wide_as_the_figure_spreads() -> None:
    def distance(points: Tensor) -> float:
        return float(torch.pdist(points).mean())

    spread = np.std([distance(draws(60, 2, seed)) for seed in range(300)])
    points = draws(60, 2, 1000)
    found = pair_interval(distance(points), lambda means: means[:, 0], [torch.cdist(points, points)], seed=0)
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.35)
    assert found.low < distance(points) < found.high


def test_the_agreement_of_all_triplets_of_four_points_is_known() -> None:
    data, codes = torch.tensor([[0.0], [1.0], [3.0], [7.0]]), torch.tensor([[0.0], [1.0], [3.0], [4.0]])

    def order(points: Tensor, i: int, j: int, k: int) -> float:
        return float((abs(points[i] - points[k]) - abs(points[i] - points[j])).sign())

    known = np.mean([(1 + order(data, *each) * order(codes, *each)) / 2 for each in permutations(range(4), 3)])
    assert known < 1
    assert Triplets(triplets=50_000)(specimen(data, codes))["agreement"] == pytest.approx(known, abs=0.01)


def test_a_triplet_is_of_three_different_samples_each_as_likely() -> None:
    i, j, k = draw_triplets(4, 24_000, torch.Generator().manual_seed(0))
    counts = torch.bincount((i * 4 + j) * 4 + k, minlength=64).reshape(4, 4, 4)
    different = torch.tensor([[[len({a, b, c}) == 3 for c in range(4)] for b in range(4)] for a in range(4)])
    assert (counts[~different] == 0).all()
    assert counts[different].double().std() < 100
    assert counts[different].min() > 850


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**20), st.floats(0.2, 3))
def test_growing_functions_of_distances_keep_their_order(seed: int, power: float) -> None:
    data = draws(12, 1, seed).abs().cumsum(0)
    codes = 3 * data - 5
    assert Triplets(triplets=200)(specimen(data, codes))["agreement"] == 1
    assert Triplets(triplets=200)(specimen(data * power, codes))["agreement"] == 1


def test_triplets_without_an_order_are_left_out() -> None:
    assert isinstance(Triplets()(specimen(draws(9, 2), torch.ones(9, 2)))["agreement"], Missing)
    with pytest.raises(NotApplicableError, match="three samples"):
        Triplets()(specimen(draws(2, 2), draws(2, 2)))


@pytest.mark.parametrize("neighbours", [1, 5, 20])
def test_trustworthiness_and_continuity_are_those_of_scikit_learn(neighbours: int) -> None:
    data = draws(120, 6)
    codes = data[:, :2] + 0.1 * draws(120, 2, 1)
    found = Neighbourhood(neighbours)(specimen(data, codes))
    assert found["trustworthiness"] == pytest.approx(trustworthiness(data, codes, n_neighbors=neighbours))
    assert found["continuity"] == pytest.approx(trustworthiness(codes, data, n_neighbors=neighbours))


def test_neighbours_preserved_are_those_that_scikit_learn_finds() -> None:
    data = draws(100, 4)
    codes = data[:, :2]
    near = [
        NearestNeighbors(n_neighbors=7).fit(x).kneighbors(return_distance=False) for x in (data.numpy(), codes.numpy())
    ]
    known = np.mean([len({*a} & {*b}) / 7 for a, b in zip(*near, strict=True)])
    assert Neighbourhood(7)(specimen(data, codes))["preserved"] == pytest.approx(known)


def test_a_fold_loses_trust_and_a_tear_loses_continuity() -> None:
    line = torch.rand(81, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    folded = Neighbourhood(5)(specimen(line, line.abs() + 1e-3 * line))
    torn = Neighbourhood(5)(specimen(line, line + 5 * (line > 0)))
    assert folded["trustworthiness"] < 0.9
    assert folded["continuity"] > 0.95
    bent = Neighbourhood(5)(specimen(line.abs() + 1e-3 * line, line))
    assert bent["continuity"] == pytest.approx(folded["trustworthiness"])
    assert torn["trustworthiness"] > 0.99


def test_too_few_samples_for_the_neighbours_are_refused() -> None:
    with pytest.raises(NotApplicableError, match="more than 20 samples, and there are 20"):
        Neighbourhood()(specimen(draws(20, 2), draws(20, 2)))


def shuffled(codes: Tensor) -> Tensor:
    return codes[torch.randperm(len(codes), generator=torch.Generator().manual_seed(0))]


def test_the_gap_of_shuffled_codes_is_all_that_they_distort() -> None:
    codes = draws(25, 2) * torch.tensor([1.0, 3.0])
    found = Gromov()(specimen(similar(codes), shuffled(codes)))
    assert found["solved"] == pytest.approx(0, abs=1e-6)
    assert found["gap"] == pytest.approx(found["coupled"])  # type: ignore[arg-type]
    assert found["coupled"] > 0.3  # type: ignore[operator]


def test_the_solution_is_no_worse_than_that_of_pot_and_than_all_pairings_of_a_few() -> None:
    x, z = (torch.cdist(cloud, cloud) for cloud in (draws(6, 3), draws(6, 2, 1)))
    found = compare(x, z, starts=30, seed=0)
    a, b = (distances / distances.square().mean().sqrt() for distances in (x, z))
    pairings = [float((a - b[list(order)][:, list(order)]).square().mean()) for order in permutations(range(6))]
    weights = np.full(6, 1 / 6)
    known = ot.gromov_wasserstein2(a.numpy(), b.numpy(), weights, weights, "square_loss")
    assert found.coupled == pytest.approx(pairings[0])
    assert found.solved <= min(known, found.coupled) + 1e-9
    assert found.solved <= min(pairings) + 0.02


def test_the_distortion_of_two_triangles_is_known() -> None:
    equilateral = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]]).double()
    line = torch.tensor([[0.0], [1.0], [2.0]]).double()
    found = Gromov()(specimen(equilateral, line))
    x, z = 1 / (2 / 3) ** 0.5, np.array([1, 1, 2]) / (12 / 9) ** 0.5  # roots of the mean squares, the diagonal included
    assert found["coupled"] == pytest.approx(2 * np.square(x - z).sum() / 9)
    assert found["scale"] == pytest.approx((2 / 3) ** 0.5 / (12 / 9) ** 0.5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20), st.floats(0.1, 10))
def test_a_gap_is_never_negative_and_has_no_units(seed: int, scale: float) -> None:
    x, z = (torch.cdist(cloud, cloud) for cloud in (draws(8, 3, seed), draws(8, 2, seed + 1)))
    found, other = compare(x, z, 0, 0), compare(scale * x, z, 0, 0)
    assert 0 <= found.gap <= found.coupled
    assert other.coupled == pytest.approx(found.coupled)
    assert other.scale == pytest.approx(scale * found.scale)


def test_samples_that_coincide_have_no_gromov_wasserstein_distance() -> None:
    assert isinstance(Gromov()(specimen(draws(9, 2), torch.ones(9, 2)))["gap"], Missing)
    with pytest.raises(NotApplicableError, match="three samples"):
        Gromov()(specimen(draws(2, 2), draws(2, 2)))


def test_matched_codes_and_samples_stay_together_whatever_their_order() -> None:
    codes = draws(50, 2)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    x, y = matched(codes, 2 * codes, 50, seed=0)
    others = matched(codes[order], 2 * codes[order], 50, seed=0)
    assert torch.equal(y, 2 * x)
    assert torch.equal(others[0], x)
    assert len(matched(codes, codes, 20, seed=0)[0]) == 20


def test_a_subset_is_drawn_by_seed_without_replacement() -> None:
    cloud = draws(100, 2)
    chosen = subset(cloud, 30, seed=5)
    assert len(chosen.unique()) == 30
    assert torch.equal(chosen, subset(cloud, 30, seed=5))
    assert not torch.equal(chosen, subset(cloud, 30, seed=6))
    assert torch.equal(subset(cloud, 100, seed=5), torch.arange(100))
