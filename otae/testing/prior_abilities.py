"""The rules of what a prior can do beyond sampling: ways between codes, components, a fit to codes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ..interfaces import Components
from .prior_subject import MANY, SIGMAS, PriorSubject, generator_of


class Abilities(PriorSubject):
    """Creates the rules of ways, components and fits; those of what the prior does not offer are skipped."""

    @pytest.mark.parametrize("fraction", [0.0, 1.0])
    def test_a_way_begins_and_ends_at_its_ends(self, fraction: float) -> None:
        part = self.trained()
        a, b = self.draws(part, 10), self.draws(part, 10, seed=1)
        cure = "the fraction 0 gives a, and 1 gives b"
        with torch.no_grad():
            ways = part.interpolate(a, b, torch.tensor([fraction, 0.5]).to(a))
        assert ways.shape == (10, 2, a.shape[1]), f"ways have shape (N, T, latent_dim), not {tuple(ways.shape)}"
        assert ways.isfinite().all(), f"codes on a way must be finite: {cure}"
        assert (ways[:, 0] - (b if fraction else a)).abs().max() < 1e-6, f"a way misses its end: {cure}"

    def test_components_weigh_one_in_all_and_are_as_many_as_they_say(self) -> None:
        weights = self.components(self.trained()).weights.detach()
        assert weights.ndim == 1, f"weights have shape (K,), not {tuple(weights.shape)}"
        assert len(weights) == len(self.components(self.trained())), "len(components) must be the number of weights"
        assert (weights >= 0).all(), "weights are probabilities: make them by a softmax"
        cure = "normalise them, by a softmax say"
        assert abs(weights.sum().item() - 1) < 1e-6, f"weights sum to {weights.sum().item()}, not 1: {cure}"

    def test_every_code_is_assigned_whole(self) -> None:
        part = self.trained()
        components = self.components(part)
        shares = components.assign(self.draws(part, 100)).detach()
        wanted = (100, len(components))
        assert tuple(shares.shape) == wanted, f"assign must give shape {wanted}, not {tuple(shares.shape)}"
        sums = shares.sum(1)
        assert ((sums - 1).abs() < 1e-6).all(), "the rows of assign sum to 1: normalise over the components"
        assert (shares >= 0).all(), "the entries of assign are probabilities"

    def test_draws_of_a_component_are_assigned_to_it_more_than_others_are(self) -> None:
        components = self.components(self.trained())
        if len(components) == 1:
            pytest.skip("there is only one component")
        with torch.no_grad():
            shares = torch.stack(
                [components.assign(components.sample(k, 500, generator_of(k))).mean(0) for k in range(len(components))]
            )  # from which, to which
        cure = "sample(k) and column k of assign must mean the same component"
        for k, row in enumerate(shares):
            chance = (shares[:, k].sum() - row[k]) / (len(shares) - 1)
            assert row[k] > chance, f"component {k} is given {row[k]:.3f} of its draws, {chance:.3f} of others': {cure}"

    def test_a_generator_decides_the_draws_of_a_component(self) -> None:
        part, before = self.trained(), torch.get_rng_state()
        with torch.no_grad():
            first, second = (self.components(part).sample(0, 20, generator_of(1)) for _ in range(2))
        wanted = (20, self.given["latent_dim"])
        assert tuple(first.shape) == wanted, f"sample(0, 20) must have shape {wanted}, not {tuple(first.shape)}"
        cure = "hand the generator on to every self.normal and self.uniform"
        assert torch.equal(first, second), f"one seed of the generator must give one sample: {cure}"
        assert torch.equal(torch.get_rng_state(), before), f"a given generator is the only source of randomness: {cure}"

    def test_components_together_are_the_prior(self) -> None:
        part = self.trained()
        components = self.components(part)
        with torch.no_grad():
            shares = components.assign(self.draws(part, MANY))
        weights = components.weights.detach()
        error = (weights * (1 - weights) / MANY).sqrt()
        cure = "the mean of assign over draws is the weights: a component is drawn more or less often than it says"
        assert ((shares.mean(0) - weights).abs() <= SIGMAS * error + 2e-3).all(), cure

    def test_a_fit_moves_the_prior_to_the_codes(self) -> None:
        part = self.build()
        if not part.fits_codes:
            part.fit(self.codes())
            assert torch.equal(self.seeded(part), self.seeded(self.build())), "fit changes priors with fits_codes alone"
            return
        codes = self.codes()
        part.fit(codes)
        error = codes.std(0) / 10
        cure = "fit must set the law to that of the codes, each entry with its own place and scale"
        draws = self.draws(part.eval(), MANY)
        assert ((draws.mean(0) - codes.mean(0)).abs() < error).all(), f"means {draws.mean(0).tolist()}: {cure}"
        assert ((draws.std(0) / codes.std(0) - 1).abs() < 0.25).all(), f"deviations {draws.std(0).tolist()}: {cure}"

    def components(self, part: Any) -> Components:
        """Returns the prior's components; skips the test where there are none."""
        components: Components | None = part.components
        return pytest.skip("the prior has no components") if components is None else components
