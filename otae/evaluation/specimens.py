"""What metrics look at: the splits of a run's data, and what its model makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod

import torch
from torch import Generator, Tensor

from ..build import open_dataset
from ..errors import ConfigError
from ..interfaces import Dataset, Specimen
from ..run import Run
from ..training.splits import Splits, split

SPLITS = ("test", "all")

_VALUES, _LEAST = 2**26, 1000


class Specimens:
    """Creates the specimens of a run, one for each split; everything is drawn from the run's seed.

    At most `limit` samples of a split are held in memory, drawn by seed where there are more, and `samples` generations,
    which all splits share. Of large samples fewer are held: together no more than 2²⁶ values, such as 5,461 pictures of
    3×64×64, and yet never fewer than 1,000 where so many are asked for.

    Args:
        run: The run, trained.
        samples: The number of draws from the prior.
        limit: The largest number of samples of a split, and of training samples for baselines.

    Raises:
        ConfigError: If a number is not positive.
        DataError: If the data are missing or spoilt.
        RunError: If the run was not trained to its end, or a plugin is missing.
    """

    def __init__(self, run: Run, *, samples: int = 10_000, limit: int = 10_000) -> None:
        for name, value in (("samples", samples), ("limit", limit)):
            if value < 1:
                raise ConfigError(f"An evaluation needs {name} of at least 1, got {value}.")
        self.run = run
        experiment = run.experiment
        self.seed = experiment.seed
        self.dataset: Dataset = open_dataset(experiment)
        most = max(_LEAST, _VALUES // prod(self.dataset.data_shape))
        self.samples, self.limit = min(samples, most), min(limit, most)
        self.splits: Splits = split(len(self.dataset), experiment.data, self.seed)

    def __getitem__(self, name: str) -> Specimen:
        """Returns the specimen of a split: `train`, `validation`, `test`, or `all`."""
        indices = self._some(range(len(self.dataset)) if name == "all" else getattr(self.splits, name))
        data, model = self._read(indices), self.run.model
        labels, factors = self.dataset.labels, self.dataset.factors
        codes = model.encode(data)
        prior, generations = self._drawn
        return Specimen(
            data=data,
            codes=codes,
            reconstructions=model.decode(codes),
            generations=generations,
            prior=prior,
            train=self._train,
            labels=None if labels is None else labels[indices],
            factors=None if factors is None else factors[indices],
            factor_names=self.dataset.factor_names,
            seed=self.seed,
            draws=model.encode(data, sample=True),
        )

    @cached_property
    def _train(self) -> Tensor:
        return self._read(self._some(self.splits.train))

    @cached_property
    def _drawn(self) -> tuple[Tensor, Tensor]:
        codes = self.run.model.sample_codes(self.samples, generator=Generator().manual_seed(self.seed))
        return codes, self.run.model.decode(codes)

    def _some(self, indices: Sequence[int]) -> list[int]:
        if len(indices) <= self.limit:
            return list(indices)
        order = torch.randperm(len(indices), generator=Generator().manual_seed(self.seed))
        return sorted(indices[position] for position in order[: self.limit].tolist())

    def _read(self, indices: list[int]) -> Tensor:
        return self.dataset.__getitems__(indices)
