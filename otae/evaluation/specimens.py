"""What metrics look at: the splits of a dataset, and what a model makes of them, read and encoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import torch
from torch import Generator, Tensor

from ..autoencoder import Autoencoder, evaluating, placement
from ..errors import ConfigError
from ..interfaces import Dataset, Factors, Samples, Specimen
from ..kept_data import find_splits, require_same_data
from ..objective import Objective
from ..run import Run

_VALUES, _LEAST = 2**26, 1000
_BATCH = 1024


class Specimens(Mapping[str, Specimen]):
    """Creates the specimens of a model, one for each split of its data; everything is drawn from one seed.

    At most `limit` samples of a split are held in memory, drawn by seed where there are more, and `samples` generations,
    which all splits share. Of large samples fewer are held: together no more than 2²⁶ values, such as 5,461 pictures of
    3×64×64, and yet never fewer than 1,000 where so many are asked for.

    Args:
        model: The autoencoder.
        dataset: The data.
        splits: The indices of each split's samples, by name.
        train: The indices of the training samples.
        objective: The trained objective, or `None`.
        samples: The number of draws from the prior.
        limit: The largest number of samples of a split, and of training samples for baselines.
        seed: The seed.

    Raises:
        ConfigError: If a number is not positive.
    """

    def __init__(
        self,
        model: Autoencoder,
        dataset: Dataset,
        splits: Mapping[str, Sequence[int]],
        train: Sequence[int],
        *,
        objective: Objective | None = None,
        samples: int = 10_000,
        limit: int = 10_000,
        seed: int = 0,
    ) -> None:
        for name, value in (("samples", samples), ("limit", limit)):
            if value < 1:
                raise ConfigError(f"An evaluation needs {name} of at least 1, got {value}.")
        self.model, self.dataset, self.objective, self.seed = model, dataset, objective, seed
        most = max(_LEAST, _VALUES // prod(dataset.data_shape))
        self.samples, self.limit = min(samples, most), min(limit, most)
        self.sizes = {name: len(indices) for name, indices in splits.items()}
        self.splits = {name: self._some(indices) for name, indices in splits.items()}
        self._train = self._some(train)

    @classmethod
    def of_run(
        cls,
        run: Run,
        *,
        samples: int | None = None,
        limit: int | None = None,
        splits: Sequence[str] | None = None,
        anyway: bool = False,
    ) -> Specimens:
        """Returns the specimens of a run; what is left out is taken from its configuration.

        Args:
            run: The run, trained.
            samples: The number of draws from the prior.
            limit: The largest number of samples of a split.
            splits: The names of the splits.
            anyway: Whether the data may have changed since the run was trained.

        Raises:
            ConfigError: If a number is not positive, or there is no such split.
            DataError: If the data are missing or corrupt.
            RunError: If the run was not trained to its end, its data have changed, or a plugin is missing.
        """
        experiment, dataset = run.experiment, run.dataset
        if not anyway:
            require_same_data(run, dataset)
        found, section = find_splits(run, dataset), experiment.evaluation
        known: dict[str, Sequence[int]] = {**found.by_name, "all": range(len(dataset))}
        names = _there(known, section.splits) if splits is None else splits
        if unknown := [name for name in names if not known.get(name)]:
            allowed = ", ".join(name for name, indices in known.items() if indices)
            reason = "This run has no samples in the split" if unknown[0] in known else "There is no split named"
            raise ConfigError(f"{reason} {unknown[0]!r}. Allowed: {allowed}.")
        return cls(
            run.model,
            dataset,
            {name: known[name] for name in names},
            found.train,
            objective=run.objective,
            samples=section.samples if samples is None else samples,
            limit=section.limit if limit is None else limit,
            seed=experiment.seed,
        )

    @classmethod
    def of_model(
        cls,
        model: Autoencoder,
        dataset: Dataset | Tensor,
        *,
        train: Dataset | Tensor | None = None,
        objective: Objective | None = None,
        samples: int | None = None,
        limit: int | None = None,
        seed: int = 0,
    ) -> Specimens:
        """Returns the specimens of any autoencoder: one split, `all`.

        Args:
            model: The autoencoder.
            dataset: The data to judge it on, or samples with shape (N, *data_shape).
            train: The data it was trained on; those of `dataset` where `None`.
            objective: The objective it was trained on, or `None`.
            samples: The number of draws from the prior; 10,000 where `None`.
            limit: The largest number of samples; 10,000 where `None`.
            seed: The seed.

        Raises:
            ConfigError: If a number is not positive, or the data do not fit the model.
        """
        parts = [_as_dataset(each) for each in (dataset, train) if each is not None]
        for part in parts:
            if tuple(part.data_shape) != model.data_shape or not len(part):
                raise ConfigError(
                    f"The model takes samples of shape {model.data_shape}; the data have {len(part)} of shape "
                    f"{tuple(part.data_shape)}."
                )
        first, joined = len(parts[0]), _Joined(parts) if len(parts) > 1 else parts[0]
        indices = range(first, len(joined)) if len(parts) > 1 else range(first)
        given = {"samples": samples, "limit": limit}
        sizes = {name: value for name, value in given.items() if value is not None}
        return cls(model, joined, {"all": range(first)}, indices, objective=objective, seed=seed, **sizes)

    @property
    def protocol(self) -> dict[str, Any]:
        """Returns how the specimens are made: the seed, the sizes of the splits and how many of them are held."""
        held = {name: len(indices) for name, indices in self.splits.items()}
        sizes = {"samples": self.samples, "sizes": dict(self.sizes), "held": held, "train": len(self._train)}
        return {"seed": self.seed, **sizes}

    def __getitem__(self, name: str) -> Specimen:
        """Returns the specimen of a split."""
        chosen = self._encoded[self.splits[name]]
        prior, generations = self._generated
        return Specimen(
            data=chosen.data,
            codes=chosen.codes,
            draws=chosen.draws,
            labels=chosen.labels,
            factors=chosen.factors,
            reconstructions=self._reconstructed(name, chosen.codes),
            generations=generations,
            prior=prior,
            train=self._encoded[self._train],
            class_names=self.dataset.class_names,
            model=self.model,
            objective=self.objective,
            seed=self.seed,
        )

    def __contains__(self, name: object) -> bool:
        return name in self.splits  # without reading and encoding it

    def __iter__(self) -> Any:
        return iter(self.splits)

    def __len__(self) -> int:
        return len(self.splits)

    @cached_property
    def _encoded(self) -> _Encoded:
        """Reads and encodes every sample that some split needs, once."""
        needed = sorted({*self._train, *(index for indices in self.splits.values() for index in indices)})
        data = self.dataset.__getitems__(needed)
        place, means, draws = placement(self.model), [], []
        with evaluating(self.model):
            for batch in torch.split(data, _BATCH):
                law = self.model.encoder(batch.to(**place))
                means.append(law.mean.to("cpu"))
                draws.append(law.sample().to("cpu"))
        labels, factors = self.dataset.labels, self.dataset.factors
        return _Encoded(
            {index: position for position, index in enumerate(needed)},
            Samples(
                data=data,
                codes=torch.cat(means),
                draws=torch.cat(draws),
                labels=None if labels is None else labels[needed],
                factors=None if factors is None else factors[needed],
            ),
        )

    @cached_property
    def _generated(self) -> tuple[Tensor, Tensor]:
        place = placement(self.model).get("device", "cpu")
        codes = self.model.sample_codes(self.samples, generator=Generator(place).manual_seed(self.seed))
        return codes.cpu(), self.model.decode(codes).cpu()

    def _reconstructed(self, name: str, codes: Tensor) -> Tensor:
        known: dict[str, Tensor] = self.__dict__.setdefault("_reconstructions", {})
        if name not in known:
            known[name] = self.model.decode(codes)
        return known[name]

    def _some(self, indices: Sequence[int]) -> list[int]:
        if len(indices) <= self.limit:
            return list(indices)
        order = torch.randperm(len(indices), generator=Generator().manual_seed(self.seed))
        return sorted(indices[position] for position in order[: self.limit].tolist())


def _there(known: Mapping[str, Sequence[int]], names: Sequence[str]) -> list[str]:
    """Returns those of the splits of a configuration that have samples; all samples where none has."""
    return [name for name in names if known.get(name)] or ["all"]


@dataclass(frozen=True)
class _Encoded:
    """Holds samples and their codes, looked up by their indices in the dataset."""

    positions: dict[int, int]
    samples: Samples

    def __getitem__(self, indices: Sequence[int]) -> Samples:
        rows = [self.positions[index] for index in indices]
        whole = self.samples
        return Samples(
            data=whole.data[rows],
            codes=whole.codes[rows],
            draws=None if whole.draws is None else whole.draws[rows],
            labels=None if whole.labels is None else whole.labels[rows],
            factors=None if whole.factors is None else whole.factors[rows],
        )


class _Tensors(Dataset):
    """Holds samples in memory as a dataset."""

    def __init__(self, samples: Tensor) -> None:
        super().__init__()
        self.samples, self.data_shape = samples, tuple(samples.shape[1:])

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Tensor:
        return self.samples[index]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self.samples[list(indices)]


class _Joined(Dataset):
    """Holds the data to judge and then the training data, as one dataset."""

    def __init__(self, parts: Sequence[Dataset]) -> None:
        super().__init__()
        first, second = parts
        self.parts, self.border, self.data_shape = (first, second), len(first), first.data_shape
        if first.labels is not None and second.labels is not None:
            self.labels = torch.cat([first.labels, second.labels])
        if first.factors is not None and second.factors is not None:
            self.factors = Factors(torch.cat([first.factors.table, second.factors.table]), first.factors.kinds)
        self.class_names = first.class_names

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, index: int) -> Tensor:
        return self.parts[0][index] if index < self.border else self.parts[1][index - self.border]


def _as_dataset(data: Dataset | Tensor) -> Dataset:
    return _Tensors(data) if isinstance(data, Tensor) else data
