"""The conformance suite of datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import pytest
import torch
from torch import Tensor

from ..interfaces import Dataset, Factors
from .suite import Suite


class DatasetSuite(Suite):
    """Creates the rules of datasets.

    A test subclasses it and names the class. Where the dataset reads files, a fixture writes them and sets the options:

        class TestMyDataset(DatasetSuite):
            plugin = MyDataset

            @pytest.fixture(autouse=True)
            def file(self, tmp_path, monkeypatch):
                numpy.save(tmp_path / "x.npy", numpy.zeros((5, 3)))
                monkeypatch.setattr(type(self), "options", {"path": str(tmp_path / "x.npy")})
    """

    looks = 32
    """The number of samples that a check looks at, spread over the dataset."""

    @pytest.fixture
    def dataset(self) -> Any:
        """Returns a fresh dataset."""
        return self.build()

    def use(self, part: Any) -> None:
        """Reads a sample and a batch.

        Args:
            part: The dataset.
        """
        part[0]
        part.__getitems__([0, len(part) - 1])

    def check_copy(self, part: Any, other: Any) -> None:
        """Checks that a copy gives the same samples.

        Args:
            part: The dataset.
            other: Its copy.
        """
        super().check_copy(part, other)
        assert len(other) == len(part), "the copy must have the same length"
        assert torch.equal(other[0], part[0]), "the copy must give the same samples: loaders pickle datasets"

    def indices(self, dataset: Any) -> list[int]:
        """Returns the indices to look at: all of a small dataset, else the first, the last and some between.

        Args:
            dataset: The dataset.
        """
        return sorted({round(step * (len(dataset) - 1) / (self.looks - 1)) for step in range(self.looks)})

    def looked_at(self, dataset: Any) -> Iterator[Tensor]:
        """Yields the samples to look at.

        Args:
            dataset: The dataset.
        """
        return (dataset[index] for index in self.indices(dataset))

    def test_it_is_a_dataset_with_samples(self, dataset: Any) -> None:
        assert isinstance(dataset, Dataset), "a dataset subclasses otae.Dataset"
        assert len(dataset) > 0, "a dataset without samples must be refused with a DataError that names the file"

    def test_the_declared_shape_is_that_of_each_sample(self, dataset: Any) -> None:
        shape = dataset.data_shape
        assert isinstance(shape, tuple), "set data_shape to a tuple of whole numbers in __init__"
        assert all(isinstance(side, int) and side > 0 for side in shape), f"data_shape holds positive ints, not {shape}"
        for sample in self.looked_at(dataset):
            assert tuple(sample.shape) == shape, f"a sample has shape {tuple(sample.shape)}, but data_shape is {shape}"

    def test_each_sample_is_finite_and_floating_point(self, dataset: Any) -> None:
        for sample in self.looked_at(dataset):
            assert isinstance(sample, Tensor), "a sample is one tensor; labels go to the attribute labels"
            assert sample.is_floating_point(), f"samples must be floating-point, not {sample.dtype}: call .float()"
            assert sample.isfinite().all(), "samples must be finite: refuse NaN and infinity with a DataError"

    def test_each_sample_keeps_the_declared_value_range(self, dataset: Any) -> None:
        if dataset.value_range is None:
            pytest.skip("the dataset declares no value range")
        low, high = dataset.value_range
        assert low < high, f"value_range is (smallest, largest), not {dataset.value_range}"
        for sample in self.looked_at(dataset):
            kept = low <= sample.min() and sample.max() <= high
            assert kept, f"a sample leaves the value range {dataset.value_range}: scale it, or set value_range = None"

    def test_labels_are_one_integer_per_sample(self, dataset: Any) -> None:
        if dataset.labels is None:
            pytest.skip("the dataset has no labels")
        assert isinstance(dataset.labels, Tensor), "labels must be a tensor"
        shape = tuple(dataset.labels.shape)
        assert shape == (len(dataset),), f"labels must have shape (N,) = ({len(dataset)},), not {shape}"
        whole = not dataset.labels.is_floating_point() and not dataset.labels.is_complex()
        assert whole, f"labels must be integer classes, not {dataset.labels.dtype}"

    def test_class_names_are_those_of_the_labels(self, dataset: Any) -> None:
        names = dataset.class_names
        if names is None:
            pytest.skip("the dataset has no class names")
        assert dataset.labels is not None, "class_names name the classes of labels, and there are none"
        named = isinstance(names, tuple) and all(isinstance(name, str) and name for name in names)
        assert named, f"class_names must be a tuple of names, not {names!r}"
        assert len(set(names)) == len(names), f"classes need different names, not {names}"
        low, high = int(dataset.labels.min()), int(dataset.labels.max())
        held = f"labels go from {low} to {high}"
        kept = low >= 0 and high < len(names)
        assert kept, f"{held}, but class_names has {len(names)} names, counted from 0"

    def test_its_preparation_is_kept_as_plain_values(self, dataset: Any) -> None:
        kind = self.plugin.preparations  # type: ignore[attr-defined]
        if dataset.preparation is None:
            pytest.skip("the dataset keeps no way from raw data to samples")
        assert kind is type(dataset.preparation), "set preparations to the class of preparation: a run finds it by that"
        told = dataset.preparation.to_dict()
        kept = kind.from_dict(json.loads(json.dumps(told, allow_nan=False)))
        assert kept.to_dict() == told, "from_dict must give back what to_dict told, by way of JSON"

    def test_factors_are_numbers_of_each_sample(self, dataset: Any) -> None:
        factors = dataset.factors
        if factors is None:
            pytest.skip("the dataset has no factors")
        assert isinstance(factors, Factors), (
            "factors must be an otae.interfaces.Factors: a table, and what its columns are"
        )
        assert len(factors) == len(dataset), f"factors must have one row a sample, {len(dataset)}, not {len(factors)}"
        assert not factors.table.is_complex(), "factors are whole or real numbers"

    def test_factors_take_the_values_they_declare(self, dataset: Any) -> None:
        if dataset.factors is None:
            pytest.skip("the dataset has no factors")
        table = dataset.factors.table
        for kind, column in zip(dataset.factors.kinds, table.unbind(1), strict=True):
            if kind.values is not None:
                strange = column[~torch.isin(column, torch.tensor(kind.values, dtype=column.dtype))]
                assert not len(strange), f"the factor {kind.name!r} takes {strange[:1].tolist()}, not among its values"
            if kind.period is not None:
                shares = column.double() / kind.period
                inside = bool(((shares > -1e-6) & (shares < 1 + 1e-6)).all())
                assert inside, f"the circular factor {kind.name!r} must stay in [0, period] = [0, {kind.period:g}]"

    def test_its_sources_stay_in_the_data_folder(self) -> None:
        names = [source.name for source in self.plugin.sources]  # type: ignore[attr-defined]
        assert len(set(names)) == len(names), f"each source needs a name of its own: {names}"
        for source in self.plugin.sources:  # type: ignore[attr-defined]
            assert source.files or source.by_hand, f"{source.name} needs files, or by_hand: how to get them"
            for file in source.files:
                path = PurePosixPath(file.path)
                inside = not path.is_absolute() and ".." not in path.parts
                assert inside, f"{file.path} must be relative to the data folder, without '..'"
                kind = (file.digest or "sha256:").partition(":")[0]
                assert kind in ("sha256", "md5"), f"a digest reads sha256:… or md5:…, not {file.digest}"

    def test_a_batch_equals_its_parts_in_the_order_asked_for(self, dataset: Any) -> None:
        last = len(dataset) - 1
        for indices in ([0], [last, 0], [0, last, 0], [last // 2, last]):
            parts = torch.stack([dataset[index] for index in indices])
            batch = dataset.__getitems__(indices)
            assert batch.dtype == parts.dtype, "__getitems__ must give the type that __getitem__ gives"
            assert torch.equal(batch, parts), f"__getitems__({indices}) must stack the samples in that order"

    def test_an_index_past_the_end_is_an_index_error(self, dataset: Any) -> None:
        with pytest.raises(IndexError, match=r"."):
            dataset[len(dataset)]

    def test_iteration_ends_with_the_last_sample(self, dataset: Any) -> None:
        count = sum(1 for _ in islice(dataset, 1000))
        assert count == min(len(dataset), 1000), "iteration must end after len(dataset) samples: raise IndexError there"

    def test_reading_twice_gives_the_same(self, dataset: Any) -> None:
        other = self.build()
        assert len(other) == len(dataset), "two datasets of one configuration must have one length"
        for index in self.indices(dataset):
            sample = dataset[index]
            assert torch.equal(sample, dataset[index]), f"sample {index} changed: draw no noise in a dataset"
            assert torch.equal(sample, other[index]), f"sample {index} differs in a second dataset: sort what you list"
        if dataset.labels is not None:
            assert torch.equal(dataset.labels, other.labels), "labels differ in a second dataset: sort what you list"
        if dataset.factors is not None:
            assert torch.equal(dataset.factors.table, other.factors.table), (
                "factors differ in a second dataset: seed every draw"
            )

    def test_a_sample_may_be_changed_without_changing_the_dataset(self, dataset: Any) -> None:
        dataset[0].fill_(-7)
        dataset.__getitems__([0]).fill_(-7)
        assert torch.equal(dataset[0], self.build()[0]), "the dataset hands out its own memory: return a copy"
