"""The memory of recent points that a term may keep, and its bias on mini-batches."""

from __future__ import annotations

import pytest
import torch
from naive import points

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.views import Memory
from otae_gromov import GW, SpectralGW


def test_it_grows_while_training_alone_and_up_to_its_capacity() -> None:
    memory = Memory(7)
    batches = [points(4, 3, seed) for seed in range(3)]
    assert [len(memory(batch)) for batch in map(Cloud, batches)] == [4, 8, 11]
    memory.eval()
    assert len(memory(Cloud(batches[0]))) == 11
    assert len(memory(Cloud(batches[0]))) == 11


def test_the_latest_points_are_kept_and_stand_behind_the_batch() -> None:
    memory = Memory(6)
    first, second, third = (points(4, 3, seed, torch.float32) for seed in range(3))
    memory(Cloud(first))
    memory(Cloud(second))
    torch.testing.assert_close(memory(Cloud(third)).points, torch.cat([third, second, first[:2]]), rtol=0, atol=0)


def test_it_is_part_of_the_state() -> None:
    before, after = Memory(5), Memory(5)
    before(Cloud(points(4, 2)))
    after.load_state_dict(before.state_dict())
    x = Cloud(points(6, 2, seed=1))
    assert torch.equal(after.eval()(x).points, before.eval()(x).points)


def test_only_new_points_have_gradients() -> None:
    memory = Memory(8)
    old, new = (points(4, 2, seed).requires_grad_() for seed in range(2))
    memory(Cloud(old))
    found = torch.autograd.grad(memory(Cloud(new)).points.square().sum(), (old, new), allow_unused=True)
    assert found[0] is None
    torch.testing.assert_close(found[1], 2 * new)


def test_the_members_of_a_joint_cloud_are_remembered_with_their_shapes() -> None:
    memory = Memory(8)
    pairs = [Cloud.joint(Cloud(points(4, 6, seed).reshape(4, 2, 3)), Cloud(points(4, 2, seed))) for seed in range(2)]
    memory(pairs[0])
    image, code = memory(pairs[1]).parts
    torch.testing.assert_close(image.points, torch.cat([pair.parts[0].points for pair in reversed(pairs)]))
    torch.testing.assert_close(code.points, torch.cat([pair.parts[1].points for pair in reversed(pairs)]))


def test_it_refuses_weights_and_other_sizes() -> None:
    memory = Memory(5)
    with pytest.raises(CloudError, match="set memory to 0"):
        memory(Cloud(points(4, 3), torch.ones(4)))
    memory(Cloud(points(4, 3)))
    with pytest.raises(CloudError, match="3 entries, but these have 2"):
        memory(Cloud(points(4, 2)))


def test_without_capacity_the_cloud_passes_as_it_is() -> None:
    cloud = Cloud(points(4, 3), torch.ones(4))
    assert Memory(0)(cloud) is cloud


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
