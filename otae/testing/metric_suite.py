"""The rules of metrics, as a conformance suite."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from ..errors import OtaeError
from ..interfaces import Factor, Factors, Figure, FigureValue, Metric, Missing, Samples, Specimen, Table
from .suite import Suite


class MetricSuite(Suite):
    """Creates the rules that metrics keep.

    The specimens of the tests hold samples of shape `data_shape` in three labelled groups, and a model that is good but
    not perfect.

        class TestReconstruction(MetricSuite):
            plugin = Reconstruction
            perfect = {"mse": 0.0}

    Attributes:
        perfect: What the metric says, by figure, of a perfect model: one whose codes are the data themselves, whose
            reconstructions are exact, and whose generations are the data again.
        data_shape: The shape of a sample.
        ordered: Whether the order of the samples means something to the metric.
    """

    plugin: ClassVar[type[Metric]]
    perfect: ClassVar[dict[str, float]] = {}
    data_shape: ClassVar[tuple[int, ...]] = (2, 3)
    ordered: ClassVar[bool] = False

    def specimen(self, count: int = 60, dtype: torch.dtype = torch.float64, seed: int = 0) -> Specimen:
        """Returns a specimen of a good model with two latent dimensions.

        Args:
            count: The number of samples of the split, and of generations.
            dtype: The type of all clouds.
            seed: The seed that the metric must start from.
        """
        generator = torch.Generator().manual_seed(1)

        def noise(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        labels = torch.arange(count) % 3
        mixing = noise(2, math.prod(self.data_shape))

        def decoded(codes: Tensor, error: float) -> Tensor:
            flat = codes @ mixing
            return (flat + error * noise(*flat.shape)).reshape(len(codes), *self.data_shape).to(dtype)

        codes, prior, known = noise(count, 2) + 4 * labels[:, None], noise(count, 2), noise(90, 2)
        return Specimen(
            data=decoded(codes, 0.1),
            codes=codes.to(dtype),
            reconstructions=decoded(codes, 0.0),
            generations=decoded(prior, 0.0),
            prior=prior.to(dtype),
            train=self._train(known + 4 * (torch.arange(90) % 3)[:, None], decoded, dtype),
            draws=(codes + 0.1 * noise(count, 2)).to(dtype),
            labels=labels if self.plugin.needs_labels else None,
            factors=_factors(codes, labels) if self.plugin.needs_factors else None,
            class_names=("a", "b", "c") if self.plugin.needs_labels else None,
            seed=seed,
        )

    def _train(self, codes: Tensor, decoded: Callable[[Tensor, float], Tensor], dtype: torch.dtype) -> Samples:
        labels = torch.arange(len(codes)) % 3
        return Samples(
            data=decoded(codes, 0.1),
            codes=codes.to(dtype),
            draws=codes.to(dtype),
            labels=labels if self.plugin.needs_labels else None,
            factors=_factors(codes, labels) if self.plugin.needs_factors else None,
        )

    def judged(self, specimen: Specimen) -> dict[str, float]:
        """Returns the numbers that a fresh instance says of a specimen, without tables and reasons.

        Args:
            specimen: The specimen.
        """
        return numbers(self.build()(specimen))

    def use(self, part: Any) -> None:
        """Judges a specimen.

        Args:
            part: The metric.
        """
        part(self.specimen())

    def check_copy(self, part: Any, other: Any) -> None:
        """Checks that a copy judges the same.

        Args:
            part: The metric.
            other: Its copy.
        """
        super().check_copy(part, other)
        assert numbers(other(self.specimen())) == numbers(part(self.specimen())), "a copy must judge the same"

    def test_it_is_a_metric(self) -> None:
        assert issubclass(self.plugin, Metric), "subclass otae.Metric: the registry accepts nothing else"

    def test_it_says_what_its_figures_are(self) -> None:
        figures = getattr(self.plugin, "figures", None)
        assert figures, "declare `figures`: a Figure for each, with its title, definition and direction"
        assert all(isinstance(each, Figure) for each in figures.values()), "each value of `figures` is a Figure"
        assert getattr(self.plugin, "headline", None) in figures, "declare `headline`: the figure that stands for it"
        for name, figure in figures.items():
            assert figure.title, f"{name} needs a title: what a table calls it"
            assert figure.definition, f"{name} needs a definition: one line that says what it is"

    def test_it_returns_the_headline_or_says_why_not(self) -> None:
        returned = self.build()(self.specimen())
        assert self.plugin.headline in returned, f"return {self.plugin.headline!r}, or Missing with the reason"

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    def test_its_figures_are_named_finite_numbers(self, dtype: torch.dtype) -> None:
        self.check(self.judged(self.specimen(dtype=dtype)))

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_a_tiny_split_is_judged_or_refused(self, count: int) -> None:
        try:
            figures = self.judged(self.specimen(count))
        except OtaeError:
            return
        self.check(figures, allow_none=True)

    @pytest.mark.parametrize("collapsed", ["codes", "reconstructions", "generations", "prior"])
    def test_a_collapsed_model_has_finite_figures(self, collapsed: str) -> None:
        specimen = self.specimen()
        cloud = getattr(specimen, collapsed)
        self.check(self.judged(replace(specimen, **{collapsed: cloud[:1].expand_as(cloud).clone()})), allow_none=True)

    def test_its_inputs_stay_as_they_are(self) -> None:
        specimen, before = self.specimen(), self.specimen()
        self.judged(specimen)
        for name, value in _tensors(specimen).items():
            assert torch.equal(value, _tensors(before)[name]), f"the metric changed {name} in place: work on a copy"

    def test_the_seed_of_the_specimen_decides_every_draw(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            first = self.judged(self.specimen())
            torch.manual_seed(2)
            second = self.judged(self.specimen())
        assert first == second, "draw with torch.Generator().manual_seed(specimen.seed), not from the global state"

    def test_the_global_random_state_is_left_alone(self) -> None:
        before = torch.get_rng_state()
        self.judged(self.specimen())
        assert torch.equal(torch.get_rng_state(), before), "draw with a generator of the metric's own"

    def test_the_order_of_the_samples_does_not_matter(self) -> None:
        if self.ordered:
            pytest.skip("the order means something to the metric")
        specimen = self.specimen()
        order = torch.randperm(len(specimen.data), generator=torch.Generator().manual_seed(3))
        names = ["data", "codes", "draws", "reconstructions", "labels", "factors"]
        known = {name: value for name in names if (value := getattr(specimen, name)) is not None}
        shuffled = replace(specimen, **{name: value[order] for name, value in known.items()})
        assert self.judged(shuffled) == pytest.approx(self.judged(specimen)), "a split has no order"

    def test_a_perfect_model_has_the_declared_figures(self) -> None:
        specimen = self.specimen()
        flat, known = specimen.data.flatten(1), specimen.train.data.flatten(1)
        ideal = replace(
            specimen,
            codes=flat,
            draws=flat,
            reconstructions=specimen.data,
            generations=specimen.data,
            prior=flat,
            train=replace(specimen.train, codes=known, draws=known),
        )
        figures = self.judged(ideal)
        found = {name: figures.get(name) for name in self.perfect}
        assert found == pytest.approx(self.perfect, abs=1e-6), (
            f"a perfect model has {found}, but `perfect` says {self.perfect}: mend the metric, or `perfect`"
        )

    def check(self, figures: dict[str, float], *, allow_none: bool = False) -> None:
        """Checks that there are figures, each with a name and a finite value.

        Args:
            figures: What the metric returned.
            allow_none: Whether it may have none, as of samples too few to judge.
        """
        assert figures or allow_none, "return at least one figure"
        for name, value in figures.items():
            assert isinstance(name, str), f"a figure's name is a word, got {name!r}"
            assert isinstance(value, float), f"return float({name}), not {type(value).__name__}"
            assert math.isfinite(value), f"{name} is {value}: leave out a figure that is undefined, or say why"


def numbers(figures: Mapping[str, FigureValue]) -> dict[str, float]:
    """Returns the numbers among what a metric returned, without tables and reasons.

    Args:
        figures: What it returned.
    """
    return {name: value for name, value in figures.items() if not isinstance(value, Missing | Table)}


def _factors(codes: Tensor, labels: Tensor) -> Factors:
    turns = (codes[:, 1] - 4 * labels).double().sigmoid()
    table = torch.stack([labels.double(), codes[:, 0].double(), turns], dim=1)
    kinds = (Factor("class", "categorical", (0.0, 1.0, 2.0)), Factor("size"), Factor("turn", "circular", period=1.0))
    return Factors(table, kinds)


def _tensors(samples: Samples, path: str = "") -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for field in fields(samples):
        match getattr(samples, field.name):
            case Tensor() as tensor:
                found[path + field.name] = tensor
            case Factors() as factors:
                found[path + field.name] = factors.table
            case Samples() as nested:
                found |= _tensors(nested, f"{path}{field.name}.")
    return found
