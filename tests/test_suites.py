"""The suites for networks: a part with one small fault fails at the rule it breaks, and is told which and what to do."""

from __future__ import annotations

import random
from typing import Annotated, Any, ClassVar, Literal

import pytest
import torch
from fakes import LinearDecoder, LinearEncoder
from mutants import assert_told
from pydantic import Field
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from otae.interfaces import Dirac
from otae.testing import DecoderSuite, EncoderSuite
from otae.testing.suite import Suite

FLAT = {"data_shape": (6,), "latent_dim": 3, "value_range": None}


class EncoderRules(EncoderSuite):
    plugin = LinearEncoder
    given: ClassVar[dict[str, Any]] = FLAT


class DecoderRules(DecoderSuite):
    plugin = LinearDecoder
    given: ClassVar[dict[str, Any]] = FLAT


class TestLinearEncoder(EncoderRules):
    plugin = LinearEncoder


class TestLinearDecoder(DecoderRules):
    plugin = LinearDecoder


class NormalOverBatch(LinearEncoder):
    """Creates an encoder that divides by the spread of its batch."""

    def forward(self, x: Tensor) -> Distribution:
        gaps = x - x.mean(0)
        return Dirac(self.mean(gaps / (gaps.square().sum(0) / (len(x) - 1)).sqrt()))


class BareLaw(LinearEncoder):
    """Creates an encoder whose law is one over single entries."""

    def forward(self, x: Tensor) -> Distribution:
        return Normal(self.mean(x), self.log_scale.exp())


class Detached(LinearEncoder):
    """Creates an encoder whose scale is cut from the graph."""

    def forward(self, x: Tensor) -> Distribution:
        return Independent(Normal(self.mean(x), self.log_scale.detach().exp()), 1)


class CutMean(LinearEncoder):
    """Creates an encoder whose mean is cut from the samples."""

    def forward(self, x: Tensor) -> Distribution:
        return super().forward(x + (x.detach() - x) / 2)


class FalseDensity(LinearEncoder):
    """Creates an encoder that denies its density."""

    def forward(self, x: Tensor) -> Distribution:
        self.has_density = False
        return Independent(Normal(self.mean(x), self.log_scale.exp().expand(len(x), -1)), 1)


class InPlace(LinearEncoder):
    """Creates an encoder that changes its samples."""

    def forward(self, x: Tensor) -> Distribution:
        return super().forward(x.mul_(2))


class Seeding(LinearEncoder):
    """Creates an encoder that seeds everybody."""

    def forward(self, x: Tensor) -> Distribution:
        torch.manual_seed(0)
        return super().forward(x)


class DoubleForAll(LinearEncoder):
    """Creates an encoder that sets the default type of everybody."""

    def forward(self, x: Tensor) -> Distribution:
        torch.set_default_dtype(torch.float64)
        return super().forward(x)


class Unpickled(LinearEncoder):
    """Creates an encoder that holds a function."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__(data_shape, latent_dim)
        self.hook = lambda x: x


class Forgetful(LinearEncoder):
    """Creates an encoder that forgets what the builder handed in."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int) -> None:
        super().__init__(data_shape, latent_dim)
        self.latent_dim = latent_dim + 1


class Untold(LinearEncoder):
    """Creates an encoder with an option that its docstring hides."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int, secret: float = 1.0) -> None:
        super().__init__(data_shape, latent_dim)


class BadDefault(LinearEncoder):
    """Creates an encoder with a default that nobody could set."""

    def __init__(
        self, data_shape: tuple[int, ...], latent_dim: int, scale: Annotated[float, Field(gt=0)] = 0.0
    ) -> None:
        super().__init__(data_shape, latent_dim)


class BadLimit(LinearEncoder):
    """Creates an encoder that cannot be built at its limit."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int, depth: Annotated[int, Field(ge=0)] = 2) -> None:
        super().__init__(data_shape, latent_dim)
        self.share = 1 / depth


class BadWord(LinearEncoder):
    """Creates an encoder that does not know one of its words."""

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int, rule: Literal["a", "b"] = "a") -> None:
        super().__init__(data_shape, latent_dim)
        self.rule = {"a": 1}[rule]


class Unregistered(LinearDecoder):
    """Creates a decoder with a tensor that is neither a parameter nor a buffer."""

    def __init__(self, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__(latent_dim, data_shape)
        self.shift = torch.randn(data_shape)

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z) + self.shift * random.random()


