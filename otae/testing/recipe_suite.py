"""The rules of recipes, as a conformance suite."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from ..autoencoder import Autoencoder
from ..build import Shape, build, open_dataset
from ..config import Experiment
from ..loading import load_config
from ..objective import Objective
from ..recipes import Recipe, recipe
from ..schema import schema
from ..yaml_values import read_yaml


class RecipeSuite:
    """Creates the rules that recipes keep.

    A test subclasses it and names the recipe, and overrides `batch` where the recipe's data are not at hand:

        class TestSWAE(RecipeSuite):
            recipe = "swae"

    Attributes:
        recipe: The recipe's name.
        overrides: Dotted overrides to test it with, such as the path of a data file.
    """

    recipe: ClassVar[str]
    overrides: ClassVar[list[str]] = []

    @pytest.fixture
    def experiment(self) -> Experiment:
        """Returns the recipe, resolved."""
        return load_config(self.recipe, self.overrides)

    @pytest.fixture
    def file(self) -> Recipe:
        """Returns the recipe as it is shipped."""
        return recipe(self.recipe)

    def batch(self, experiment: Experiment) -> tuple[Shape, Tensor]:
        """Returns what the data tell the builder, and four samples.

        Args:
            experiment: The recipe, resolved.
        """
        dataset = open_dataset(experiment)
        return Shape(dataset.data_shape, dataset.value_range), dataset.__getitems__(range(min(4, len(dataset))))

    def built(self, experiment: Experiment) -> tuple[Autoencoder, Objective, Tensor]:
        """Returns the model and the objective of the recipe, from one seed, and samples.

        Args:
            experiment: The recipe, resolved.
        """
        shape, samples = self.batch(experiment)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            parts = build(experiment, shape)
        return parts.model, parts.objective, samples

    def test_its_first_line_says_what_it_is(self, file: Recipe) -> None:
        assert len(file.summary.split()) > 3, "begin with a comment of one line: `otae list` prints it"

    def test_it_resolves_to_a_configuration_that_reads_back(self, experiment: Experiment) -> None:
        again = load_config(read_yaml(experiment.to_yaml(), self.recipe))
        assert again.to_dict() == experiment.to_dict(), "a run keeps the resolved recipe: options must be plain values"

    def test_the_schema_accepts_it_as_written_and_as_resolved(self, file: Recipe, experiment: Experiment) -> None:
        validator = pytest.importorskip("jsonschema").Draft202012Validator(schema())
        written: Any = read_yaml(file.path.read_text(encoding="utf-8"), self.recipe)
        for form, values in {"written": written, "resolved": experiment.to_dict()}.items():
            wrong = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(values)]
            assert not wrong, f"editors would mark the recipe as {form}: {wrong}"

    def test_it_takes_a_step(self, experiment: Experiment) -> None:
        model, objective, samples = self.built(experiment)
        losses = objective(model, samples)
        for name, term in losses.terms.items():
            assert term.raw.isfinite(), f"the term {name!r} is {term.raw} on four samples: look at its cost and clouds"
        torch.autograd.backward(losses.total)
        owned = dict(model.named_parameters())
        lame = [name for name, each in owned.items() if each.grad is not None and not each.grad.isfinite().all()]
        assert not lame, f"the gradient of {', '.join(lame)} is not finite: look at the costs' slopes"
        idle = [name for name, each in owned.items() if each.requires_grad and each.grad is None]
        assert not idle, f"no term trains {', '.join(idle)}: add one that reaches it, or choose a part without it"

    def test_its_adversaries_answer(self, experiment: Experiment) -> None:
        model, objective, samples = self.built(experiment)
        if not objective.maximised():
            pytest.skip("the recipe has no adversary")
        for losses in objective.adversary_losses(model, samples, 1):
            for name, loss in losses.items():
                assert loss.isfinite(), f"the adversary's loss of the term {name!r} is {loss} on four samples"

    def test_a_model_of_it_draws_and_reconstructs(self, experiment: Experiment) -> None:
        model, _, samples = self.built(experiment)
        assert model.sample(2).shape[1:] == samples.shape[1:], "the decoder must give samples of the data's shape"
        assert model.reconstruct(samples).shape == samples.shape, "the decoder must give samples of the data's shape"
