"""What the networks are: the law of noise inside, blocks that start as identities, symmetries, and PCA."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor, nn

from otae.training.layout import channels_last
from otae.transport import SqEuclidean
from otae_networks import (
    ConvDecoder,
    ConvEncoder,
    LinearDecoder,
    LinearEncoder,
    ResNetDecoder,
    ResNetEncoder,
    SequenceDecoder,
    SequenceEncoder,
    SetDecoder,
    SetEncoder,
)
from otae_networks.attention import Positions
from otae_networks.heads import ImplicitHead
from otae_networks.implicit import Implicit
from otae_networks.lengths import halvings
from otae_networks.residual import Enlarged, ResidualBlock
from otae_networks.stages import Stage
from otae_wasserstein import Paired


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_mean_of_an_implicit_law_is_that_of_its_draws() -> None:
    torch.manual_seed(0)
    law = ImplicitHead(4, 3).double()(draws(2, 4))
    with torch.no_grad():
        sample = law.rsample((100_000,))
    error = (sample.mean(0) - law.mean).abs() / (sample.std(0) / len(sample) ** 0.5)
    assert sample.shape == (100_000, 2, 3)
    assert error.max() < 4
    assert (sample.std(0) > 0.1).all()


def test_an_implicit_law_of_two_units_is_a_normal_law_and_of_one_a_rectified_one() -> None:
    torch.manual_seed(0)
    one = torch.ones(1, 1, dtype=torch.float64)
    opposite = torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
    normal = Implicit(3 * one, torch.zeros(1, 2, dtype=torch.float64), opposite, opposite.T)  # relu(e) - relu(-e) = e
    sample = normal.rsample((20_000,)).flatten()
    assert normal.mean.item() == pytest.approx(3, abs=1e-12)
    assert (sample - 3).square().mean().item() == pytest.approx(1, rel=0.05)
    assert ((sample - 3) ** 3).mean().item() == pytest.approx(0, abs=0.1)
    rectified = Implicit(0 * one, 0 * one, one, one).rsample((20_000,))
    assert (rectified == 0).double().mean().item() == pytest.approx(0.5, abs=0.02)
    assert (rectified >= 0).all()


def test_an_implicit_law_has_a_mean_and_gradients_where_its_noise_vanishes() -> None:
    drive = torch.tensor([[-2.0, 0.0, 2.0]], dtype=torch.float64, requires_grad=True)
    spread = torch.zeros(3, 1, dtype=torch.float64, requires_grad=True)
    law = Implicit(drive.new_zeros(1, 3), drive, spread, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(law.mean, drive.relu())
    for gradient in torch.autograd.grad(law.mean.sum(), (drive, spread)):
        assert gradient.isfinite().all()


def test_a_fresh_residual_block_is_the_identity_and_a_fresh_resnet_one_without_blocks() -> None:
    x = draws(2, 6, 5, 5).float()
    assert torch.equal(ResidualBlock(6, "silu")(x), x)
    deep, flat = ResNetEncoder((1, 8, 8), 2, blocks=3), ResNetEncoder((1, 8, 8), 2, blocks=0)
    kept = [module for module in deep.features if not isinstance(module, ResidualBlock)]
    assert len(deep.features) == len(kept) + 3
    flat.load_state_dict(
        {**nn.Sequential(*kept).state_dict(prefix="features."), **deep.head.state_dict(prefix="head.")}
    )
    image = torch.rand(2, 1, 8, 8)
    assert torch.equal(flat(image).mean, deep(image).mean)


def test_a_flat_image_is_enlarged_without_a_checkerboard_which_a_transposed_convolution_gives() -> None:
    torch.manual_seed(0)
    stage = Stage(2, 4, (16, 16))
    x = torch.rand(1, 4, 1, 1).expand(1, 4, 8, 8)
    inner = Enlarged(stage)(x)[..., 2:-2, 2:-2]
    torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner))
    other = stage.upward()(x)[..., 2:-2, 2:-2]
    assert other.std(dim=(2, 3)).min() > 1e-2


@pytest.mark.parametrize("size", [(16, 12), (16, 5), (5, 16)], ids=str)
def test_a_step_up_is_the_copied_pixels_and_a_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    stage = Stage(2, 4, size)
    step, x = Enlarged(stage).double(), draws(3, 4, *stage.out_size).requires_grad_()
    plain = nn.Conv2d(4, 2, 3, padding=1).double()
    plain.load_state_dict(step.state_dict())
    expected = plain(nn.Upsample(size)(x))
    torch.testing.assert_close(step(x), expected)
    weight = draws(*expected.shape, seed=1)
    found = torch.autograd.grad((step(x) * weight).sum(), [x, step.weight, step.bias])
    torch.testing.assert_close(found, torch.autograd.grad((expected * weight).sum(), [x, plain.weight, plain.bias]))


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 17, 33), (5, 8, 50), (2, 61, 9), (3, 64, 48)], ids=str)
def test_a_resnet_takes_images_of_any_size_and_gives_them_back(shape: tuple[int, ...]) -> None:
    encoder, decoder = ResNetEncoder(shape, 2, channels=2, width=4), ResNetDecoder(2, shape, channels=2, width=4)
    assert decoder(encoder(torch.rand(2, *shape)).mean).shape == (2, *shape)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 31, 64, 101])
@pytest.mark.parametrize("body", ["conv", "transformer"])
def test_a_sequence_network_takes_any_length_and_gives_it_back(body: Any, length: int) -> None:
    options: dict[str, Any] = {"body": body, "width": 4, "depth": 1}
    encoder, decoder = SequenceEncoder((length, 3), 2, **options), SequenceDecoder(2, (length, 3), **options)
    assert decoder(encoder(torch.randn(2, length, 3)).mean).shape == (2, length, 3)


def test_a_sequence_is_halved_until_it_is_shorter_than_8() -> None:
    assert halvings(101) == [101, 50, 25, 12, 6]
    assert halvings(7) == [7]


def test_positions_are_sines_and_cosines_whose_products_know_only_the_distance() -> None:
    codes = Positions(20, 6).double().codes
    assert codes[3, 0].item() == pytest.approx(math.sin(3))
    assert codes[3, 5].item() == pytest.approx(math.cos(3 * 10_000 ** (-4 / 6)))
    gram = codes @ codes.T
    torch.testing.assert_close(gram[2:, 2:], gram[:-2, :-2], rtol=1e-5, atol=1e-5)


def test_a_transformer_sees_the_order_of_the_steps() -> None:
    torch.manual_seed(0)
    encoder = SequenceEncoder((9, 2), 2, body="transformer", width=8)
    x = torch.randn(1, 9, 2)
    assert (encoder(x).mean - encoder(x.flip(1)).mean).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_set_encoder_does_not_see_the_order_of_the_points(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    encoder, x = SetEncoder((50, 3), 4).to(dtype), draws(5, 50, 3).to(dtype)
    shuffled = x[:, torch.randperm(50)]
    accuracy = 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(encoder(shuffled).mean, encoder(x).mean, rtol=accuracy, atol=accuracy)
    assert (encoder(x.roll(1, 2)).mean - encoder(x).mean).abs().max() > 1e-3


def test_a_set_decoder_permutes_its_points_with_its_seeds() -> None:
    torch.manual_seed(0)
    decoder, z = SetDecoder(2, (10, 3)).double(), draws(4, 2)
    before, order = decoder(z), torch.randperm(10)
    with torch.no_grad():
        decoder.layers[1].seeds.copy_(decoder.layers[1].seeds[order])
    torch.testing.assert_close(decoder(z), before[:, order])


@pytest.mark.parametrize("centre", [True, False], ids=["centred", "off-centre"])
@pytest.mark.slow
def test_linear_networks_with_squared_errors_span_the_principal_components(centre: bool) -> None:
    digits = load_digits().data[:400] / 16
    data = digits - digits.mean(0) * centre
    x, dims = torch.from_numpy(data), 3
    torch.manual_seed(0)
    encoder, decoder = LinearEncoder((64,), dims, noise="none").double(), LinearDecoder(dims, (64,)).double()
    cost = Paired(SqEuclidean())
    optimizer = torch.optim.LBFGS(
        [*encoder.parameters(), *decoder.parameters()],
        max_iter=400,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = cost(x, decoder(encoder(x).rsample()))
        value.backward()
        return value

    optimizer.step(loss)
    pca = PCA(dims).fit(data)
    spanned = decoder.layers[0].weight.detach().numpy()  # (64, dims)
    assert np.degrees(subspace_angles(spanned, pca.components_.T)).max() < 0.5
    assert loss().item() == pytest.approx(
        np.square(data - pca.inverse_transform(pca.transform(data))).sum(1).mean(), rel=1e-4
    )


@pytest.mark.parametrize(("encode", "decode"), [(ConvEncoder, ConvDecoder), (ResNetEncoder, ResNetDecoder)])
def test_the_layout_of_images_in_memory_changes_no_value_and_reaches_every_layer(encode: Any, decode: Any) -> None:
    torch.manual_seed(0)
    shape = (3, 17, 24)
    encoder, decoder = encode(shape, 2, channels=4, width=8).double(), decode(2, shape, channels=4, width=8).double()
    x, z = draws(3, *shape), draws(3, 2)
    codes, images = encoder(x).mean, decoder(z)
    for part in (encoder, decoder):
        channels_last(part)
        kernels = [parameter for parameter in part.parameters() if parameter.ndim == 4]
        assert kernels
        assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    torch.testing.assert_close(encoder(x).mean, codes)
    torch.testing.assert_close(encoder(x.contiguous(memory_format=torch.channels_last)).mean, codes)
    torch.testing.assert_close(decoder(z), images)
