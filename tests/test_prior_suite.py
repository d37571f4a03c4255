"""The suite of priors on trial: it passes what is right, and says of what is wrong which rule it breaks and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fakes import Keeper, Shifted, Sides, Standard, Twin
from torch import Generator, Tensor

from otae.interfaces import Components, Prior
from otae.testing import PriorSuite


class TestTwin(PriorSuite):
    plugin = Twin


class TestKeeper(PriorSuite):
    plugin = Keeper


class TestShifted(PriorSuite):
    plugin = Shifted


def mixture(**methods: Any) -> type[Prior]:
    """Returns a prior whose components have some methods replaced."""
    broken = type("Broken", (Sides,), methods)

    class Mine(Twin):
        """Creates a prior with components that break a rule."""

        @property
        def components(self) -> Components:
            part: Components = broken(self)
            return part

    return Mine


def prior(base: type[Prior], **methods: Any) -> type[Prior]:
    """Returns a prior with some methods replaced."""
    return type("Mine", (base,), {"__doc__": "Creates a prior that breaks a rule.", **methods})


def unseeded(self: Sides, component: int, count: int, generator: Generator | None = None) -> Tensor:
    return self.prior.normal(count, self.prior.latent_dim) + (5, -5)[component]


def swapped(self: Sides, z: Tensor) -> Tensor:
    return Sides.assign(self, z).flip(1)


@pytest.mark.parametrize(("plugin", "rule", "arguments", "message"), [
    (mixture(weights=property(lambda self: torch.tensor([0.75, 0.5]))),
     "components_weigh_one_in_all_and_are_as_many_as_they_say", (), "weights sum to 1.25, not 1: normalise them"),
    (mixture(__len__=lambda self: 3),
     "components_weigh_one_in_all_and_are_as_many_as_they_say", (), "len.components. must be the number of weights"),
    (mixture(weights=property(lambda self: torch.tensor([0.25, 0.75]))),
     "components_together_are_the_prior", (), "drawn more or less often than it says"),
    (mixture(assign=lambda self, z: 2 * Sides.assign(self, z)),
     "every_code_is_assigned_whole", (), "rows of assign sum to 1: normalise over the components"),
    (mixture(assign=lambda self, z: Sides.assign(self, z)[:, :1]),
     "every_code_is_assigned_whole", (), r"assign must give shape \(100, 2\), not \(100, 1\)"),
    (mixture(assign=swapped),
     "draws_of_a_component_are_assigned_to_it_more_than_others_are", (), "must mean the same component"),
    (mixture(sample=unseeded),
     "a_generator_decides_the_draws_of_a_component", (), "one seed of the generator must give one sample: hand"),
    (mixture(sample=lambda self, k, count, generator=None: torch.zeros(count)),
     "a_generator_decides_the_draws_of_a_component", (), r"must have shape \(20, 3\), not \(20,\)"),
    (prior(Standard, interpolate=lambda self, a, b, t: Prior.interpolate(self, b, a, t)),
     "a_way_begins_and_ends_at_its_ends", (0.0,), "a way misses its end: the fraction 0 gives a, and 1 gives b"),
    (prior(Standard, interpolate=lambda self, a, b, t: a),
     "a_way_begins_and_ends_at_its_ends", (1.0,), r"ways have shape \(N, T, latent_dim\), not \(10, 3\)"),
    (prior(Keeper, fit=lambda self, codes: None),
     "a_fit_moves_the_prior_to_the_codes", (), "fit must set the law to that of the codes"),
    (prior(Keeper, fit=lambda self, codes: setattr(self, "codes", codes - codes.mean(0))),
     "a_fit_moves_the_prior_to_the_codes", (), "each entry with its own place and scale"),
    (prior(Shifted, fit=lambda self, codes: self.shift.data.copy_(codes.mean(0))),
     "a_fit_moves_the_prior_to_the_codes", (), "fit changes priors with fits_codes alone"),
])  # fmt: skip
def test_a_prior_that_breaks_a_rule_is_told_which(plugin: Any, rule: str, arguments: Any, message: str) -> None:
    suite = type("Suite", (PriorSuite,), {"plugin": plugin})()
    with pytest.raises(AssertionError, match=message):
        getattr(suite, f"test_{rule}")(*arguments)


def test_a_fitted_prior_takes_the_sizes_of_the_state_it_loads() -> None:
    fitted, fresh = Keeper(2), Keeper(2)
    fitted.fit(torch.randn(7, 2))
    fresh.load_state_dict(fitted.state_dict())
    assert torch.equal(fresh.codes, fitted.codes)
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: .codes"):
        fresh.load_state_dict({})
