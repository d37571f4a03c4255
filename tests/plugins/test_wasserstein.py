"""The Wasserstein costs: paired ground costs, and critics against the formulas of their papers."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae.testing import CostSuite
from otae_wasserstein import Critic
from otae_wasserstein.critic_network import CriticNetwork

SMALL = {"width": 8, "features": 4}
JOINT = ((1, 4, 4), (3,))


class TestCritic(CostSuite):
    plugin = Critic
    pickles = False
    options = SMALL
    counts_multiplicity = True


class TestJointCritic(TestCritic):
    given = {"shapes": JOINT}


class TestJensenShannonCritic(TestCritic):
    options = {**SMALL, "kind": "jensen-shannon", "penalty": 1.0, "spectral": False}


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def critic(shapes: tuple[tuple[int, ...], ...] = JOINT, **options: Any) -> Critic:
    """Returns a critic in eval mode, so that its spectral norms stand still."""
    torch.manual_seed(0)
    return Critic(shapes, **{**SMALL, **options}).double().eval()


def joint(count: int, shapes: tuple[tuple[int, ...], ...] = JOINT, seed: int = 0) -> Cloud:
    return Cloud.joint(*(Cloud(draws(count, *shape, seed=seed + 10 * k)) for k, shape in enumerate(shapes)))


def value(part: Critic, x: Tensor, z: Tensor) -> Tensor:
    return part.adversary(torch.cat([x.flatten(1), z], dim=1))


def naive_slope_penalty(part: Critic, x: Tensor, z: Tensor, x_tilde: Tensor, z_tilde: Tensor) -> Tensor:
    t = torch.rand(len(x), 1, dtype=x.dtype)
    between_x = (t[:, :, None, None] * x + (1 - t[:, :, None, None]) * x_tilde).requires_grad_()
    between_z = (t * z + (1 - t) * z_tilde).requires_grad_()
    of_x, of_z = torch.autograd.grad(value(part, between_x, between_z).sum(), (between_x, between_z), create_graph=True)
    return ((torch.cat([of_x.flatten(1), of_z], dim=1).norm(dim=1) - 1) ** 2).mean()


@pytest.mark.parametrize("shapes", [JOINT, ((3, 16, 16), (5,))], ids=["dense", "convolutional"])
def test_the_kantorovich_critic_is_that_of_the_paper(shapes: tuple[tuple[int, ...], ...]) -> None:
    part, source, target = critic(shapes), joint(6, shapes), joint(6, shapes, seed=1)
    (x, z), (x_tilde, z_tilde) = ([member.points for member in cloud.members] for cloud in (source, target))
    low, high = value(part, x, z), value(part, x_tilde, z_tilde)
    torch.testing.assert_close(part(source, target), high.mean() - low.mean(), rtol=1e-10, atol=1e-12)

    torch.manual_seed(3)
    penalty = naive_slope_penalty(part, x, z, x_tilde, z_tilde)
    truth = -(high.mean() - low.mean()) + 10 * (penalty + 1e-4 * (low**2).mean() + 1e-4 * (high**2).mean())
    torch.manual_seed(3)
    found = part.adversary_loss(source, target)
    torch.testing.assert_close(found, truth, rtol=1e-10, atol=1e-12)

    parameters = list(part.adversary.parameters())
    for one, other in zip(torch.autograd.grad(found, parameters), torch.autograd.grad(truth, parameters), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12)


def test_the_jensen_shannon_critic_is_a_classifier_and_its_cost_does_not_saturate() -> None:
    part, source, target = critic(kind="jensen-shannon"), joint(6), joint(4, seed=1)
    low, high = part.adversary(source.points), part.adversary(target.points)
    zeros, ones = torch.zeros_like, torch.ones_like
    classify = F.binary_cross_entropy_with_logits
    torch.testing.assert_close(
        part.adversary_loss(source, target), classify(low, zeros(low)) + classify(high, ones(high))
    )
    torch.testing.assert_close(part(source, target), classify(low, ones(low)) + classify(high, zeros(high)))


@pytest.mark.parametrize(("kind", "penalty"), [("kantorovich", 10.0), ("jensen-shannon", 0.0)])
def test_the_penalty_suits_the_kind_unless_it_is_given(kind: Any, penalty: float) -> None:
    assert critic(kind=kind).penalty == penalty
    assert critic(kind=kind, penalty=2.0).penalty == 2


class Linear(nn.Module):
    """A critic with slope (3, 4) everywhere."""

    shapes, sizes = ((2,),), [2]

    def forward(self, points: Tensor) -> Tensor:
        return points @ torch.tensor([3.0, 4.0], dtype=points.dtype)


def test_a_linear_critic_has_a_closed_form() -> None:
    part = critic(((2,),), drift=0.0)
    part.network = Linear()
    source, target = Cloud(draws(5, 2)), Cloud(draws(3, 2, seed=1))
    distance = (target.points.mean(0) - source.points.mean(0)) @ torch.tensor([3.0, 4.0], dtype=torch.float64)
    torch.testing.assert_close(part(source, target), distance)
    torch.testing.assert_close(part.adversary_loss(source, target), 10 * (5 - 1.0) ** 2 - distance)


def test_scales_stretch_the_members_that_the_critic_sees() -> None:
    sizes = [math.prod(shape) for shape in JOINT]
    factors = torch.tensor([0.5, 3.0]).repeat_interleave(torch.tensor(sizes)).double()
    plain, scaled, source, target = critic(), critic(scales=[0.5, 3.0]), joint(6), joint(6, seed=1)
    stretched = [Cloud(factors * cloud.flat) for cloud in (source, target)]
    torch.testing.assert_close(scaled(source, target), plain(*stretched))
    losses = []
    for part, clouds in ((scaled, (source, target)), (plain, stretched)):
        torch.manual_seed(3)
        losses.append(part.adversary_loss(*clouds))
    torch.testing.assert_close(*losses)
    assert scaled.state_dict().keys() == plain.state_dict().keys(), "an option is no weight"


def test_scales_are_as_many_as_members() -> None:
    with pytest.raises(ConfigError, match="a factor for each of the 2 members, got 3"):
        critic(scales=[1.0, 2.0, 3.0])


def test_the_penalty_of_unequal_clouds_interpolates_the_first_pairs() -> None:
    part, source, target = critic(), joint(7), joint(4, seed=1)
    torch.manual_seed(3)
    unequal = part.slope_penalty(source, target)
    torch.manual_seed(3)
    first = Cloud(source.flat[:4])
    torch.testing.assert_close(unequal, part.slope_penalty(first, target), rtol=0, atol=0)


def test_the_means_of_a_critic_are_those_of_the_masses() -> None:
    part, source, target = critic(), joint(3), joint(3, seed=1)
    weights = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    f_source, f_target = part.adversary(source.points), part.adversary(target.points)
    weighted = part(Cloud(source.points, weights), target)
    torch.testing.assert_close(weighted, f_target.mean() - (weights * f_source).sum() / 4)


def test_the_loss_of_a_critic_descends_along_its_gradient() -> None:
    part, source, target = critic(), joint(5), joint(5, seed=1)
    parameters = list(part.adversary.parameters())
    directions = [draws(*parameter.shape, seed=k) for k, parameter in enumerate(parameters)]

    def loss(step: float) -> Tensor:
        moved = copy.deepcopy(part)
        with torch.no_grad():
            for parameter, direction in zip(moved.adversary.parameters(), directions, strict=True):
                parameter.add_(step * direction)
        torch.manual_seed(3)
        return moved.adversary_loss(source, target)

    torch.manual_seed(3)
    gradient = torch.autograd.grad(part.adversary_loss(source, target), parameters)
    slope = sum((one * direction).sum() for one, direction in zip(gradient, directions, strict=True))
    torch.testing.assert_close((loss(1e-6) - loss(-1e-6)) / 2e-6, slope, rtol=1e-5, atol=1e-8)


@pytest.mark.slow
def test_a_trained_critic_measures_how_far_a_cloud_was_shifted() -> None:
    torch.manual_seed(0)
    shift, penalty = 3.0, 10.0
    part = Critic(((1,),), width=32, features=16, penalty=penalty, drift=0.0, spectral=False)
    optimizer = torch.optim.Adam(part.adversary.parameters(), lr=5e-3)
    x = torch.randn(32, 1)
    source, target = Cloud(x), Cloud(x + shift)
    for _ in range(150):
        optimizer.zero_grad()
        part.adversary_loss(source, target).backward()
        optimizer.step()
    best_slope = 1 + shift / (2 * penalty)  # where gain and penalty, shift s - penalty (s - 1)^2, balance
    assert part(source, target).item() == pytest.approx(shift * best_slope, rel=0.1)


@pytest.mark.slow
def test_spectral_norms_are_one_and_tracked_once_a_loss() -> None:
    torch.manual_seed(0)
    part = Critic(JOINT, **SMALL).double().train()
    source, target = joint(4), joint(4, seed=1)
    once, twin = copy.deepcopy(part), copy.deepcopy(part)
    once.adversary_loss(source, target)
    twin(source, target)
    torch.testing.assert_close(once.state_dict(), twin.state_dict(), rtol=0, atol=0)
    for _ in range(300):
        part(source, target)
    for layer in part.adversary.modules():
        if isinstance(layer, nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=1e-3)


def test_without_spectral_norm_the_weights_are_plain() -> None:
    assert not [name for name in critic(spectral=False).state_dict() if "parametrizations" in name]


def test_the_network_for_images_of_64_pixels_has_the_size_of_the_authors() -> None:
    network = CriticNetwork(((3, 64, 64), (64,)))
    channels = [layer.out_channels for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert channels == [8, 16, 32, 64, 128, 256]
    assert sum(parameter.numel() for parameter in network.parameters()) == 913_657


@pytest.mark.parametrize(
    ("shape", "stages"),
    [((1, 8, 8), 0), ((1, 16, 16), 4), ((1, 28, 28), 4), ((3, 48, 96), 5), ((3, 128, 128), 7), ((7,), 0), ((2, 5), 0)],
)
def test_images_have_as_many_stages_as_they_have_halvings(shape: tuple[int, ...], stages: int) -> None:
    network = CriticNetwork((shape, (3,)), **SMALL)
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.modules()) == stages
    assert network(torch.zeros(2, math.prod(shape) + 3)).shape == (2,)


def test_images_can_be_seen_without_convolutions() -> None:
    network = CriticNetwork(((1, 16, 16),), **SMALL, branch="mlp")
    assert not [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def test_a_critic_names_the_shapes_it_was_built_for() -> None:
    with pytest.raises(CloudError, match=r"built for members of shapes \(\(1, 4, 4\), \(3,\)\), 19 entries"):
        critic()(draws(2, 5), draws(2, 5))


def test_a_critic_without_branches_is_a_network_over_the_members_side_by_side() -> None:
    network = CriticNetwork(((1, 2, 2), (3,)), width=8, branch="none", spectral=False)
    points = torch.randn(5, 7)
    assert network.branches is None
    torch.testing.assert_close(network(points), network.head(points).squeeze(1))
    assert sum(parameter.numel() for parameter in network.parameters()) == (7 * 8 + 8) + (8 * 8 + 8) + (8 + 1)
