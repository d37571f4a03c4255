"""The rules of metrics, as a conformance suite."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from ..errors import OtaeError
from ..interfaces import Metric, Specimen
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
            train=decoded(known + 4 * (torch.arange(90) % 3)[:, None], 0.1),
            labels=labels if self.plugin.needs_labels else None,
            seed=seed,
        )

    def judged(self, specimen: Specimen) -> dict[str, float]:
        """Returns what a fresh instance says of a specimen.

        Args:
            specimen: The specimen.
        """
        figures: dict[str, float] = self.build()(specimen)
        return figures

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
        assert other(self.specimen()) == part(self.specimen()), "a copy must judge the same"

    def test_it_is_a_metric(self) -> None:
        assert issubclass(self.plugin, Metric), "subclass otae.Metric: the registry accepts nothing else"

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
        for field in fields(Specimen):
            value, expected = getattr(specimen, field.name), getattr(before, field.name)
            same = torch.equal(value, expected) if isinstance(value, Tensor) else value == expected
            assert same, f"the metric changed {field.name} in place: work on a copy"

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
        names = ["data", "codes", "reconstructions", *(["labels"] if specimen.labels is not None else [])]
        shuffled = replace(specimen, **{name: getattr(specimen, name)[order] for name in names})
        assert self.judged(shuffled) == pytest.approx(self.judged(specimen)), "a split has no order"

    def test_a_perfect_model_has_the_declared_figures(self) -> None:
        specimen = self.specimen()
        flat = specimen.data.flatten(1)
        ideal = replace(specimen, codes=flat, reconstructions=specimen.data, generations=specimen.data, prior=flat)
        figures = self.judged(ideal)
        known = {name: figures.get(name) for name in self.perfect}
        assert known == pytest.approx(self.perfect, abs=1e-6), (
            f"a perfect model has {known}, but `perfect` says {self.perfect}: mend the metric, or `perfect`"
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
            assert math.isfinite(value), f"{name} is {value}: leave out a figure that is undefined"
