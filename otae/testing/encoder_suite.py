"""The conformance suite of encoders."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from ..interfaces import Encoder
from .suite import ModuleSuite


class EncoderSuite(ModuleSuite):
    """Creates the rules of encoders.

    A test subclasses it, names the class, and sets `given` where samples of another shape or range are to be tested:

        class TestMyEncoder(EncoderSuite):
            plugin = MyEncoder
            given = {"data_shape": (3, 16, 16), "latent_dim": 2, "value_range": None}
    """

    given: ClassVar[dict[str, Any]] = {"data_shape": (1, 8, 8), "latent_dim": 3, "value_range": (0.0, 1.0)}

    def samples(self, count: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Returns samples drawn evenly over the middle nine tenths of the value range, with shape (count, *data_shape).

        Args:
            count: The number of samples.
            dtype: Their type.
        """
        low, high = self.given.get("value_range") or (-2.0, 2.0)
        draws = torch.rand(count, *self.given["data_shape"], dtype=dtype, generator=torch.Generator().manual_seed(0))
        return (low + (high - low) * (0.05 + 0.9 * draws)).to(self.device)

    def outcome(self, part: Any) -> Tensor:
        """Returns codes drawn from the laws of three samples."""
        codes: Tensor = part(self.samples(3)).rsample()
        return codes

    def test_it_is_an_encoder_that_keeps_what_the_builder_hands_in(self) -> None:
        part = self.build()
        assert isinstance(part, Encoder), "an encoder subclasses otae.Encoder"
        kept = (part.data_shape, part.latent_dim)
        wanted = (self.given["data_shape"], self.given["latent_dim"])
        assert kept == wanted, "hand data_shape and latent_dim on: super().__init__(data_shape, latent_dim)"

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_the_law_is_one_law_over_codes_per_sample(self, count: int) -> None:
        law = self.build()(self.samples(count))
        shapes, wanted = (tuple(law.batch_shape), tuple(law.event_shape)), ((count,), (self.given["latent_dim"],))
        cure = "wrap laws of single entries in torch.distributions.Independent(law, 1)"
        assert shapes == wanted, f"the law's batch and event shapes must be {wanted}, not {shapes}: {cure}"

    @pytest.mark.parametrize("count", [1, 2, 5])
    @pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
    def test_codes_are_finite_and_of_the_latent_shape(self, count: int, training: bool) -> None:
        law = self.build().train(training)(self.samples(count))
        for name, codes in {"mean": law.mean, "rsample()": law.rsample()}.items():
            assert codes.shape == (count, self.given["latent_dim"]), f"{name} must have shape (N, latent_dim)"
            assert codes.isfinite().all(), f"{name} must be finite, for a batch of {count} too: do not divide by N - 1"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_codes_have_the_type_of_the_samples(self, dtype: torch.dtype) -> None:
        law = self.build().to(dtype)(self.samples(2, dtype))
        cure = "create tensors like the input (x.new_zeros), and constants as buffers"
        assert law.rsample().dtype == dtype, f"codes of {dtype} samples must be {dtype}: {cure}"
        assert law.mean.isfinite().all(), f"codes must be finite in {dtype}"

    def test_the_ends_of_the_value_range_give_finite_codes_and_gradients(self) -> None:
        part = self.build()
        for value in self.given.get("value_range") or (-100.0, 0.0, 100.0):
            samples = torch.full_like(self.samples(2), value).requires_grad_()
            codes = part(samples).rsample()
            assert codes.isfinite().all(), f"samples that are all {value} must have finite codes: clamp before any log"
            codes.sum().backward()
            assert samples.grad is None or samples.grad.isfinite().all(), f"gradients at {value} must be finite too"

    def test_drawn_codes_carry_gradients(self) -> None:
        law = self.build()(self.samples(2))
        assert law.has_rsample, "costs train the encoder through its draws: return a law with rsample"
        assert law.rsample().requires_grad, "rsample() must carry gradients to the parameters: detach nothing"

    def test_it_tells_whether_its_law_has_a_density(self) -> None:
        part = self.build()
        law = part(self.samples(3))
        try:
            densities = law.log_prob(law.rsample())
        except NotImplementedError:
            assert not part.has_density, "the law has no log_prob: set has_density = False"
            return
        assert part.has_density, "the law has a log_prob: set has_density = True, so that KL and entropy may use it"
        assert densities.shape == (3,), f"log_prob must give one number per sample, got shape {tuple(densities.shape)}"
        assert densities.isfinite().all(), "log_prob must be finite at the law's own draws: bound the variance"

    def test_in_eval_mode_a_code_depends_on_its_own_sample_alone(self) -> None:
        part, samples = self.build().eval(), self.samples(4)
        alone = torch.cat([part(samples[[index]]).mean for index in range(4)])
        cure = "a code must not depend on its batch: mix no entries of the batch axis"
        torch.testing.assert_close(part(samples).mean, alone, msg=lambda text: f"{cure}\n{text}")

    def test_different_samples_have_different_codes(self) -> None:
        first, second = self.build().eval()(self.samples(2)).mean
        assert not torch.equal(first, second), "the code must depend on the sample: the input does not reach the law"

    def test_the_samples_are_left_as_they_were(self) -> None:
        samples = self.samples(3)
        self.build()(samples).rsample()
        assert torch.equal(samples, self.samples(3)), "the encoder changed its input: use no in-place operation on it"

    def test_the_gradient_of_the_code_is_that_of_finite_differences(self) -> None:
        part, samples = self.build().eval(), self.samples(2).requires_grad_()
        agrees = gradcheck(lambda x: part(x).mean, (samples,), fast_mode=True, raise_exception=False)
        assert agrees, "the mean's gradient differs from finite differences: look for detach, no_grad or .data"
