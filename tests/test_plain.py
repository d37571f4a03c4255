"""Plain modules as encoders and decoders: what they give is the law, and a wrong shape is told with its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import Blobs, Fit, LinearDecoder, Standard, Surprise
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import otae
from otae import Autoencoder, Objective, Term
from otae.errors import ConfigError, ObjectiveError


class Pair(nn.Module):
    """Creates a map to mean and log-variance."""

    def __init__(self, inputs: int = 6, outputs: int = 2) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(x), self.log_variance(x)


def make(encoder: nn.Module | None = None, decoder: nn.Module | None = None, **sizes: Any) -> Autoencoder:
    """Returns an autoencoder of plain modules."""
    sizes = {"latent_dim": 2, "data_shape": (6,), **sizes}
    return Autoencoder(encoder or nn.Linear(6, 2), decoder or nn.Linear(2, 6), Standard(2), **sizes)


def test_a_tensor_is_a_deterministic_code() -> None:
    module, x = nn.Linear(6, 2), torch.randn(5, 6)
    law = make(module).encoder(x)
    assert torch.equal(law.mean, module(x))
    assert torch.equal(law.rsample(), module(x))
    with pytest.raises(ObjectiveError, match="needs the density of 'code'"):
        Objective({"surprise": Term(Surprise(), "code")}).check(make(module))


def test_a_pair_is_the_mean_and_the_log_variance_of_a_normal_law() -> None:
    module, x = Pair(), torch.randn(5, 6)
    mean, log_variance = module(x)
    law = make(module).encoder(x)
    torch.testing.assert_close(law.mean, mean)
    torch.testing.assert_close(law.variance, log_variance.exp())
    density = -0.5 * ((0 - mean).square() / log_variance.exp() + log_variance + torch.log(torch.tensor(2 * torch.pi)))
    torch.testing.assert_close(law.log_prob(torch.zeros(5, 2)), density.sum(1))
    assert make(module).encoder.has_density


def test_plain_modules_train_are_judged_saved_and_restored(tmp_path: Path) -> None:
    torch.manual_seed(0)
    data, model, other = Blobs(), make(Pair()), make(Pair())
    objective = Objective({"fit": Term(Fit(), "data", "reconstruction")})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    first = last = torch.tensor(0.0)
    for step in range(60):
        last = objective(model, data.points).total
        first = first if step else last.detach()
        optimizer.zero_grad()
        last.backward()
        optimizer.step()
    assert last < 0.5 * first
    figures = otae.evaluate(model, data, ["reconstruction"]).figures["all"]["reconstruction"]
    assert figures["mse"] == pytest.approx(
        float((model.reconstruct(data.points) - data.points).square().mean()), rel=1e-4
    )
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(other.encode(data.points), model.encode(data.points))


def test_the_dry_call_leaves_mode_statistics_and_random_numbers_alone() -> None:
    module = nn.Sequential(nn.Linear(6, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    decoder = nn.Linear(2, 6)
    torch.manual_seed(0)
    model = make(module, decoder)
    after = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(after, torch.rand(1))
    assert model.encoder.training
    assert module[1].num_batches_tracked == 0


def test_a_lazy_layer_learns_its_size() -> None:
    assert make(nn.LazyLinear(2)).encode(torch.zeros(3, 6)).shape == (3, 2)


def test_one_plain_module_takes_its_sizes_from_the_other_part() -> None:
    decoder = otae.decoders.create("linear-decoder", latent_dim=2, data_shape=(6,))
    assert Autoencoder(nn.Linear(6, 2), decoder, Standard(2)).data_shape == (6,)


PICTURE = {"data_shape": (1, 2, 3)}


@pytest.mark.parametrize(("encoder", "decoder", "sizes", "message"), [
    (nn.Linear(6, 3), None, {}, r"must give codes of shape \(N, 2\), or a pair .*gave \(2, 3\)"),
    (nn.Linear(5, 2), None, {}, r"cannot take samples of shape \(N, 6\): RuntimeError: .*cannot be multiplied"),
    (nn.Linear(6, 2), None, PICTURE, r"cannot take samples of shape \(N, 1, 2, 3\): .* Begin it with nn\.Flatten\(\)\."),
    (nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), nn.Linear(2, 6), PICTURE, r"End it with nn\.Unflatten\(1, \(1, 2, 3\)\)"),
    (None, nn.Linear(2, 5), {}, r"must give samples of shape \(2, 6\) for 2 codes, and gave a tensor of shape \(2, 5\)"),
    (None, Pair(2, 6), {}, r"must give samples .*gave a tuple"),
    (nn.LSTM(6, 2), None, {}, r"must give codes of shape"),
    (None, None, {"latent_dim": None}, r"Plain modules do not tell their sizes: give latent_dim"),
    (None, LinearDecoder(3, (6,)), {}, r"LinearDecoder has latent_dim 3 and data_shape \(6,\), which is not the latent_dim 2"),
    (None, None, {"data_shape": None}, r"Plain modules do not tell their sizes"),
])  # fmt: skip
def test_a_module_that_does_not_fit_is_told_with_the_cure(
    encoder: nn.Module | None, decoder: nn.Module | None, sizes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(encoder, decoder, **sizes)
