"""The conformance of the residual, sequence, set and linear networks, and what they refuse."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

import otae
from otae.errors import ConfigError
from otae.interfaces import Dirac
from otae.testing import DecoderSuite, EncoderSuite
from otae_networks import (
    ConvEncoder,
    LinearDecoder,
    LinearEncoder,
    MLPEncoder,
    ResNetDecoder,
    ResNetEncoder,
    SequenceDecoder,
    SequenceEncoder,
    SetDecoder,
    SetEncoder,
)

ODD = {"data_shape": (2, 9, 13), "latent_dim": 3, "value_range": (-1.0, 1.0)}
SERIES = {"data_shape": (19, 2), "latent_dim": 3, "value_range": (-1.0, 1.0)}
SETS = {"data_shape": (6, 2), "latent_dim": 3, "value_range": None}
TRANSFORMER = {"body": "transformer", "width": 8, "depth": 1, "heads": 2}


class TestImplicitMLPEncoder(EncoderSuite):
    plugin = MLPEncoder
    options: ClassVar = {"noise": "implicit", "width": 8}


class TestImplicitConvEncoder(EncoderSuite):
    plugin = ConvEncoder
    options: ClassVar = {"noise": "implicit", "channels": 4, "width": 8}


class TestResNetEncoder(EncoderSuite):
    plugin = ResNetEncoder


class TestImplicitResNetEncoderOfOddImages(EncoderSuite):
    plugin = ResNetEncoder
    given = ODD
    options: ClassVar = {"noise": "implicit", "channels": 4, "width": 8, "blocks": 2}


class TestResNetDecoder(DecoderSuite):
    plugin = ResNetDecoder


class TestResNetDecoderOfOddImages(DecoderSuite):
    plugin = ResNetDecoder
    given = ODD
    options: ClassVar = {"channels": 4, "width": 8, "blocks": 2}


class TestSequenceEncoder(EncoderSuite):
    plugin = SequenceEncoder
    given = SERIES
    options: ClassVar = {"width": 8}


class TestTransformerEncoder(EncoderSuite):
    plugin = SequenceEncoder
    given = SERIES
    options: ClassVar = {**TRANSFORMER, "noise": "implicit"}


class TestSequenceDecoder(DecoderSuite):
    plugin = SequenceDecoder
    given = SERIES
    options: ClassVar = {"width": 8}


class TestTransformerDecoder(DecoderSuite):
    plugin = SequenceDecoder
    given = SERIES
    options: ClassVar = TRANSFORMER


class TestSetEncoder(EncoderSuite):
    plugin = SetEncoder
    given = SETS


class TestImplicitSetEncoder(EncoderSuite):
    plugin = SetEncoder
    given = SETS
    options: ClassVar = {"noise": "implicit", "width": 8, "depth": 1}


class TestSetDecoder(DecoderSuite):
    plugin = SetDecoder
    given = SETS


class TestLinearEncoder(EncoderSuite):
    plugin = LinearEncoder


class TestImplicitLinearEncoder(EncoderSuite):
    plugin = LinearEncoder
    options: ClassVar = {"noise": "implicit"}


class TestLinearDecoder(DecoderSuite):
    plugin = LinearDecoder
    keeps_range = False


class TestSaturatedLinearDecoder(DecoderSuite):
    plugin = LinearDecoder
    options: ClassVar = {"output": "auto"}


SHAPES = {
    "mlp": (1, 8, 8),
    "conv": (1, 8, 8),
    "resnet": (1, 8, 8),
    "sequence": (8, 1),
    "set": (8, 2),
    "linear": (1, 8, 8),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_encoder_offers_every_noise_and_tells_whether_there_is_a_density(name: str) -> None:
    x = torch.rand(3, *SHAPES[name])
    for noise, density in {"gaussian": True, "implicit": False, "none": False}.items():
        encoder = otae.encoders.create(name, data_shape=SHAPES[name], latent_dim=2, noise=noise)
        law = encoder(x)
        assert encoder.has_density is density
        assert isinstance(law, Dirac) is (noise == "none")
        assert torch.equal(law.rsample(), law.rsample()) is (noise == "none")


@pytest.mark.parametrize("noise", ["gaussian", "implicit", "none"])
@pytest.mark.parametrize("name", SHAPES)
def test_mixed_precision_changes_a_code_by_no_more_than_its_rounding(name: str, noise: Any) -> None:
    torch.manual_seed(0)
    given: dict[str, Any] = {"data_shape": SHAPES[name], "latent_dim": 2}
    encoder, decoder = otae.encoders.create(name, noise=noise, **given), otae.decoders.create(name, **given)
    x = torch.rand(4, *SHAPES[name])
    with torch.autocast("cpu", torch.bfloat16):
        law = encoder(x)
        codes, images = law.mean, decoder(law.rsample())
    torch.testing.assert_close(codes.float(), encoder(x).mean, rtol=0, atol=0.02)
    assert images.isfinite().all()


@pytest.mark.parametrize("name", SHAPES)
def test_every_decoder_ends_in_the_layer_that_is_asked_for(name: str) -> None:
    z = 100 * torch.randn(20, 2, generator=torch.Generator().manual_seed(0))

    def span(output: str, value_range: tuple[float, float] | None) -> tuple[float, float]:
        torch.manual_seed(0)
        given: dict[str, Any] = {"data_shape": SHAPES[name], "latent_dim": 2, "value_range": value_range}
        x = otae.decoders.create(name, output=output, **given)(z)
        return x.min().item(), x.max().item()

    for output, value_range, (low, high) in [
        ("auto", (0.0, 1.0), (0, 1)),
        ("auto", (-1.0, 1.0), (-1, 1)),
        ("sigmoid", None, (0, 1)),
        ("tanh", None, (-1, 1)),
    ]:
        smallest, largest = span(output, value_range)
        assert low <= smallest < (low + high) / 2 < largest <= high
    assert span("none", (0.0, 1.0)) == span("auto", None)
    assert min(span("none", (0.0, 1.0))) < 0


@pytest.mark.parametrize("cost", ["entropy", "kl"])
def test_costs_that_need_a_density_refuse_an_implicit_encoder_before_training(cost: str) -> None:
    parts: dict[str, Any] = {"data_shape": (4,), "latent_dim": 2}
    encoder = otae.encoders.create("mlp", noise="implicit", **parts)
    model = otae.Autoencoder(
        encoder, otae.decoders.create("mlp", **parts), otae.priors.create("gaussian", latent_dim=2)
    )
    term = otae.Term(otae.costs.create(cost), "code", *(["prior"] if cost == "kl" else []))
    with pytest.raises(otae.errors.ObjectiveError, match=r"density of 'code', but the law of .* noise: gaussian"):
        otae.Objective({"spread": term}).check(model)
    with pytest.raises(otae.errors.CloudError, match=r"Implicit, its law, has no density"):
        otae.Objective({"spread": term})(model, torch.randn(3, 4))


@pytest.mark.parametrize("part", ["encoder", "decoder"])
@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("sequence", (1, 8, 8), r"sequences of shape \(length, channels\).*\(1, 8, 8\)"),
        ("sequence", (8,), r"sequences of shape \(length, channels\)"),
        ("set", (1, 8, 8), r"sets of points with shape \(points, dims\).*\(1, 8, 8\)"),
        ("resnet", (8, 8), "at least 8, but the data have shape"),
    ],
)
def test_data_of_another_kind_are_refused_and_the_mlp_is_named(part: str, name: str, shape: Any, message: str) -> None:
    registry = {"encoder": otae.encoders, "decoder": otae.decoders}[part]
    with pytest.raises(ConfigError, match=rf"{message}.*Use `{part}: mlp`"):
        registry.create(name, data_shape=shape, latent_dim=2)


@pytest.mark.parametrize("plugin", [SequenceEncoder, SequenceDecoder])
def test_heads_that_do_not_divide_the_width_are_refused(plugin: Any) -> None:
    with pytest.raises(ConfigError, match="width 10 cannot be shared by 4 heads: choose a multiple of 4"):
        plugin(data_shape=(8, 1), latent_dim=2, body="transformer", width=10)
