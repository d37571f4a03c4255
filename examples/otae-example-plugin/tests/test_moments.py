"""The cost of two moments: the rules of costs, and clouds whose moments are known."""

from __future__ import annotations

from typing import ClassVar

import otae
import pytest
import torch
from otae.errors import ConfigError
from otae.testing import CostSuite
from torch import Tensor

from otae_example_plugin import Moments


class TestMoments(CostSuite):
    plugin = Moments
    counts_multiplicity = True


class TestMomentsOfJointClouds(CostSuite):
    plugin = Moments
    given: ClassVar = {"shapes": ((1, 2, 2), (3,))}
    counts_multiplicity = True


class TestMeans(CostSuite):
    plugin = Moments
    options: ClassVar = {"covariance": 0.0}
    counts_multiplicity = True


def draws(count: int = 50, size: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_entry_point_offers_it() -> None:
    assert otae.costs.get("moments") is Moments


def test_a_cloud_costs_nothing_against_itself() -> None:
    assert Moments()(draws(), draws()).item() == 0


def test_it_is_symmetric() -> None:
    x, y = draws(), 2 * draws(40, seed=1) + 1
    torch.testing.assert_close(Moments()(x, y), Moments()(y, x))


@pytest.mark.parametrize("covariance", [0.0, 1.0, 7.0])
def test_a_shift_costs_its_squared_length(covariance: float) -> None:
    shift = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)
    assert Moments(covariance)(draws(), draws() + shift).item() == pytest.approx(9)


@pytest.mark.parametrize("factor", [0.0, 0.5, 3.0])
def test_a_scaling_costs_its_change_of_the_covariance(factor: float) -> None:
    x = draws()
    x = x - x.mean(0)
    norm = (x.T @ x / len(x)).square().sum().item()
    assert Moments(covariance=2.0)(x, factor * x).item() == pytest.approx(2 * (1 - factor**2) ** 2 * norm)


def test_a_rotation_of_both_clouds_changes_nothing() -> None:
    x, y = draws(), 2 * draws(40, seed=1) + 1
    rotation = torch.linalg.qr(draws(3, 3, seed=2)).Q
    torch.testing.assert_close(Moments()(x @ rotation, y @ rotation), Moments()(x, y))


def test_a_joint_cloud_counts_how_its_members_depend_on_each_other() -> None:
    x = draws(2000, 1)
    independent, same = [x, draws(2000, 1, seed=1)], [x, x]
    assert Moments()(independent, same).item() == pytest.approx(2, rel=0.1)  # the two covariances, from 0 to 1


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="covariance"):
        otae.costs.create("moments", covariance=-1.0)
