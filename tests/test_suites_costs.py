"""The suites for costs and priors: a part with one small fault fails at the rule it breaks, and is told what to do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from fakes import Duel, MeanGap, Shifted, Standard
from mutants import assert_told
from torch import Generator, Tensor, nn

from otae.cloud import Cloud
from otae.testing import CostSuite, PriorSuite
from otae.testing.suite import Suite


class Gap(MeanGap):
    """Creates the squared distance of the means, times a learned factor."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return self.factor * super().forward(source, target)


class TestGap(CostSuite):
    plugin = Gap
    counts_multiplicity = True


class TestDuel(CostSuite):
    plugin = Duel


class TestShifted(PriorSuite):
    plugin = Shifted


class TestStandard(PriorSuite):
    plugin = Standard


class Vector(Gap):
    """Creates a cost of several numbers."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target).expand(3)


class SinglePrecision(Gap):
    """Creates a cost in single precision."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target).float()


class DividesByDegrees(Gap):
    """Creates a cost that divides by N - 1."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target) + 0 * source.flat.sum() / (len(source) - 1)


class IgnoresMasses(Gap):
    """Creates a cost that takes all points for equally heavy."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return (source.flat.mean(0) - target.flat.mean(0)).square().sum() * self.factor


class SumsWeights(Gap):
    """Creates a cost that does not normalise its weights."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        heavy = 1 if source.weights is None else source.weights.sum()
        return heavy * super().forward(source, target)


class Ordered(Gap):
    """Creates a cost that looks at the first point."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target) + source.flat[0].square().sum()


class Rooted(Gap):
    """Creates a cost with a root, whose slope at 0 is infinite."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target).sqrt()


class CutPoints(Gap):
    """Creates a cost that cuts a part of its points from the graph."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(Cloud(source.flat.detach() / 2 + source.flat / 2, source.weights), target)


class CutWeights(Gap):
    """Creates a cost that cuts the weights of its source alone from the graph."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        weights = None if source.weights is None else source.weights.detach() / 2 + source.weights / 2
        return super().forward(Cloud(source.flat, weights), target)


class CutFactor(Gap):
    """Creates a cost whose factor never learns."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return MeanGap.forward(self, source, target) * self.factor.detach() + 0 * source.flat.sum()


class Halves(Gap):
    """Creates a cost that computes in half precision."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return super().forward(source, target) + (1e6 * source.flat.square().sum()).to(torch.float16).to(source.flat)


class LazyDuel(Duel):
    """Creates an adversary whose loss does not reach it."""

    def adversary_loss(self, source: Cloud, target: Cloud) -> Tensor:
        return self.line.weight.square().sum()


class TinyDuel(Duel):
    """Creates an adversary that divides by N - 1."""

    def adversary_loss(self, source: Cloud, target: Cloud) -> Tensor:
        return super().adversary_loss(source, target) + source.flat.sum() / (len(source) - 1)


class StrangeDuel(Duel):
    """Creates an adversary that belongs to nobody."""

    @property
    def adversary(self) -> nn.Module:
        return copy.deepcopy(self.line)


class NormalOverBatch(Shifted):
    """Creates a prior that divides by the spread of its batch."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        z = super().sample(count, generator)
        return z / ((z - z.mean(0)).square().sum(0) / (count - 1)).sqrt()


class IgnoresGenerator(Shifted):
    """Creates a prior that draws from the global state."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return super().sample(count)


class Detached(Shifted):
    """Creates a prior that cuts its draws from the graph."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return super().sample(count, generator).detach()


class Transposed(Shifted):
    """Creates a prior whose draws lie the other way."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return super().sample(count, generator).T


class WrongLaw(Standard):
    """Creates a prior whose law is not that of its draws."""

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return 2 * super().sample(count, generator)


@pytest.mark.parametrize(("suite", "mutant", "test", "arguments", "message"), [
    (TestGap, Vector, "test_its_value_is_one_finite_number_of_the_type_of_the_clouds", (torch.float64,),
     "return a scalar: sum or average"),
    (TestGap, SinglePrecision, "test_its_value_is_one_finite_number_of_the_type_of_the_clouds", (torch.float64,),
     "compute in the type of the clouds"),
    (TestGap, DividesByDegrees, "test_a_tiny_batch_is_finite_or_refused", (1,), "the last batch of an epoch may be"),
    (TestGap, SumsWeights, "test_uniform_weights_change_nothing", (), "normalise weights"),
    (TestGap, IgnoresMasses, "test_a_point_of_weight_two_is_two_points", (), "weights are multiplicities"),
    (TestGap, Ordered, "test_the_order_of_the_points_does_not_matter", (), "a cloud has no order"),
    (TestGap, Rooted, "test_degenerate_clouds_have_finite_gradients", ("equal",), "use otae.reductions.distances"),
    (TestGap, CutPoints, "test_gradients_are_those_of_the_value", (), "in the points differs .* look for detach"),
    (TestGap, CutWeights, "test_gradients_in_the_weights_are_those_of_the_value", (), "in the weights differs"),
    (TestGap, CutFactor, "test_gradients_reach_every_parameter", (), "no gradient reaches factor"),
    (TestGap, Halves, "test_mixed_precision_leaves_it_finite", (), "compute distances in single precision"),
    (TestDuel, LazyDuel, "test_the_adversary_learns_from_its_own_loss", (), "adversary_loss does not reach bias"),
    (TestDuel, TinyDuel, "test_the_adversary_answers_a_tiny_batch", (1,), "adversary_loss of 1 points is"),
    (TestDuel, StrangeDuel, "test_the_adversary_is_a_part_of_the_cost", (), "register the adversary as a submodule"),
    (TestShifted, NormalOverBatch, "test_draws_are_finite_and_of_the_latent_dim", (1, True), "do not divide by a batch"),
    (TestShifted, IgnoresGenerator, "test_a_generator_decides_every_draw", (True,), "hand the generator on"),
    (TestShifted, IgnoresGenerator, "test_a_generator_leaves_the_global_random_state_alone", (True,), "only source"),
    (TestShifted, Detached, "test_gradients_reach_every_parameter_and_are_not_zero", (), "look for detach or no_grad"),
    (TestShifted, Transposed, "test_draws_are_finite_and_of_the_latent_dim", (2, True), r"must have shape \(2, 3\)"),
    (TestStandard, WrongLaw, "test_the_law_has_the_moments_of_the_draws", (2,), "draws do not follow the law"),
])  # fmt: skip
def test_a_faulty_part_is_told_its_fault(
    suite: type[Suite], mutant: type, test: str, arguments: tuple[Any, ...], message: str
) -> None:
    assert_told(suite, mutant, test, arguments, message)
