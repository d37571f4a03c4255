"""Clouds: points, masses and laws, alone and joint, and what cannot be one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from fakes import Fit, MeanGap, Spread, Surprise
from torch import Tensor
from torch.distributions import Independent, Normal

from otae import Cloud
from otae.cloud import as_cloud
from otae.errors import CloudError


def test_points_flatten_to_vectors_sample_by_sample() -> None:
    points = torch.arange(24.0).reshape(2, 3, 4)
    assert torch.equal(Cloud(points).flat, points.flatten(1))
    assert Cloud(torch.ones(5)).flat.shape == (5, 1)
    assert len(Cloud(points)) == 2


def test_masses_sum_to_one_and_are_uniform_where_no_weights_are() -> None:
    assert Cloud(torch.zeros(4, 2)).masses.tolist() == [0.25] * 4
    assert Cloud(torch.zeros(2, 2), torch.tensor([1, 3])).masses.tolist() == [0.25, 0.75]


def test_the_mean_of_values_follows_the_masses() -> None:
    values = torch.tensor([1.0, 5.0])
    assert Cloud(torch.zeros(2, 1)).mean(values) == 3.0
    assert Cloud(torch.zeros(2, 1), torch.tensor([3.0, 1.0])).mean(values) == 2.0
    assert Cloud(torch.zeros(2, 1), torch.tensor([3.0, 1.0])).mean(values.double()).dtype == torch.float64


def test_a_joint_cloud_sets_its_members_side_by_side_and_remembers_them() -> None:
    first, second = Cloud(torch.ones(3, 2, 2), torch.tensor([1.0, 2.0, 1.0])), Cloud(torch.zeros(3, 1))
    joint = Cloud.joint(first, second)
    assert torch.equal(joint.points, torch.tensor([[1.0, 1, 1, 1, 0]] * 3))
    assert joint.members == (first, second)
    assert torch.equal(joint.masses, first.masses)
    assert first.members == (first,)


def test_detaching_cuts_points_weights_and_members_from_the_graph() -> None:
    points, weights = torch.ones(2, 1, requires_grad=True), torch.ones(2, requires_grad=True)
    joint = Cloud.joint(Cloud(points, weights, law=Normal(points, 1.0)), Cloud(points)).detach()
    assert not any(cloud.points.requires_grad or cloud.law for cloud in (joint, *joint.parts))
    assert joint.weights is not None
    assert not joint.weights.requires_grad


def test_clouds_tensors_and_sequences_are_read_as_clouds() -> None:
    points, cloud = torch.ones(3, 2), Cloud(torch.zeros(3, 1))
    assert as_cloud(cloud) is cloud
    assert as_cloud(points).points is points
    assert as_cloud([points, cloud]).points.shape == (3, 3)
    assert as_cloud((cloud, points)).parts[0] is cloud


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Cloud(torch.zeros(0, 3)), r"at least one point: got a tensor of shape \(0, 3\)"),
    (lambda: Cloud(torch.tensor(1.0)), r"at least one point: got a tensor of shape \(\)"),
    (lambda: Cloud(torch.zeros(2, 3, dtype=torch.long)), r"points, got torch.int64. Convert them with .float"),
    (lambda: Cloud(torch.zeros(2, 3), torch.ones(3)), r"Weights must have shape \(2,\), one per point, got \(3,\)"),
    (lambda: Cloud(torch.zeros(2, 3), torch.ones(2, 1)), r"Weights must have shape \(2,\)"),
    (lambda: Cloud(torch.zeros(2, 3), torch.tensor([1.0, -1.0])), "finite, non-negative and not all zero"),
    (lambda: Cloud(torch.zeros(2, 3), torch.zeros(2)), "not all zero"),
    (lambda: Cloud(torch.zeros(2, 3), torch.tensor([1.0, torch.nan])), "finite"),
    (lambda: Cloud.joint(Cloud(torch.zeros(2, 1)), Cloud(torch.zeros(3, 1))), "equally many points, got 2, 3"),
    (lambda: Cloud.joint(), "got no member"),
    (lambda: Cloud.joint(*[Cloud(torch.zeros(2, 1), torch.tensor([1.0, w])) for w in (1, 2)]), "may not bear different"),
    (lambda: as_cloud(np.zeros((2, 3))), "got ndarray. Convert arrays with torch.as_tensor"),  # type: ignore[arg-type]
    (lambda: as_cloud([]), "got no member"),
])  # fmt: skip
def test_what_is_no_cloud_is_refused(make: Callable[[], Cloud], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        make()


@pytest.mark.parametrize(("compare", "message"), [
    (lambda x, y: Fit()(x, y[:2]), "Fit pairs its clouds sample by sample, but they have 3 and 2 points"),
    (lambda x, y: MeanGap()(x, y[:, :1]), r"MeanGap compares clouds of one space, .* shapes \(3, 2\) and \(3, 1\)"),
    (lambda x, y: MeanGap()(x), "MeanGap compares two clouds: give it a target"),
    (lambda x, y: MeanGap()(x, y.to("meta")), "The clouds lie on cpu and meta: move one of them"),
])  # fmt: skip
def test_a_cost_refuses_clouds_that_it_cannot_compare(
    compare: Callable[[Tensor, Tensor], Tensor], message: str
) -> None:
    with pytest.raises(CloudError, match=message):
        compare(torch.zeros(3, 2), torch.ones(3, 2))


def test_a_cost_is_a_loss_of_plain_tensors_with_gradients() -> None:
    x, y = torch.zeros(4, 2, requires_grad=True), torch.ones(6, 2)
    cost = MeanGap()(x, y)
    cost.backward()
    assert cost.item() == 2.0
    assert x.grad is not None
    assert torch.equal(x.grad, torch.full((4, 2), -0.5))
    assert Spread()(x, torch.rand(6, 5)).shape == ()
    assert MeanGap()([x, x], Cloud(torch.ones(3, 4))).item() == 4.0


def test_a_cost_of_one_cloud_takes_its_law() -> None:
    law = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    assert Surprise()(Cloud(torch.zeros(3, 2), law=law)).item() == pytest.approx(-np.log(2 * np.pi))
