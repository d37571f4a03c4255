"""The JSON Schema of configurations: valid itself, kind to what is right, strict with what is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import EXPERIMENT
from jsonschema import Draft202012Validator

import otae
from otae import load_config
from otae.errors import OtaeError
from otae.recipes import recipes
from otae.registry import registries
from otae.schema import schema
from otae.yaml_values import read_yaml

RECIPES = {each.name: each.path for each in recipes()}


@pytest.fixture(scope="module")
def validator(_fakes: None) -> Draft202012Validator:
    """Returns the validator of the schema over the plugins and the fakes."""
    return Draft202012Validator(schema())


def test_the_schema_is_a_valid_one_that_refers_to_nothing_outside(validator: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(validator.schema)
    assert validator.schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(_references(validator.schema)) <= {f"#/$defs/{name}" for name in validator.schema["$defs"]}


def _references(node: Any) -> list[str]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    own = [node["$ref"]] if isinstance(node, dict) and isinstance(node.get("$ref"), str) else []
    return [*own, *(found for each in inner for found in _references(each))]


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_accepted_as_written_and_as_resolved(validator: Draft202012Validator, name: str) -> None:
    validator.validate(read_yaml(RECIPES[name].read_text(encoding="utf-8"), name))
    validator.validate(load_config(name).to_dict())


@pytest.mark.parametrize("change", [
    {},
    {"objective": {**EXPERIMENT["objective"], "merge": None}},
    {"training": {"optimizer": "adam", "scheduler": "exponential"}},
    {"training": {"optimizer": {"name": "adam", "betas": [0.5, 0.9]}, "scheduler": {"name": "step", "step_size": 3}}},
    {"training": {"early_stopping": {"monitor": "total"}, "gradient_clip": 1, "devices": "auto"}},
    {"data": "blobs"},
    {"data": {"name": "blobs", "size": 5, "validation": 0.3}},
    {"seed": 3},
])  # fmt: skip
def test_what_is_right_is_accepted(validator: Draft202012Validator, change: dict[str, Any]) -> None:
    validator.validate(EXPERIMENT | change)
    if "scheduler" not in str(change):  # the schema knows no scheduler's own options
        validator.validate(load_config(EXPERIMENT | change).to_dict())


@pytest.mark.parametrize(("values", "right"), [
    ({"extends": "gwae"}, True),
    ({"extends": "gwae", "model": {"prior": "shifted"}}, True),
    ({"extends": "gwae", "model": {"prior": {"shift": 2}}, "objective": {"merge": None, "fit": {"weight": 2}}}, True),
    ({"extends": "gwae", "data": {"batch_size": 3}}, True),
    ({"extends": 3}, False),
    ({"extends": "gwae", "sed": 3}, False),
    ({"extends": "gwae", "model": {"prior": "shiftd"}}, False),
    ({"extends": "gwae", "model": {"latent_dim": 0}}, False),
    ({"model": {"prior": "shifted"}}, False),
])  # fmt: skip
def test_of_what_extends_another_nothing_is_required(
    validator: Draft202012Validator, values: dict[str, Any], right: bool
) -> None:
    assert validator.is_valid(values) == right


def changed(path: str, value: Any) -> dict[str, Any]:
    """Returns the experiment of fakes with another value at a dotted path."""
    values = copy.deepcopy(EXPERIMENT)
    here: Any = values
    for key in path.split(".")[:-1]:
        here = here[key]
    here[path.rpartition(".")[2]] = value
    return values


@pytest.mark.parametrize(("path", "value"), [
    ("sed", 3), ("seed", -1), ("seed", "x"),
    ("data.batchsize", 3), ("data.size", 0), ("data", "blob"), ("data", {"size": 3}),
    ("model.latent_dimm", 3), ("model.latent_dim", 0),
    ("model.prior", "shiftd"), ("model.prior", {"name": "shifted", "shft": 1}),
    ("model.prior", {"name": "shifted", "latent_dim": 1}),
    ("model.prior", "fit"), ("model.encoder", {"name": "linear-encoder", "noise": "loud"}), ("model.decoder", None),
    ("objective", {}), ("objective.spread.wieght", 1), ("objective.spread.weight", {"from": 0, "to": 1, "step": 3}),
    ("objective.spread.weight", "heavy"), ("objective.spread.source", []),
    ("objective.spread.cost", {"name": "mean-gap", "scale": 0}),
    ("training.epoch", 3), ("training.epochs", 0), ("training.optimizer", {"lr": -1}), ("training.adversary.step", 3),
    ("training.devices", 0), ("training.precision", "8"),
])  # fmt: skip
def test_what_is_wrong_is_rejected_by_the_schema_and_by_the_loader(
    validator: Draft202012Validator, path: str, value: Any
) -> None:
    values = changed(path, value)
    assert not validator.is_valid(values)
    with pytest.raises(OtaeError, match=r".+"):
        load_config(values)


def test_every_plugin_and_its_options_are_offered(validator: Draft202012Validator) -> None:
    for kind, registry in registries().items():
        if kind != "metric":
            variants = {
                each["properties"]["name"]["const"]: each for each in validator.schema["$defs"][kind]["anyOf"][1:]
            }
            assert sorted(variants) == registry.names()
            assert all(variant["description"] for variant in variants.values())
    assert "shifted" in validator.schema["$defs"]["prior"]["anyOf"][0]["enum"]


@pytest.mark.slow
def test_a_broken_plugin_is_left_out(install: Callable[..., Path]) -> None:
    install("broken", "[otae.priors]\nbroken = my_broken:Mine\n", {"my_broken.py": "raise RuntimeError"})
    assert "broken" in otae.priors.names()
    assert "broken" not in str(schema()["$defs"]["prior"])
