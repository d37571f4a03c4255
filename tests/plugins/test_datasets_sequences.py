"""Sequences of unequal length: padded and marked, unseen in the padding, and cut again where they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import otae
from otae.errors import CloudError, ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import Arrays

RANDOM = np.random.default_rng(0)
LENGTHS = RANDOM.integers(3, 13, 30)
VALUES = RANDOM.normal(size=(30, 12, 2)).astype("float32")
SEQUENCES = [values[:steps] for values, steps in zip(VALUES, LENGTHS, strict=True)]


def write(path: Path, values: Any = VALUES, lengths: Any = LENGTHS) -> Path:
    """Returns the path of a file of padded sequences, in whose padding anything stands."""
    np.savez(path, x=values, lengths=lengths)
    return path


class TestSequences(DatasetSuite):
    plugin = Arrays

    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"path": str(write(tmp_path / "s.npz")), "lengths": "lengths"})


def test_samples_hold_the_steps_and_which_are_there(tmp_path: Path) -> None:
    dataset = Arrays(write(tmp_path / "s.npz"), lengths="lengths")
    assert dataset.data_shape == (12, 3)
    batch = dataset.__getitems__(range(30)).numpy()
    np.testing.assert_array_equal(batch[..., -1].sum(1), LENGTHS)
    for sample, sequence in zip(batch, SEQUENCES, strict=True):
        np.testing.assert_array_equal(sample[: len(sequence), :2], sequence)
        assert (sample[len(sequence) :] == 0).all()


def test_they_come_back_as_sequences(tmp_path: Path) -> None:
    dataset = Arrays(write(tmp_path / "s.npz"), lengths="lengths")
    preparation = dataset.preparation
    assert preparation is not None
    batch = preparation.prepare(SEQUENCES)
    torch.testing.assert_close(batch, dataset.__getitems__(range(30)))
    torch.testing.assert_close(type(preparation).from_dict(preparation.to_dict()).read(tmp_path / "s.npz"), batch)
    for found, sequence in zip(preparation.restore(batch), SEQUENCES, strict=True):
        np.testing.assert_array_equal(found, sequence)
    with pytest.raises(DataError, match="sequence 0 has 20 steps, where the model takes 12 at most"):
        preparation.prepare([np.zeros((20, 2))])
    with pytest.raises(DataError, match="steps have 3 channels, where the model was trained on 2"):
        preparation.prepare([np.zeros((5, 3))])


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        (LENGTHS + 9, "30 whole numbers from 1 to 12"),
        (LENGTHS[:5], "whole numbers from 1 to 12"),
        (LENGTHS / 2, "float64"),
    ],
)
def test_lengths_that_do_not_fit_are_told(tmp_path: Path, lengths: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        Arrays(write(tmp_path / "s.npz", lengths=lengths), lengths="lengths")


def test_objects_are_refused_with_the_cure_and_not_called_damaged(tmp_path: Path) -> None:
    objects = np.empty(30, object)
    objects[:] = SEQUENCES
    np.save(tmp_path / "o.npy", objects, allow_pickle=True)
    with pytest.raises(DataError, match=r"pickled and never loaded.*the option lengths") as caught:
        Arrays(tmp_path / "o.npy")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("body", ["conv", "transformer"])
def test_the_encoder_sees_nothing_in_the_padding(body: str) -> None:
    encoder = otae.encoders.create("sequence", data_shape=(12, 3), latent_dim=2, width=8, body=body, padded=True)
    there = (torch.arange(12) < torch.from_numpy(LENGTHS)[:, None]).float()[..., None]
    x = torch.cat([torch.from_numpy(VALUES), there], dim=2)
    with torch.no_grad():
        right = encoder(x * there).mean
        torch.testing.assert_close(encoder(x + 9 * (1 - there) * torch.tensor([1.0, 1, 0])).mean, right)
        changed = x.clone()
        changed[:, 0] += torch.tensor([1.0, 0, 0])
        assert (encoder(changed).mean - right).abs().max() > 1e-4
        assert torch.isfinite(encoder(torch.zeros(1, 12, 3)).mean).all()  # of no step at all


def test_attention_does_not_depend_on_how_much_padding_there_is() -> None:
    torch.manual_seed(0)
    long = otae.encoders.create("sequence", data_shape=(12, 3), latent_dim=2, width=8, body="transformer", padded=True)
    short = otae.encoders.create("sequence", data_shape=(7, 3), latent_dim=2, width=8, body="transformer", padded=True)
    short.load_state_dict(long.state_dict())
    x = torch.cat([torch.randn(4, 7, 2), torch.ones(4, 7, 1)], dim=2)
    torch.testing.assert_close(long(F.pad(x, (0, 0, 0, 5))).mean, short(x).mean)


def test_the_decoder_tells_which_steps_are_there() -> None:
    decoder = otae.decoders.create("sequence", latent_dim=2, data_shape=(12, 3), width=8, padded=True)
    x = decoder(10 * torch.randn(50, 2))
    assert x.shape == (50, 12, 3)
    assert (x[..., -1].min() >= 0, x[..., -1].max() <= 1, x[..., :-1].min() < 0) == (True, True, True)
    with pytest.raises(ConfigError, match="last channel that tells which steps are there"):
        otae.decoders.create("sequence", latent_dim=2, data_shape=(12, 1), padded=True)


@pytest.mark.parametrize("ground", ["sqeuclidean", "half-sqeuclidean", "l1"])
def test_the_cost_compares_the_steps_and_the_lengths(ground: str) -> None:
    there = (torch.arange(12) < torch.from_numpy(LENGTHS)[:, None]).double()[..., None]
    x = torch.cat([torch.from_numpy(VALUES).double(), there], dim=2)
    chances = torch.rand(30, 12, 1, dtype=torch.float64)
    y = torch.cat([torch.randn(30, 12, 2, dtype=torch.float64), chances], dim=2)
    plain = otae.costs.create("paired", ground=ground)
    right = torch.stack([
        plain(x[i : i + 1, :n, :2], y[i : i + 1, :n, :2]) + F.binary_cross_entropy(chances[i], there[i], reduction="sum")
        for i, n in enumerate(LENGTHS.tolist())
    ]).mean()  # fmt: skip
    torch.testing.assert_close(otae.costs.create("paired", ground=ground, padded=True)(x, y), right)


def test_the_cost_refuses_what_is_no_padded_sequence() -> None:
    with pytest.raises(CloudError, match=r"have shape \(N, L, C \+ 1\), got \(5, 3\)"):
        otae.costs.create("paired", padded=True)(torch.zeros(5, 3), torch.zeros(5, 3))
    with pytest.raises(ConfigError, match="'chamfer' is of sets of points"):
        otae.costs.create("paired", ground="chamfer", padded=True)


@pytest.mark.slow
def test_lengths_are_reconstructed(tmp_path: Path) -> None:
    """Sines of 5 to 20 steps: of each reconstruction the length is within some steps of the original's."""
    steps = RANDOM.integers(5, 21, 200)
    waves = [np.stack([np.sin(np.arange(n) / 2), np.cos(np.arange(n) / 2)], 1).astype("float32") for n in steps]
    network = {"name": "sequence", "padded": True, "width": 16}
    fit = {"cost": {"name": "paired", "padded": True}, "source": "data", "target": "reconstruction"}
    model = {"latent_dim": 4, "encoder": network, "decoder": network, "prior": "gaussian"}
    values = {"data": "digits", "model": model, "objective": {"fit": fit}, "training": {"epochs": 30, "threads": 1}}
    run = otae.train(otae.load_config(values), tmp_path / "run", data=waves, evaluation=False, report=False)
    copies = run.model.preparation.restore(run.model.reconstruct(run.dataset.__getitems__(range(200))))  # type: ignore[union-attr]
    assert np.corrcoef([len(copy) for copy in copies], steps)[0, 1] > 0.9
