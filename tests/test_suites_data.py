"""The suites for datasets, metrics and recipes: what has one small fault fails at the rule it breaks, and is told it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
import yaml
from fakes import EXPERIMENT, Blobs
from mutants import assert_told
from torch import Tensor

from otae.interfaces import Factor, Factors, Figure, Metric, Specimen
from otae.loading import load_config
from otae.recipes import recipe
from otae.testing import DatasetSuite, MetricSuite, RecipeSuite


class Points(Blobs):
    """Creates points around centres, which a reader may change.

    Args:
        size: The number of points.
    """

    def __init__(self, size: int = 40) -> None:
        super().__init__(size)

    def __getitem__(self, index: int) -> Tensor:
        return self.points[index].clone()


class Error(Metric):
    """Creates the mean squared error of the reconstructions."""

    headline = "error"
    figures: ClassVar[dict[str, Figure]] = {"error": Figure("error", "The mean squared error.", "lower", 0.0)}

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"error": float((specimen.data - specimen.reconstructions).square().mean())}


class TestPoints(DatasetSuite):
    plugin = Points
    options: ClassVar[dict[str, Any]] = {"size": 40}


class TestError(MetricSuite):
    plugin = Error
    perfect: ClassVar[dict[str, float]] = {"error": 0.0}


class OtherShape(Points):
    """Creates samples of another shape than declared."""

    def __getitem__(self, index: int) -> Tensor:
        return super().__getitem__(index)[None]


class WholeNumbers(Points):
    """Creates samples of whole numbers."""

    def __getitem__(self, index: int) -> Tensor:
        return super().__getitem__(index).long()


class Noisy(Points):
    """Creates samples with fresh noise at each reading."""

    def __getitem__(self, index: int) -> Tensor:
        return super().__getitem__(index) + torch.randn(6)


class OutOfRange(Points):
    """Creates samples beyond their declared range."""

    value_range = (0.0, 1.0)


class Unit(Points):
    """Creates points in the unit cube."""

    value_range = (0.0, 1.0)

    def __getitem__(self, index: int) -> Tensor:
        return super().__getitem__(index).sigmoid()


class FewLabels(Points):
    """Creates fewer labels than samples."""

    def __init__(self) -> None:
        super().__init__()
        self.labels = torch.zeros(3, dtype=torch.int64)


class Described(Points):
    """Creates points with labels that have names, and with factors."""

    def __init__(self) -> None:
        super().__init__()
        self.labels, self.class_names = torch.arange(40) % 3, ("a", "b", "c")
        self.factors = Factors(torch.linspace(0, 6.28, 40)[:, None], (Factor("angle", "circular", period=6.28),))


class FewNames(Described):
    """Creates labels of which one has no name."""

    def __init__(self) -> None:
        super().__init__()
        self.class_names = ("a", "b")


class FewRows(Described):
    """Creates factors of fewer samples than there are."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = Factors(torch.zeros(3, 1), (Factor("x"),))


class BeyondValues(Described):
    """Creates a factor that takes a value which it does not declare."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = Factors(torch.arange(40)[:, None] % 4, (Factor("shape", "categorical", (0, 1, 2)),))


class BeyondPeriod(Described):
    """Creates angles of more than a full turn."""

    def __init__(self) -> None:
        super().__init__()
        self.factors = Factors(torch.linspace(0, 9, 40)[:, None], (Factor("angle", "circular", period=6.28),))


class Shuffled(Points):
    """Creates batches in an order of their own."""

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return super().__getitems__(sorted(indices))


class Seeding(Points):
    """Creates a dataset that seeds everybody."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()


class Unpickled(Points):
    """Creates a dataset that holds a function."""

    def __init__(self) -> None:
        super().__init__()
        self.change = lambda x: x


class Tensors(Error):
    """Creates a figure that is no number."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"error": torch.tensor(1.0)}  # type: ignore[dict-item]


class Degrees(Error):
    """Creates a figure that a single sample does not have."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        count = torch.tensor(len(specimen.data) - 1.0)
        return {"error": float((specimen.data - specimen.reconstructions).square().sum() / count)}


class Unseeded(Error):
    """Creates a figure of draws from the global state."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"error": float(torch.randn(()))}


class Cutting(Error):
    """Creates a figure for which the data are changed."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        specimen.data.sub_(1)
        return super().__call__(specimen)


