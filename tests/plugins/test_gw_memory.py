"""The memory of recent points that a Gromov-Wasserstein cost may keep, and its bias on mini-batches."""

from __future__ import annotations

import pytest
import torch
from naive import points

from otae.cloud import Cloud
from otae.errors import CloudError, ConfigError
from otae_gromov import GW, SpectralGW
from otae_gromov.memory import Memory


def test_it_grows_while_training_alone_and_up_to_its_capacity() -> None:
    memory = Memory(7, ((3,),))
    batches = [points(4, 3, seed) for seed in range(3)]
    assert [len(memory(batch)) for batch in map(Cloud, batches)] == [4, 8, 11]
    memory.eval()
    assert len(memory(Cloud(batches[0]))) == 11
    assert len(memory(Cloud(batches[0]))) == 11


def test_the_latest_points_are_kept_and_stand_behind_the_batch() -> None:
    memory = Memory(6, ((3,),))
    first, second, third = (points(4, 3, seed, torch.float32) for seed in range(3))
    memory(Cloud(first))
    memory(Cloud(second))
    torch.testing.assert_close(memory(Cloud(third)).points, torch.cat([third, second, first[:2]]), rtol=0, atol=0)


def test_it_is_part_of_the_state() -> None:
    shapes = {"source_shapes": ((2,),), "target_shapes": ((1, 3),)}
    before, after = GW(memory=5, **shapes), GW(memory=5, **shapes)
    before(points(4, 2), points(4, 3).reshape(4, 1, 3))
    after.load_state_dict(before.state_dict())
    x, y = points(6, 2, seed=1), points(6, 3, seed=1)
    assert after.eval()(x, y) == before.eval()(x, y)
    assert after(x, y) != GW()(x, y)


def test_only_new_points_have_gradients() -> None:
    cost = GW(memory=8, source_shapes=((2,),), target_shapes=((3,),)).double()
    old, new, y = (points(4, size, size).requires_grad_() for size in (2, 2, 3))
    cost(old, y)
    found = torch.autograd.grad(cost(new, y), (old, new, y), allow_unused=True)
    assert found[0] is None
    assert all((gradient != 0).any() for gradient in found[1:])


def test_a_remembered_batch_is_a_part_of_the_cloud() -> None:
    cost = GW(memory=8, source_shapes=((2,),), target_shapes=((3,),)).double()
    x, y, z, w = points(4, 2), points(4, 3), points(5, 2, seed=1), points(5, 3, seed=1)
    cost(x, y)
    torch.testing.assert_close(cost(z, w), GW()(torch.cat([z, x]), torch.cat([w, y])))


def test_it_refuses_weights_and_other_sizes() -> None:
    memory = Memory(5, ((3,),))
    with pytest.raises(CloudError, match="set memory to 0"):
        memory(Cloud(points(4, 3), torch.ones(4)))
    with pytest.raises(CloudError, match="3 entries, but these have 2"):
        memory(Cloud(points(4, 2)))


def test_it_needs_to_know_the_shapes() -> None:
    with pytest.raises(ConfigError, match="source_shapes and target_shapes"):
        GW(memory=5)


def test_without_capacity_the_cloud_passes_as_it_is() -> None:
    cloud = Cloud(points(4, 3), torch.ones(4))
    assert Memory(0, ())(cloud) is cloud


def test_batches_of_one_law_are_far_apart_but_for_halves() -> None:
    """A law of 16 dimensions that differ in spread, in five pairs of batches of 48 points; another law is a third wider."""
    spreads = torch.linspace(0.5, 1.5, 16, dtype=torch.float64)
    exact, halves, spectral = GW(solver="exact"), GW(solver="exact", debias="halves"), SpectralGW()
    found = []
    for seed in range(5):
        x, y = (spreads * points(48, 16, 2 * seed + other) for other in (0, 1))
        z = 1.33 * y
        found.append([float(cost(*pair)) for cost in (exact, halves, spectral) for pair in ((x, y), (x, z))])
    same, other, same_halves, other_halves, same_spectral, other_spectral = torch.tensor(found).mean(0).tolist()
    scale = (4 * spreads.square().sum().square()).item()  # what the cost is to one point, up to a factor near 2
    assert same > 0.02 * scale, "biased"
    assert abs(same_halves) < 0.2 * same, "not biased"
    assert other_halves > 4 * abs(same_halves), "and it sees another law"
    assert other_spectral / same_spectral > 2 * other / same, "as the spectral bound does, better than the cost"
