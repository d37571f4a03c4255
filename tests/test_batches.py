"""Batches and splits: complete, disjoint, even, and decided by the seed."""

from __future__ import annotations

import pytest
import torch
from fakes import Blobs

from otae.config import DataConfig
from otae.errors import DataError
from otae.training import split
from otae.training.batches import Batches


@pytest.mark.parametrize(("size", "batch_size"), [(43, 16), (1, 16), (64, 64), (65, 64), (10, 1)])
def test_batches_cover_the_split_once_and_differ_by_one_at_most(size: int, batch_size: int) -> None:
    dataset = Blobs(size=100)
    batches = list(Batches(dataset, range(size), batch_size, seed=1))
    sizes = [len(batch) for batch in batches]
    assert sum(sizes) == size
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    seen, expected = torch.cat(batches), dataset.points[:size]
    assert torch.equal(seen.sort(0).values, expected.sort(0).values)


def test_the_order_changes_from_epoch_to_epoch_and_follows_the_seed() -> None:
    first, same, other = (Batches(Blobs(), range(60), 16, seed=seed) for seed in (1, 1, 2))
    epochs = [[torch.cat(list(batches)) for _ in range(2)] for batches in (first, same, other)]
    assert torch.equal(epochs[0][0], epochs[1][0])
    assert torch.equal(epochs[0][1], epochs[1][1])
    assert not torch.equal(epochs[0][0], epochs[0][1])
    assert not torch.equal(epochs[0][0], epochs[2][0])


def test_the_split_is_disjoint_complete_and_follows_the_seed() -> None:
    config = DataConfig(name="blobs", validation=0.1, test=0.2)
    parts = split(100, config, seed=0)
    assert sorted(parts.train + parts.validation + parts.test) == list(range(100))
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (70, 10, 20)
    assert parts == split(100, config, seed=0) != split(100, config, seed=1)


def test_too_few_samples_are_refused_with_the_cure() -> None:
    with pytest.raises(DataError, match=r"3 samples split into .* data\.validation"):
        split(3, DataConfig(name="blobs"), seed=0)
