"""Recipes by priors, by costs between code and prior, by the noise of the encoder: all from configuration alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

import otae
from otae.build import Parts, Shape, build, open_dataset
from otae.config import Experiment
from otae.errors import ConfigError, DataError
from otae.recipes import recipes
from otae.signature import options_model
from otae.testing import RecipeSuite

RECIPES = [each.name for each in recipes() if each.offer.distribution == "otae"]
PRIORS = ["gaussian", "mixture", "neural"]
COSTS = ["mmd", "sliced", "sinkhorn"]


def noises(recipe: str) -> list[str]:
    """Returns the kinds of noise that a recipe's encoder knows; the one it has where it knows none."""
    encoder = otae.encoders.get(otae.load_config(recipe).model.encoder.name)
    schema = options_model(encoder, otae.encoders.given).model_json_schema()
    return schema.get("properties", {}).get("noise", {}).get("enum", ["as it is"])


def grid() -> Iterator[Any]:
    """Yields points of the grid: every recipe with every prior, cost and noise, in three to six points.

    Slow are all pairs of a prior, a cost and a noise on a Latin square, and recipes of large images.
    """
    for number, recipe in enumerate(RECIPES):
        known, small = noises(recipe), otae.load_config(recipe).data.name == "digits"
        rows = max(3, len(known))
        for i, prior in enumerate(PRIORS):
            for j, cost in enumerate(COSTS):
                for k, noise in enumerate(known):
                    if (i + j) % rows % len(known) == k:
                        each = (i + j + number) % 3 == 0
                        marks = [] if small and each else [pytest.mark.slow]
                        yield pytest.param(
                            recipe, prior, cost, noise, marks=marks, id=f"{recipe}-{prior}-{cost}-{noise}"
                        )


def configured(recipe: str, prior: str, cost: str, noise: str) -> Experiment:
    """Returns a recipe with another prior, another noise, and one cost more between code and prior."""
    term = f"objective.more={{cost: {cost}, source: code, target: prior, weight: 0.5}}"
    kind = [] if noise == "as it is" else [f"model.encoder.noise={noise}"]
    return otae.load_config(recipe, [f"model.prior={prior}", term, *kind])


def flow(experiment: Experiment) -> str:
    """Returns the data section of an experiment as one line of YAML."""
    return yaml.safe_dump(experiment.to_dict()["data"], default_flow_style=True, width=10_000).strip()


@cache
def samples(data: str) -> tuple[Shape, Tensor]:
    """Returns what some data tell the builder, and four samples; noise where the data are not at hand."""
    try:
        dataset = open_dataset(otae.load_config("gwae", [f"data={data}"]))
    except DataError:  # a folder of images that its user has
        return Shape((3, 64, 64), (0.0, 1.0)), torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return Shape(dataset.data_shape, dataset.value_range), dataset.__getitems__(range(4))


def refusal(experiment: Experiment, noise: str) -> str | None:
    """Returns which part an experiment's densities are missing from, or `None` where it has all that it needs."""
    needy = [each for each in experiment.objective.values() if otae.costs.get(each.cost.name).needs_density]
    clouds = {name for each in needy for name in (*each.source, *(each.target or ()))}
    if "code" in clouds and noise in ("none", "implicit"):
        return "density of 'code'"
    return "density of 'prior'" if "prior" in clouds and experiment.model.prior.name == "neural" else None


def stepped(parts: Parts, x: Tensor) -> dict[str, Tensor]:
    """Returns the values of the terms after one step of the model and one of the adversaries."""
    losses = parts.objective(parts.model, x)
    torch.autograd.backward(losses.total)
    torch.optim.SGD([*parts.model.parameters(), *parts.objective.minimised()], lr=1e-4).step()
    for answers in parts.objective.adversary_losses(parts.model, x, 1):
        assert all(bool(each.isfinite()) for each in answers.values())
    return {name: term.raw for name, term in parts.objective(parts.model, x).terms.items()}


@pytest.mark.parametrize(("recipe", "prior", "cost", "noise"), [*grid()])
def test_any_recipe_takes_any_prior_cost_and_noise(recipe: str, prior: str, cost: str, noise: str) -> None:
    experiment = configured(recipe, prior, cost, noise)
    shape, x = samples(flow(experiment))
    torch.manual_seed(0)
    if missing := refusal(experiment, noise):
        with pytest.raises(ConfigError, match=missing):
            build(experiment, shape)
        return
    parts = build(experiment, shape)
    before = [parameter.detach().clone() for parameter in parts.model.parameters()]
    values = stepped(parts, x)
    assert "more" in values
    assert all(bool(value.isfinite()) for value in values.values()), values
    assert any(not torch.equal(old, new) for old, new in zip(before, parts.model.parameters(), strict=True))


class Rules(RecipeSuite):
    """Creates the rules of a recipe whose data may not be at hand."""

    def batch(self, experiment: Experiment) -> tuple[Shape, Tensor]:
        return samples(flow(experiment))


for _name in RECIPES:
    _title = "Test" + "".join(word.capitalize() for word in _name.split("-"))
    _rules = type(_title, (Rules,), {"recipe": _name, "__module__": __name__})
    globals()[_title] = pytest.mark.slow(_rules) if _name.endswith("-64") else _rules