class WrongShape(LinearDecoder):
    """Creates a decoder of samples of another shape."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z).unsqueeze(1)


class SinglePrecision(LinearDecoder):
    """Creates a decoder that answers in single precision."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z).float()


class Blind(LinearDecoder):
    """Creates a decoder that looks at no code."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(torch.zeros_like(z))


class Mixing(LinearDecoder):
    """Creates a decoder of which a sample depends on its batch."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z - z.mean(0))


class Noisy(LinearDecoder):
    """Creates a decoder that draws noise."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z + torch.randn_like(z))


class Counting(LinearDecoder):
    """Creates a decoder that counts in eval mode, too."""

    def __init__(self, latent_dim: int, data_shape: tuple[int, ...]) -> None:
        super().__init__(latent_dim, data_shape)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        self.calls += 1
        return self.map(z)


class Exploding(LinearDecoder):
    """Creates a decoder with an unbounded exponential."""

    def forward(self, z: Tensor) -> Tensor:
        return self.map(z).exp().exp()


ENCODERS: list[tuple[type, str, tuple[Any, ...], str]] = [
    (NormalOverBatch, "test_codes_are_finite_and_of_the_latent_shape", (1, True), "do not divide by N - 1"),
    (BareLaw, "test_the_law_is_one_law_over_codes_per_sample", (2,), r"wrap laws .*Independent\(law, 1\)"),
    (Detached, "test_gradients_reach_every_parameter", (), "no gradient reaches log_scale: use the parameter"),
    (CutMean, "test_the_gradient_of_the_code_is_that_of_finite_differences", (), "look for detach"),
    (FalseDensity, "test_it_tells_whether_its_law_has_a_density", (), "set has_density = True"),
    (InPlace, "test_the_samples_are_left_as_they_were", (), "use no in-place operation"),
    (Seeding, "test_the_global_random_state_is_never_seeded", (), r"call no torch\.manual_seed"),
    (DoubleForAll, "test_torch_is_left_as_it_was", (), "changed torch's default type"),
    (Unpickled, "test_it_can_be_copied_and_sent_to_another_process", (), "keep no function, file or lock"),
    (Forgetful, "test_it_is_an_encoder_that_keeps_what_the_builder_hands_in", (), "hand data_shape and latent_dim on"),
    (Untold, "test_its_docstring_tells_of_every_option", (), "does not tell of secret: add a line under Args"),
    (BadDefault, "test_every_default_keeps_to_its_own_type", (), "default of scale is one that no user could set"),
    (BadLimit, "test_options_at_their_limits_build_or_are_refused_clearly", (), "depth=0 is allowed .* ZeroDivisionError"),
    (BadWord, "test_options_at_their_limits_build_or_are_refused_clearly", (), "rule='b' is allowed .* KeyError"),
]  # fmt: skip
DECODERS: list[tuple[type, str, tuple[Any, ...], str]] = [
    (Unregistered, "test_the_global_random_state_decides_every_draw", (), "not with those of random or numpy"),
    (WrongShape, "test_decoded_codes_are_finite_and_of_the_data_shape", (2, True), r"\(N, \*data_shape\) = \(2, 6\)"),
    (SinglePrecision, "test_it_follows_a_change_of_type", (), r"after \.double\(\) the outcome is torch\.float32"),
    (Blind, "test_different_codes_have_different_samples", (), "the input does not reach the output"),
    (Mixing, "test_in_eval_mode_a_sample_depends_on_its_own_code_alone", (), "mix no entries of the batch axis"),
    (Noisy, "test_decoding_is_deterministic", (), "draw no noise in a decoder"),
    (Counting, "test_in_eval_mode_its_state_stays_as_it_is", (), "changed calls in eval mode"),
    (Exploding, "test_codes_far_from_the_prior_are_decoded_to_finite_samples", (1e3,), "bound any exp"),
]  # fmt: skip


@pytest.mark.parametrize(("suite", "mutant", "test", "arguments", "message"), [
    *((EncoderRules, *row) for row in ENCODERS), *((DecoderRules, *row) for row in DECODERS),
])  # fmt: skip
def test_a_faulty_network_is_told_its_fault(
    suite: type[Suite], mutant: type, test: str, arguments: tuple[Any, ...], message: str
) -> None:
    assert_told(suite, mutant, test, arguments, message)
