"""What notebooks show: whole tables, with all text escaped."""

from __future__ import annotations

from typing import Any

import torch

import otae
from otae import Run, load_config
from otae.evaluation import Evaluation
from otae.interfaces import Metric
from otae.registry import Registry, registries


def test_registries_are_iterated_over_in_order() -> None:
    for registry in registries().values():
        assert list(registry) == registry.names()
        assert all(name in registry for name in registry)
    assert "wasserstien" not in otae.costs
    assert bool(Registry[Metric]("metric"))


def test_a_registry_shows_every_plugin_and_its_distribution() -> None:
    shown = otae.priors._repr_html_()
    assert all(f"<td>{name}</td>" in shown for name in otae.priors)
    assert "<th>distribution</th>" in shown


def test_an_experiment_shows_its_yaml_escaped(values: dict[str, Any]) -> None:
    shown = load_config(values).titled("<script>")._repr_html_()
    assert "<b>&lt;script&gt;</b>" in shown
    assert "latent_dim: 2" in shown


def test_an_evaluation_shows_each_figure_by_split(run: Run) -> None:
    found = Evaluation({"test": {"fit": {"ratio": 0.5}}, "train": {}}, {"test": {"fit": {"ratio": (0.25, 0.75)}}})
    assert "<td>fit</td><td>ratio</td><td>0.5 (0.25 to 0.75)</td><td></td>" in found._repr_html_()


def test_a_solution_shows_how_the_solver_fared() -> None:
    cloud = torch.tensor([[0.0], [1.0]])
    solution = otae.costs.create("exact").solve(cloud, cloud + 3)
    shown = solution._repr_html_()
    assert f"<td>value</td><td>{float(solution.value):.6g}</td>" in shown
    assert "<td>converged</td><td>yes" in shown
