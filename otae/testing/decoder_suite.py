"""The conformance suite of decoders."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from ..interfaces import Decoder
from .suite import ModuleSuite


class DecoderSuite(ModuleSuite):
    """Creates the rules of decoders.

    A test subclasses it, names the class, and sets `given` where samples of another shape or range are to be tested:

        class TestMyDecoder(DecoderSuite):
            plugin = MyDecoder
            given: ClassVar[dict[str, Any]] = {"latent_dim": 2, "data_shape": (3, 16, 16), "value_range": None}

    Attributes:
        keeps_range: Whether a decoder that names `value_range` must keep to it; `False` where the options lift it.
    """

    given: ClassVar[dict[str, Any]] = {"latent_dim": 3, "data_shape": (1, 8, 8), "value_range": (0.0, 1.0)}
    keeps_range: ClassVar[bool] = True

    def codes(self, count: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Returns standard normal codes, with shape (count, latent_dim).

        Args:
            count: The number of codes.
            dtype: Their type.
        """
        generator = torch.Generator().manual_seed(0)
        return torch.randn(count, self.given["latent_dim"], dtype=dtype, generator=generator).to(self.device)

    def outcome(self, part: Any) -> Tensor:
        """Returns three decoded codes."""
        decoded: Tensor = part(self.codes(3))
        return decoded

    def test_it_is_a_decoder_that_keeps_what_the_builder_hands_in(self) -> None:
        part = self.build()
        assert isinstance(part, Decoder), "a decoder subclasses otae.Decoder"
        kept = (part.latent_dim, part.data_shape)
        wanted = (self.given["latent_dim"], self.given["data_shape"])
        assert kept == wanted, "hand latent_dim and data_shape on: super().__init__(latent_dim, data_shape)"

    @pytest.mark.parametrize("count", [1, 2, 5])
    @pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
    def test_decoded_codes_are_finite_and_of_the_data_shape(self, count: int, training: bool) -> None:
        decoded = self.build().train(training)(self.codes(count))
        shape, wanted = tuple(decoded.shape), (count, *self.given["data_shape"])
        assert shape == wanted, f"decoded codes must have shape (N, *data_shape) = {wanted}, not {shape}"
        assert decoded.isfinite().all(), f"a batch of {count} must be decoded to finite samples: do not divide by N - 1"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_decoded_codes_have_the_type_of_the_codes(self, dtype: torch.dtype) -> None:
        decoded = self.build().to(dtype)(self.codes(2, dtype))
        cure = "create tensors like the input (z.new_zeros), and constants as buffers"
        assert decoded.dtype == dtype, f"decoded {dtype} codes must be {dtype}: {cure}"
        assert decoded.isfinite().all(), f"decoded codes must be finite in {dtype}"

    @pytest.mark.parametrize("scale", [0.0, 1e3])
    def test_codes_far_from_the_prior_are_decoded_to_finite_samples(self, scale: float) -> None:
        decoded = self.build()(scale * self.codes(3))
        assert decoded.isfinite().all(), f"codes of scale {scale:g} must be decoded to finite samples: bound any exp"

    @pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0)], ids=str)
    def test_decoded_codes_keep_the_value_range(self, value_range: tuple[float, float], monkeypatch: Any) -> None:
        if not self.keeps_range or "value_range" not in inspect.signature(self.plugin).parameters:
            pytest.skip("the decoder does not promise a value range")
        monkeypatch.setattr(type(self), "given", {**self.given, "value_range": value_range})
        decoded = self.build()(100 * self.codes(5))
        low, high = value_range
        cure = "end in a sigmoid or tanh, or do not name value_range"
        assert ((low <= decoded) & (decoded <= high)).all(), f"the decoder leaves the value range {value_range}: {cure}"

    def test_in_eval_mode_a_sample_depends_on_its_own_code_alone(self) -> None:
        part, codes = self.build().eval(), self.codes(4)
        alone = torch.cat([part(codes[[index]]) for index in range(4)])
        cure = "a sample must not depend on its batch: mix no entries of the batch axis"
        torch.testing.assert_close(part(codes), alone, msg=lambda text: f"{cure}\n{text}")

    def test_different_codes_have_different_samples(self) -> None:
        first, second = self.build().eval()(self.codes(2))
        assert not torch.equal(first, second), "the sample must depend on the code: the input does not reach the output"

    def test_decoding_is_deterministic(self) -> None:
        part, codes = self.build().eval(), self.codes(2)
        assert torch.equal(part(codes), part(codes)), "in eval mode a code has one sample: draw no noise in a decoder"

    def test_the_codes_are_left_as_they_were(self) -> None:
        codes = self.codes(3)
        self.build()(codes)
        assert torch.equal(codes, self.codes(3)), "the decoder changed its input: use no in-place operation on it"

    def test_the_gradient_with_respect_to_the_code_is_that_of_finite_differences(self) -> None:
        part, codes = self.build().eval(), self.codes(2).requires_grad_()
        agrees = gradcheck(part, (codes,), fast_mode=True, raise_exception=False)
        assert agrees, "the gradient differs from finite differences: look for detach, no_grad or .data"
