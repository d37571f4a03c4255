"""The Chamfer distance as a ground cost: its formula, its symmetries, and training on point clouds."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from scipy.spatial import KDTree
from torch import Tensor

import otae
from otae.cloud import Cloud
from otae.errors import CloudError
from otae.testing import CostSuite
from otae_wasserstein import Chamfer, Paired


class TestChamfer(CostSuite):
    plugin = Paired
    given: ClassVar = {"shapes": ((3, 2),)}
    options: ClassVar = {"ground": "chamfer"}
    vanishes = True
    moves_freely = True
    degree = 2.0
    counts_multiplicity = True

    def test_joint_clouds_are_clouds(self) -> None:
        source, target = ([points[:, :1], points[:, 1:]] for points in self.points())
        with pytest.raises(CloudError, match=r"compares sets.*\(6, 6\)"):
            self.seeded_call(self.build(), source, target)


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_chamfer_distance_is_that_of_nearest_neighbours_in_a_tree() -> None:
    x, y = draws(4, 30, 3), draws(4, 30, 3, seed=1)
    each = []
    for a, b in zip(x.numpy(), y.numpy(), strict=True):
        there, back = KDTree(b).query(a)[0], KDTree(a).query(b)[0]
        each.append((there**2).mean() + (back**2).mean())
    expected = torch.tensor(each, dtype=torch.float64)
    torch.testing.assert_close(Paired(Chamfer())(x, y), expected.mean(), rtol=1e-12, atol=0)
    weights = torch.arange(1.0, 5.0, dtype=torch.float64)
    torch.testing.assert_close(Paired(Chamfer())(Cloud(x, weights), y), (weights * expected).sum() / 10)


def test_the_chamfer_distance_sees_neither_the_order_of_points_nor_which_set_is_first() -> None:
    x, y = draws(3, 20, 2), draws(3, 20, 2, seed=1)
    cost, order = Paired(Chamfer()), torch.randperm(20)
    torch.testing.assert_close(cost(x[:, order], y), cost(x, y))
    torch.testing.assert_close(cost(y, x), cost(x, y))
    assert cost(x[:, order], x) == 0


def test_nothing_cancels_far_from_the_origin_in_single_precision() -> None:
    x, y = draws(2, 10, 3), draws(2, 10, 3, seed=1)
    far = Paired(Chamfer())((x + 1000).float(), (y + 1000).float())
    torch.testing.assert_close(far.double(), Paired(Chamfer())(x, y), rtol=1e-3, atol=0)


def test_sets_of_different_shapes_are_refused() -> None:
    with pytest.raises(CloudError, match=r"source has shape \(2, 3, 4\) and the target \(2, 4, 3\)"):
        Paired(Chamfer())(draws(2, 3, 4), draws(2, 4, 3))


@pytest.mark.slow
def test_a_set_autoencoder_learns_rings_by_the_chamfer_distance() -> None:
    torch.manual_seed(0)
    angles, radii = 2 * torch.pi * torch.rand(64, 24), 0.5 + torch.rand(64, 1, 1)
    x = radii * torch.stack([angles.cos(), angles.sin()], dim=2)  # (64, 24, 2), each in an order of its own
    given: dict[str, Any] = {"data_shape": (24, 2), "latent_dim": 1, "width": 64}
    encoder, decoder = otae.encoders.create("set", noise="none", **given), otae.decoders.create("set", **given)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    cost = Paired(Chamfer())
    for _ in range(150):
        loss = cost(x, decoder(encoder(x).rsample()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
    assert abs(torch.corrcoef(torch.stack([encoder(x).mean[:, 0], radii.flatten()]))[0, 1]) > 0.95
    lengths = decoder(encoder(x).mean).norm(dim=2)
    assert (lengths.mean(1) - radii.flatten()).abs().mean() < 0.1