class Biased(Error):
    """Creates a figure that a perfect model does not bring to 0."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"error": 1 + super().__call__(specimen)["error"]}


class FirstOnly(Error):
    """Creates a figure of the first sample."""

    def __call__(self, specimen: Specimen) -> dict[str, float]:
        return {"error": float(specimen.data[0].sum())}


@pytest.mark.parametrize(("mutant", "test", "message"), [
    (OtherShape, "test_the_declared_shape_is_that_of_each_sample", r"has shape \(1, 6\), but data_shape is \(6,\)"),
    (WholeNumbers, "test_each_sample_is_finite_and_floating_point", r"call \.float\(\)"),
    (Noisy, "test_reading_twice_gives_the_same", "draw no noise in a dataset"),
    (OutOfRange, "test_each_sample_keeps_the_declared_value_range", "scale it, or set value_range = None"),
    (FewLabels, "test_labels_are_one_integer_per_sample", r"labels must have shape \(N,\) = \(40,\)"),
    (FewNames, "test_class_names_are_those_of_the_labels", "labels go from 0 to 2, but class_names has 2 names"),
    (FewRows, "test_factors_are_numbers_of_each_sample", "one row a sample, 40, not 3"),
    (BeyondValues, "test_factors_take_the_values_they_declare", r"'shape' takes \[3\], not among its values"),
    (BeyondPeriod, "test_factors_take_the_values_they_declare", r"'angle' must stay in \[0, period\] = \[0, 6\.28\]"),
    (Shuffled, "test_a_batch_equals_its_parts_in_the_order_asked_for", "must stack the samples in that order"),
    (Blobs, "test_a_sample_may_be_changed_without_changing_the_dataset", "return a copy"),
])  # fmt: skip
def test_a_faulty_dataset_is_told_its_fault(mutant: type, test: str, message: str) -> None:
    base = Unit if mutant is OutOfRange else Described if issubclass(mutant, Described) else Points
    sound = type("Sound", (TestPoints,), {"plugin": base, "options": {}})
    assert_told(sound, mutant, test, lambda suite: (suite().build(),), message)


@pytest.mark.parametrize(("suite", "mutant", "test", "arguments", "message"), [
    (TestPoints, Seeding, "test_the_global_random_state_is_never_seeded", (), r"call no torch\.manual_seed"),
    (TestPoints, Unpickled, "test_it_can_be_copied_and_sent_to_another_process", (), "keep no function, file or lock"),
    (TestError, Tensors, "test_its_figures_are_named_finite_numbers", (torch.float64,), r"return float\(error\)"),
    (TestError, Degrees, "test_a_tiny_split_is_judged_or_refused", (1,), "leave out a figure that is undefined"),
    (TestError, Unseeded, "test_the_seed_of_the_specimen_decides_every_draw", (), r"manual_seed\(specimen\.seed\)"),
    (TestError, Unseeded, "test_the_global_random_state_is_left_alone", (), "generator of the metric's own"),
    (TestError, Cutting, "test_its_inputs_stay_as_they_are", (), "changed data in place: work on a copy"),
    (TestError, FirstOnly, "test_the_order_of_the_samples_does_not_matter", (), "a split has no order"),
    (TestError, Biased, "test_a_perfect_model_has_the_declared_figures", (), "a perfect model has"),
])  # fmt: skip
def test_a_faulty_part_is_told_its_fault(
    suite: Any, mutant: type, test: str, arguments: tuple[Any, ...], message: str
) -> None:
    sound = type("Sound", (suite,), {"options": {}})
    assert_told(sound, mutant, test, arguments, message)


class Fakes(RecipeSuite):
    recipe = "mine"


@pytest.fixture
def shipped(install: Callable[..., Path]) -> Callable[[dict[str, Any], str], None]:
    """Returns a function that ships a recipe of fakes."""

    def ship(change: dict[str, Any], first: str) -> None:
        text = f"{first}\n{yaml.safe_dump(EXPERIMENT | change)}"
        install("menu", "[otae.recipes]\nmenu = my_menu\n", {"my_menu/__init__.py": "", "my_menu/mine.yaml": text})

    return ship


RULES = sorted(name for name in dir(RecipeSuite) if name.startswith("test_"))
TITLE = "# An autoencoder made of fakes"


def held(rule: str) -> None:
    """Holds the recipe to one rule."""
    check = getattr(Fakes(), rule)
    known = {"file": lambda: recipe("mine"), "experiment": lambda: load_config("mine")}
    check(*(known[name]() for name in inspect.signature(check).parameters))


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_recipe_keeps_every_rule(shipped: Callable[..., None], rule: str) -> None:
    shipped({}, TITLE)
    held(rule)


@pytest.mark.parametrize(("change", "first", "rule", "message"), [
    ({}, "seed: 0", "test_its_first_line_says_what_it_is", "begin with a comment of one line"),
    ({"objective": {"bad": {"cost": {"name": "poison", "after": 0}, "source": "code", "target": "prior"}}}, TITLE,
     "test_it_takes_a_step", "the term 'bad' is .* on four samples: look at its cost"),
    ({"objective": {"gap": {"cost": "mean-gap", "source": "code", "target": "prior"}}}, TITLE, "test_it_takes_a_step",
     "no term trains decoder.map.weight, decoder.map.bias: add one"),
])  # fmt: skip
def test_a_faulty_recipe_is_told_its_fault(
    shipped: Callable[..., None], change: dict[str, Any], first: str, rule: str, message: str
) -> None:
    shipped(change, first)
    with pytest.raises(AssertionError, match=message):
        held(rule)
