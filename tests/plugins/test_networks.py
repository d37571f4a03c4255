"""The encoders and decoders: the reference's sizes, any shape of data, and the laws they promise."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest
import torch
from torch import nn

import otae
from otae.errors import ConfigError
from otae.interfaces import Dirac
from otae.testing import DecoderSuite, EncoderSuite
from otae_networks import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder
from otae_networks.activations import ACTIVATIONS
from otae_networks.heads import LOG_VARIANCE_BOUND, GaussianHead
from otae_networks.stages import stages

IMAGES = {"data_shape": (2, 9, 13), "latent_dim": 3, "value_range": (-1.0, 1.0)}
VECTORS = {"data_shape": (5,), "latent_dim": 3, "value_range": None}


class TestMLPEncoder(EncoderSuite):
    plugin = MLPEncoder


class TestMLPEncoderOfVectors(EncoderSuite):
    plugin = MLPEncoder
    given = VECTORS
    options: ClassVar = {"noise": "none", "width": 8, "depth": 1, "activation": "tanh"}


class TestConvEncoder(EncoderSuite):
    plugin = ConvEncoder


class TestConvEncoderOfOddImages(EncoderSuite):
    plugin = ConvEncoder
    given = IMAGES
    options: ClassVar = {"noise": "none", "channels": 4, "width": 8}


class TestMLPDecoder(DecoderSuite):
    plugin = MLPDecoder


class TestMLPDecoderOfVectors(DecoderSuite):
    plugin = MLPDecoder
    given = VECTORS
    options: ClassVar = {"width": 8, "depth": 1, "activation": "tanh"}


class TestConvDecoder(DecoderSuite):
    plugin = ConvDecoder


class TestConvDecoderOfOddImages(DecoderSuite):
    plugin = ConvDecoder
    given = IMAGES
    options: ClassVar = {"channels": 4, "width": 8}


class TestConvDecoderWithoutBound(DecoderSuite):
    plugin = ConvDecoder
    options: ClassVar = {"output": "none", "channels": 4}
    keeps_range = False


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_networks_of_64_pixels_have_as_many_parameters_as_the_reference() -> None:
    hidden, heads = 4096 * 256 + 256, 2 * (256 * 64 + 64)
    convolutions = sum(16 * few * many + many for few, many in [(3, 32), (32, 64), (64, 128), (128, 256)])
    assert size(ConvEncoder((3, 64, 64), 64)) == convolutions + hidden + heads == 1_771_872

    linear = (64 * 256 + 256) + (256 * 4096 + 4096)
    transposed = sum(16 * few * many + few for few, many in [(3, 32), (32, 64), (64, 128), (128, 256)])
    assert size(ConvDecoder(64, (3, 64, 64))) == linear + transposed == 1_759_203


def test_the_networks_of_64_pixels_have_the_layers_of_the_reference() -> None:
    encoder, decoder = ConvEncoder((3, 64, 64), 64, value_range=(0.0, 1.0)), ConvDecoder(64, (3, 64, 64))
    down = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    up = [layer for layer in decoder.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in down] == [32, 64, 128, 256]
    assert [layer.in_channels for layer in up] == [256, 128, 64, 32]
    for layer in down + up:
        assert (layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 17, 33), (5, 8, 100), (2, 61, 9), (3, 128, 96)], ids=str)
def test_convolutions_take_images_of_any_size_and_give_them_back(shape: tuple[int, ...]) -> None:
    encoder, decoder = ConvEncoder(shape, 2, channels=2, width=4), ConvDecoder(2, shape, channels=2, width=4)
    codes = encoder(torch.rand(2, *shape)).mean
    assert codes.shape == (2, 2)
    assert decoder(codes).shape == (2, *shape)


@pytest.mark.parametrize(
    ("side", "count", "smallest"), [(8, 1, 4), (15, 1, 7), (16, 2, 4), (64, 4, 4), (100, 4, 6), (256, 6, 4)]
)
def test_stages_halve_a_side_until_it_is_below_8_pixels(side: int, count: int, smallest: int) -> None:
    path = stages((3, side, 8), 32, "encoder")
    assert len(path) == count
    assert path[-1].out_size == (smallest, 4)


def test_stages_double_the_channels_up_to_512() -> None:
    assert [stage.out_channels for stage in stages((3, 512, 512), 32, "encoder")] == [32, 64, 128, 256, 512, 512, 512]


@pytest.mark.parametrize("shape", [(64,), (8, 8), (1, 7, 8), (1, 64, 4), (1, 8, 8, 8)], ids=str)
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_convolutions_refuse_what_is_no_image_and_name_the_mlp(part: str, shape: tuple[int, ...]) -> None:
    sizes = {"data_shape": shape, "latent_dim": 2}
    with pytest.raises(ConfigError, match=rf"at least 8, but the data have shape \({shape[0]},.*Use `{part}: mlp`"):
        {"encoder": ConvEncoder, "decoder": ConvDecoder}[part](**sizes)


@pytest.mark.parametrize(
    ("output", "value_range", "layer"),
    [
        ("auto", (0.0, 1.0), nn.Sigmoid),
        ("auto", (0, 1), nn.Sigmoid),
        ("auto", (-1.0, 1.0), nn.Tanh),
        ("auto", (0.0, 16.0), nn.Identity),
        ("auto", None, nn.Identity),
        ("none", (0.0, 1.0), nn.Identity),
        ("sigmoid", None, nn.Sigmoid),
        ("tanh", (0.0, 1.0), nn.Tanh),
    ],
)
@pytest.mark.parametrize("plugin", [MLPDecoder, ConvDecoder])
def test_the_last_layer_follows_the_value_range_unless_it_is_named(plugin, output, value_range, layer) -> None:
    decoder = plugin(2, (1, 8, 8), value_range=value_range, output=output)
    assert type(decoder.layers[-1]) is layer


def test_the_conv_encoder_sees_the_logit_of_data_between_0_and_1_only() -> None:
    seen = {}
    for value_range in [(0.0, 1.0), (-1.0, 1.0), None]:
        encoder = ConvEncoder((1, 8, 8), 2, value_range=value_range)
        seen[value_range] = encoder.features[0](torch.tensor([0.0, 0.5, 0.75, 1.0], dtype=torch.float64)).tolist()
    bound = math.log(0.9999 / 0.0001)
    assert seen[0.0, 1.0] == pytest.approx([-bound, 0, math.log(3), bound])
    assert seen[-1.0, 1.0] == seen[None] == [0.0, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("plugin", [MLPEncoder, ConvEncoder])
def test_without_noise_the_law_is_a_dirac_and_has_no_density(plugin) -> None:
    encoder = plugin((1, 8, 8), 2, noise="none")
    law = encoder(torch.rand(3, 1, 8, 8))
    assert isinstance(law, Dirac)
    assert torch.equal(law.rsample(), law.mean)
    assert not encoder.has_density
    assert plugin((1, 8, 8), 2).has_density


def test_the_gaussian_head_gives_the_mean_and_variance_of_its_linear_maps() -> None:
    head, features = GaussianHead(4, 2).double(), torch.randn(3, 4, dtype=torch.float64)
    law = head(features)
    torch.testing.assert_close(law.mean, head.mean(features))
    torch.testing.assert_close(law.variance, head.log_variance(features).exp())
    entropy = 0.5 * (head.log_variance(features) + math.log(2 * math.pi * math.e)).sum(1)
    torch.testing.assert_close(law.entropy(), entropy)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("features", [-1e4, 1e4])
def test_the_deviation_stays_positive_and_finite_whatever_the_features(features: float, dtype: torch.dtype) -> None:
    head = GaussianHead(1, 1).to(dtype)
    nn.init.ones_(head.log_variance.weight)
    deviation = head(torch.full((1, 1), features, dtype=dtype)).base_dist.scale
    assert 0 < deviation < math.inf
    assert deviation.log().item() == pytest.approx(math.copysign(LOG_VARIANCE_BOUND / 2, features), rel=1e-2)


def test_an_mlp_of_depth_0_is_linear() -> None:
    encoder, decoder = MLPEncoder((3, 4), 2, depth=0).double(), MLPDecoder(2, (3, 4), depth=0).double()
    x, y = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    z, w = torch.randn(2, 5, 2, dtype=torch.float64)
    for part, first, second in [(lambda it: encoder(it).mean, x, y), (decoder, z, w)]:
        torch.testing.assert_close(part(first + second) + part(0 * first), part(first) + part(second))


@pytest.mark.parametrize("shape", [(7,), (3, 5), (1, 2, 3), (2, 3, 4, 5)], ids=str)
def test_an_mlp_takes_samples_of_any_shape(shape: tuple[int, ...]) -> None:
    codes = MLPEncoder(shape, 2)(torch.randn(3, *shape)).mean
    assert MLPDecoder(2, shape)(codes).shape == (3, *shape)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_found_by_its_name(name) -> None:
    encoder = otae.encoders.create("mlp", data_shape=(4,), latent_dim=2, activation=name)
    assert sum(type(layer) is ACTIVATIONS[name] for layer in encoder.modules()) == 2


@pytest.mark.parametrize("option", [{"width": 0}, {"depth": -1}, {"activation": "sin"}, {"noise": "laplace"}], ids=str)
def test_an_option_out_of_its_bounds_is_refused_by_name(option) -> None:
    with pytest.raises(ConfigError, match=next(iter(option))):
        otae.encoders.create("mlp", data_shape=(4,), latent_dim=2, **option)


def test_a_small_autoencoder_learns_to_reconstruct() -> None:
    torch.manual_seed(0)
    shape, value_range = (1, 8, 8), (0.0, 1.0)
    x = torch.rand(32, 1).mul(torch.linspace(0, 1, 64)).view(32, *shape)  # one factor of variation
    encoder = ConvEncoder(shape, 2, value_range=value_range, noise="none")
    decoder = ConvDecoder(2, shape, value_range=value_range)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    for _ in range(100):
        loss = (decoder(encoder(x).rsample()) - x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.05 * x.var()
