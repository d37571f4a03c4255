"""The autoencoder in use: any array in, the same kind out, in bounded memory, and no loss ever computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from fakes import LinearDecoder, LinearEncoder, MeanGap, Standard
from torch import Generator, Tensor, nn
from torch.distributions import Distribution

from otae import Autoencoder
from otae.errors import CloudError, ConfigError

X = torch.randn(50, 6, generator=Generator().manual_seed(0))


class Watchful(LinearEncoder):
    """Creates an encoder that remembers the sizes of its batches, its mode, and whether gradients were on."""

    def __init__(self) -> None:
        super().__init__((6,), 2)
        self.seen: list[tuple[int, bool, bool]] = []

    def forward(self, x: Tensor) -> Distribution:
        self.seen.append((len(x), self.training, torch.is_grad_enabled()))
        return super().forward(x)


def use(model: Autoencoder, method: str) -> Callable[..., Any]:
    """Returns a method applied to samples or to codes, whichever it takes."""
    values = X[:, :2] if method == "decode" else X
    return lambda change=lambda x: x, **options: getattr(model, method)(change(values), **options)


@pytest.mark.parametrize("method", ["encode", "decode", "reconstruct"])
def test_numpy_gives_numpy_and_torch_gives_torch(model: Autoencoder, method: str) -> None:
    tensor, array = use(model, method)(), use(model, method)(lambda x: x.numpy())
    assert isinstance(tensor, Tensor)
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(tensor.numpy(), array)
    assert not tensor.requires_grad


@pytest.mark.parametrize("change", [
    lambda x: x[::-1].copy()[::-1], lambda x: x.astype(">f4"), lambda x: x.astype(np.float64),
    lambda x: np.asfortranarray(x),
    lambda x: np.broadcast_to(x, x.shape), lambda x: np.repeat(x, 2, 0)[::2], lambda x: x.tolist(),
], ids=["reversed", "big-endian", "double", "fortran", "read-only", "strided", "list"])  # fmt: skip
def test_an_array_of_any_layout_is_read(model: Autoencoder, change: Callable[[Any], Any]) -> None:
    np.testing.assert_allclose(model.encode(change(X.numpy())), model.encode(X).numpy(), rtol=1e-5, atol=1e-6)


def test_the_results_are_those_of_the_parts(model: Autoencoder) -> None:
    with torch.no_grad():
        codes = model.encoder(X).mean
        torch.testing.assert_close(model.encode(X), codes)
        torch.testing.assert_close(model.decode(codes), model.decoder(codes))
        torch.testing.assert_close(model.reconstruct(X), model.decoder(codes))
    assert model(X).requires_grad
    assert (model.latent_dim, model.data_shape) == (2, (6,))


@pytest.mark.parametrize("batch_size", [1, 7, 50, 51, 10**6])
@pytest.mark.parametrize("method", ["encode", "decode", "reconstruct"])
def test_the_size_of_batches_does_not_change_the_result(model: Autoencoder, method: str, batch_size: int) -> None:
    torch.testing.assert_close(use(model, method)(batch_size=batch_size), use(model, method)())


@pytest.mark.parametrize("method", ["encode", "reconstruct"])
def test_work_is_done_in_eval_mode_without_gradients_and_leaves_every_mode_as_it_was(method: str) -> None:
    encoder, decoder = Watchful(), LinearDecoder(2, (6,))
    model = Autoencoder(encoder, decoder, Standard(2)).train()
    decoder.map.eval()
    getattr(model, method)(X)
    assert encoder.seen == [(50, False, False)]
    assert (model.training, encoder.training, decoder.training, decoder.map.training) == (True, True, True, False)
    assert torch.is_grad_enabled()


def test_modes_are_restored_after_an_error() -> None:
    model = Autoencoder(Watchful(), LinearDecoder(2, (6,)), Standard(2)).train()
    with pytest.raises(CloudError, match="not finite"):
        model.encode(torch.full((3, 6), torch.nan))
    assert all(module.training for module in model.modules())


def test_many_samples_are_encoded_in_bounded_memory_without_decoding_or_any_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("encoding needs no decoder, no prior and no cost")

    for part, method in ((LinearDecoder, "forward"), (Standard, "sample"), (MeanGap, "forward")):
        monkeypatch.setattr(part, method, forbidden)
    encoder = Watchful()
    model = Autoencoder(encoder, LinearDecoder(2, (6,)), Standard(2))
    many = np.lib.stride_tricks.as_strided(X.numpy(), (100_000, 6), (0, 4))
    codes = model.encode(many, batch_size=1024)
    assert codes.shape == (100_000, 2)
    assert max(size for size, _, _ in encoder.seen) <= 1024
    assert sum(size for size, _, _ in encoder.seen) == 100_000


def test_codes_are_means_by_default_and_draws_on_request(model: Autoencoder) -> None:
    assert torch.equal(model.encode(X), model.encode(X))
    torch.manual_seed(0)
    first, second = model.encode(X, sample=True), model.encode(X, sample=True)
    assert not torch.equal(first, second)
    draws = model.encode(X[:1].expand(10_000, 6), sample=True)
    torch.testing.assert_close(draws.mean(0), model.encode(X[:1])[0], atol=0.05, rtol=0)
    torch.testing.assert_close(draws.std(0), model.encoder.log_scale.exp().detach(), atol=0.05, rtol=0)


def test_samples_follow_their_generator_and_no_batch_size(model: Autoencoder) -> None:
    draws = [model.sample(30, generator=Generator().manual_seed(1), batch_size=size) for size in (30, 7, 1)]
    assert draws[0].shape == (30, 6)
    for other in draws[1:]:
        torch.testing.assert_close(draws[0], other)
    before = torch.get_rng_state()
    model.sample(3, generator=Generator().manual_seed(1))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(model.sample(3), model.sample(3))
    assert not model.sample(3).requires_grad


def test_codes_of_samples_are_draws_from_the_prior(model: Autoencoder) -> None:
    codes = model.sample_codes(5, generator=Generator().manual_seed(1))
    torch.testing.assert_close(model.decode(codes), model.sample(5, generator=Generator().manual_seed(1)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_other_precisions_are_brought_to_the_models(model: Autoencoder, dtype: torch.dtype) -> None:
    assert model.encode(X.to(dtype)).dtype == torch.float32
    assert model.double().encode(X.to(dtype)).dtype == torch.float64


@pytest.mark.parametrize(("values", "message"), [
    (X[:, :5], r"takes samples of shape \(N, 6\) and a floating-point type, .* got shape \(50, 5\)"),
    (X[0], r"got shape \(6,\) and type torch\.float32"),
    (X[:, :, None], r"got shape \(50, 6, 1\)"),
    (torch.tensor(1.0), r"got shape \(\)"),
    (X.long(), r"got shape \(50, 6\) and type torch\.int64"),
    (X.numpy() > 0, r"got shape \(50, 6\) and type bool"),
    (np.full((2, 6), None), r"type object"),
    (np.full((2, 6), "a"), r"type <U1"),
    (X[:0], r"was given no samples: the array is empty"),
    (X.index_fill(0, torch.tensor([49]), torch.nan), r"samples hold a value that is not finite \(NaN or infinity\)"),
    (X.numpy() * np.inf, r"samples hold a value that is not finite"),
])  # fmt: skip
def test_what_cannot_be_encoded_is_refused(model: Autoencoder, values: Any, message: str) -> None:
    with pytest.raises(CloudError, match=message):
        model.encode(values, batch_size=20)


@pytest.mark.parametrize(("call", "message"), [
    (lambda model: model.decode(X), r"takes codes of shape \(N, 2\) .* got shape \(50, 6\)"),
    (lambda model: model.sample(0), "Cannot draw 0 samples: ask for at least 1"),
    (lambda model: model.sample(-3), "Cannot draw -3 samples"),
    (lambda model: model.encode(X, batch_size=0), "batch_size must be at least 1, got 0"),
    (lambda model: model.sample(3, batch_size=0), "batch_size must be at least 1, got 0"),
])  # fmt: skip
def test_what_cannot_be_done_is_refused(model: Autoencoder, call: Callable[[Autoencoder], Any], message: str) -> None:
    with pytest.raises(CloudError, match=message):
        call(model)


@pytest.mark.parametrize(("dims", "shapes", "message"), [
    ((2, 3, 2), ((6,), (6,)), "disagree on the latent dimension: encoder 2, decoder 3, prior 2"),
    ((2, 2, 4), ((6,), (6,)), "disagree on the latent dimension: encoder 2, decoder 2, prior 4"),
    ((2, 2, 2), ((6,), (5,)), r"disagree on the data shape: encoder \(6,\), decoder \(5,\)"),
])  # fmt: skip
def test_parts_that_disagree_are_refused(dims: tuple[int, ...], shapes: tuple[Any, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Autoencoder(LinearEncoder(shapes[0], dims[0]), LinearDecoder(dims[1], shapes[1]), Standard(dims[2]))


def test_an_autoencoder_is_a_plain_module(model: Autoencoder) -> None:
    assert isinstance(model, nn.Module)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    other = Autoencoder(LinearEncoder((6,), 2), LinearDecoder(2, (6,)), Standard(2))
    other.load_state_dict(state)
    assert torch.equal(other.encode(X), model.encode(X))
