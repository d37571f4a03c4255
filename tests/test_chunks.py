"""Batches in chunks: the losses, gradients and weights of the whole batch, with the activations of one chunk."""

from __future__ import annotations

import pytest
import torch
from marks import rest_slow
from sharing import build_recipe, build_term, compare
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from otae.chunks import apply_in_chunks, hold_weights


class Counting(nn.Module):
    """Remembers how many samples it sees at once."""

    def __init__(self) -> None:
        super().__init__()
        self.line, self.seen = nn.Linear(3, 2), []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        return self.line(x).tanh()


@pytest.mark.parametrize("cost", rest_slow(["critic", "mmd", "kl", "paired", "coupled-gw"]))
def test_a_step_in_chunks_is_the_plain_step(cost: str) -> None:
    found = compare(lambda: build_term(cost), torch.float64, None, chunks=3)
    assert max(found.values()) < 1e-10, found


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["gwae", "aae", "gwae-64"])
def test_a_step_of_a_recipe_in_chunks_is_the_plain_step(recipe: str) -> None:
    found = compare(lambda: build_recipe(recipe), torch.float64, None, chunks=3)
    assert max(found.values()) < 1e-10, found


@pytest.mark.slow
def test_a_step_in_chunks_is_the_plain_step_in_single_precision() -> None:
    found = compare(lambda: build_recipe("gwae"), torch.float32, None, chunks=4)
    assert max(found["loss"], found["weight"], found["adversary"]) < 1e-6, found


def test_a_chunk_is_computed_at_a_time_and_once_more_for_its_gradient() -> None:
    module = Counting()
    apply_in_chunks(module, torch.randn(8, 3), 4).sum().backward()
    assert module.seen == [2] * 8
    with torch.no_grad():
        apply_in_chunks(module, torch.randn(6, 3), 3)
    assert module.seen[8:] == [2] * 3


def test_noise_is_the_same_when_it_is_computed_again() -> None:
    module, x = nn.Dropout(0.5), torch.ones(8, 3, requires_grad=True)
    y = apply_in_chunks(module, x, 4)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_weights_that_are_computed_are_held_during_a_step() -> None:
    layer = spectral_norm(nn.Linear(4, 4))
    with hold_weights(layer, 2):
        first, second = layer.weight, layer.weight
    assert first is second
