"""The rules of priors, as a conformance suite."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution

from ..interfaces import Prior
from .prior_abilities import Abilities
from .prior_subject import MANY, SIGMAS

MODES = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


class PriorSuite(Abilities):
    """Creates the rules that priors keep.

        class TestMixture(PriorSuite):
            plugin = Mixture
            options = {"components": 3}

    The rules about a law, components and a fit are tested in eval mode, and skipped where the prior offers none. What the
    builder hands in is `given`: sizes, a range of the data, and a small encoder.
    """

    def outcome(self, part: Any) -> Tensor:
        """Returns 64 draws."""
        draws: Tensor = part.sample(64)
        return draws

    def test_it_is_a_prior_that_keeps_what_the_builder_hands_in(self) -> None:
        part = self.build()
        assert isinstance(part, Prior), "a prior subclasses otae.Prior"
        cure = "hand latent_dim on: super().__init__(latent_dim)"
        assert part.latent_dim == self.given["latent_dim"], cure

    @MODES
    @pytest.mark.parametrize("count", [1, 2, 1000])
    def test_draws_are_finite_and_of_the_latent_dim(self, count: int, training: bool) -> None:
        draws = self.build().train(training).sample(count)
        wanted = (count, self.given["latent_dim"])
        assert tuple(draws.shape) == wanted, f"sample({count}) must have shape {wanted}, not {tuple(draws.shape)}"
        cure = "a batch of one has no variance: do not divide by a batch's spread or by N - 1 there"
        assert draws.isfinite().all(), f"{count} draws must be finite; {cure}"

    @MODES
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_draws_have_the_type_of_the_module(self, dtype: torch.dtype, training: bool) -> None:
        draws = self.build().to(dtype).train(training).sample(3)
        cure = "draw noise with self.normal or self.uniform, and keep constants as buffers"
        assert draws.dtype == dtype, f"after .to({dtype}) draws must be {dtype}, not {draws.dtype}: {cure}"

    def test_draws_differ_from_one_another(self) -> None:
        first, *others = self.draws(self.build(), 10)
        equal = [torch.equal(first, other) for other in others]
        assert not all(equal), "ten draws are equal: give every draw noise of its own"

    @MODES
    def test_a_generator_decides_every_draw(self, training: bool) -> None:
        first, second = (self.draws(self.build().train(training), 50) for _ in range(2))
        cure = "hand the generator on to every self.normal and self.uniform"
        assert torch.equal(first, second), f"one seed of the generator must give one sample: {cure}"
        assert not torch.equal(first, self.draws(self.build().train(training), 50, seed=1)), (
            f"another seed must give another sample: {cure}"
        )

    @MODES
    def test_a_generator_leaves_the_global_random_state_alone(self, training: bool) -> None:
        part, before = self.build().train(training), torch.get_rng_state()
        self.draws(part, 50)
        cure = "hand the generator on to every self.normal and self.uniform"
        assert torch.equal(torch.get_rng_state(), before), f"a given generator is the only source of randomness: {cure}"

    def test_a_generator_yields_fresh_draws_at_each_call(self) -> None:
        part, generator = self.build().eval(), torch.Generator().manual_seed(0)
        first, second = (part.sample(20, generator) for _ in range(2))
        assert not torch.equal(first, second), "a generator must move on: do not seed or copy it"

    def test_in_eval_mode_draws_do_not_change_the_state(self) -> None:
        part = self.trained()
        before = copy.deepcopy(part.state_dict())
        self.draws(part, 50)
        changed = [name for name, value in part.state_dict().items() if not torch.equal(value, before[name])]
        assert not changed, (
            f"sampling in eval mode changed {', '.join(changed)}: update running values in training only"
        )

    def test_in_eval_mode_draws_are_independent_of_one_another(self) -> None:
        part, generator, size = self.trained(), torch.Generator().manual_seed(0), 4
        with torch.no_grad():
            chunks = torch.stack([part.sample(size, generator) for _ in range(500)])  # (500, size, D)
            whole = part.sample(MANY, generator)
        cure = "the law of a draw must not depend on the size of the batch: use running moments in eval mode"
        assert_alike(torch.Tensor.abs, chunks.flatten(0, 1), whole, cure)
        ratio = size * chunks.mean(1).var(0) / whole.var(0)
        assert ((ratio - 1).abs() < SIGMAS * (2 / 500) ** 0.5).all(), (
            f"means of {size} draws spread {ratio.tolist()} times as much as those of independent draws; {cure}"
        )

    def test_gradients_reach_every_parameter_and_are_not_zero(self) -> None:
        part = self.build().train()
        if not (owned := self.owned(part)):
            pytest.skip("the prior has no parameters")
        torch.manual_seed(0)
        draws = part.sample(64)
        assert draws.requires_grad, "draws must be differentiable in the parameters: look for detach or no_grad"
        torch.autograd.backward((draws * torch.randn_like(draws)).sum())
        sizes = {name: 0.0 if p.grad is None else p.grad.abs().max().item() for name, p in owned.items()}
        idle = [name for name, size in sizes.items() if size <= 1e-9 * max(sizes.values())]
        cure = "they would never learn: estimate the gradient of discrete choices, and drop what standardisation undoes"
        assert not idle, f"the gradient of {', '.join(idle)} is zero; {cure}"

    def test_what_training_changed_is_in_its_state(self) -> None:
        part, other = self.trained(), self.build()
        other.load_state_dict(part.state_dict())
        cure = "register what sampling updates as a buffer"
        assert torch.equal(self.seeded(part), self.seeded(other)), f"the state must restore the prior: {cure}"

    def test_it_can_be_copied_after_training(self) -> None:
        part = self.trained()
        copied = copy.deepcopy(part)
        assert torch.equal(self.seeded(part), self.seeded(copied)), (
            "a copy must draw the same: keep no tensor of a graph"
        )

    def test_the_law_is_one_distribution_over_codes(self) -> None:
        law = self.law(self.trained())
        wanted = (torch.Size(), torch.Size((self.given["latent_dim"],)))
        cure = "wrap it in torch.distributions.Independent(..., 1)"
        assert (law.batch_shape, law.event_shape) == wanted, f"the law is one law over vectors: {cure}"

    def test_the_law_has_the_type_of_the_module(self) -> None:
        law = self.law(self.trained().float())
        assert law.sample().dtype == torch.float32, (
            "build the law from the prior's buffers, so that it follows .to(...)"
        )

    def test_the_law_has_a_density_at_every_draw(self) -> None:
        part = self.trained()
        densities = self.law(part).log_prob(self.draws(part, 1000))
        assert densities.shape == (1000,), f"log_prob must give one number per draw, not {tuple(densities.shape)}"
        assert densities.isfinite().all(), "a draw has density zero: the law is not that of the draws"

    @pytest.mark.parametrize("power", [1, 2, 4])
    def test_the_law_has_the_moments_of_the_draws(self, power: int) -> None:
        part = self.trained()
        cure = "draws do not follow the law: return None where the density is not known"
        assert_alike(lambda z: z**power, self.draws(part, MANY), self.law_draws(part), cure)

    def test_the_law_is_as_dense_at_the_draws_as_at_its_own(self) -> None:
        part = self.trained()
        law = self.law(part)
        cure = "draws do not follow the law: return None where the density is not known"
        assert_alike(lambda z: law.log_prob(z)[:, None], self.draws(part, MANY), self.law_draws(part), cure)

    def test_the_law_states_its_own_moments(self) -> None:
        part = self.trained()
        law, draws = self.law(part), self.law_draws(part)
        error = draws.std(0) / MANY**0.5
        try:
            mean, variance = law.mean, law.variance
        except NotImplementedError:
            pytest.skip("the law has no moments in closed form")
        assert ((draws.mean(0) - mean).abs() <= SIGMAS * error).all(), "law.mean is not the mean of law.sample()"
        torch.testing.assert_close(draws.var(0), variance, rtol=0.15, atol=0)

    def law(self, part: Any) -> Distribution:
        """Returns the prior's law; skips the test where there is none."""
        law: Distribution | None = part.law
        return pytest.skip("the prior has no density") if law is None else law

    def law_draws(self, part: Any) -> Tensor:
        """Returns many draws from the prior's law."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(3)
            draws: Tensor = self.law(part).sample(torch.Size((MANY,)))
        return draws


def assert_alike(statistic: Callable[[Tensor], Tensor], first: Tensor, second: Tensor, cure: str) -> None:
    """Asserts that a statistic has one mean under two samples, up to chance.

    Args:
        statistic: The function of draws with shape (N, D), with shape (N, S).
        first: Draws, with shape (N, D).
        second: Draws, with shape (M, D).
        cure: What to say and do where it has not.
    """
    a, b = statistic(first), statistic(second)
    error = (a.var(0) / len(a) + b.var(0) / len(b)).sqrt()
    gap = (a.mean(0) - b.mean(0)).abs()
    far = f"means {a.mean(0).tolist()} and {b.mean(0).tolist()} differ by more than chance"
    assert (gap <= SIGMAS * error + 1e-9).all(), f"{far}: {cure}"
