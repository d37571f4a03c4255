"""Dotted overrides: their values, their reach, and their order, which does not matter."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

from otae import load_config
from otae.errors import ConfigError
from otae.overrides import overridden


@pytest.mark.parametrize(("override", "path", "expected"), [
    ("seed=7", "seed", 7),
    ("training.optimizer.lr=1e-4", "training.optimizer.lr", 1e-4),
    ("training.optimizer={name: adam, lr: 0.1, betas: [0.5, 0.9]}", "training.optimizer.betas", [0.5, 0.9]),
    ("model.prior.shift=2", "model.prior.shift", 2.0),
    ("model.prior=standard", "model.prior.name", "standard"),
    ("objective.merge.source=[code]", "objective.merge.source", "code"),
    ("objective.spread.weight={from: 1, to: 0, epochs: 5}", "objective.spread.weight.epochs", 5),
    ("objective.surprise.weight=0.5", "objective.surprise.weight", 0.5),
    ("training.early_stopping={}", "training.early_stopping.patience", 10),
    ("training.early_stopping.patience=3", "training.early_stopping.patience", 3),
    ("training.gradient_clip=null", "training.gradient_clip", None),
    ("training.gradient_clip=", "training.gradient_clip", None),
    ("objective.new={cost: mean-gap, source: code, target: prior}", "objective.new.cost.scale", 1.0),
])  # fmt: skip
def test_an_override_sets_a_value_in_yaml(values: dict[str, Any], override: str, path: str, expected: Any) -> None:
    if override.startswith("objective.merge"):
        values["objective"]["merge"] |= {"target": "prior"}
    here: Any = load_config(values, [override]).to_dict()
    for key in path.split("."):
        here = here[key]
    assert here == expected


def test_null_drops_a_term(values: dict[str, Any]) -> None:
    assert list(load_config(values, ["objective.merge=null", "objective.spread="]).objective) == [
        "reconstruction",
        "surprise",
    ]


def test_a_new_name_drops_the_former_components_options_but_keeps_the_shared_ones(values: dict[str, Any]) -> None:
    values["data"] |= {"name": "elsewhere", "path": "x.npy", "batch_size": 7, "validation": 0.3}
    values["training"]["optimizer"] = {"name": "rmsprop", "lr": 0.5, "alpha": 0.9}
    values["training"]["scheduler"] = {"name": "exponential", "gamma": 0.5, "interval": "step"}
    overrides = ["data.name=blobs", "training.optimizer.name=adam", "training.scheduler.name=constant"]
    plain = load_config(values, overrides).to_dict()
    assert plain["data"] | {"size": 0} == {
        "name": "blobs", "batch_size": 7, "validation": 0.3, "test": 0.2, "split_by": "random", "workers": 0, "size": 0,
        "seed": 0, "spoilt": False,
    }  # fmt: skip
    assert plain["training"]["optimizer"] == {"name": "adam", "lr": 0.5}
    assert plain["training"]["scheduler"] == {"name": "constant", "interval": "step"}


def test_the_same_name_keeps_the_options(values: dict[str, Any]) -> None:
    values["model"]["prior"] = {"name": "shifted", "shift": 4.0}
    assert load_config(values, ["model.prior.name=shifted"]).model.prior.options == {"shift": 4.0}


@pytest.mark.parametrize("overrides", [
    ["model.prior.name=shifted", "model.prior.shift=2", "model.latent_dim=3"],
    ["model.prior=shifted", "model.prior.shift=2", "model.latent_dim=3"],
    ["model.prior={name: standard}", "model.prior.name=shifted", "model.prior.shift=2", "model.latent_dim=3"],
    ["objective.new=null", "objective.new.cost=spread", "objective.new.source=prior", "objective.new.target=data"],
])  # fmt: skip
def test_the_order_of_overrides_does_not_matter(values: dict[str, Any], overrides: list[str]) -> None:
    values["model"]["prior"] = {"name": "standard"}
    results = [load_config(values, order).to_dict() for order in itertools.permutations(overrides)]
    assert all(result == results[0] for result in results)


def test_of_two_overrides_of_one_path_the_later_holds(values: dict[str, Any]) -> None:
    assert load_config(values, ["seed=1", "seed=2"]).seed == 2


def test_the_values_given_stay_as_they_are(values: dict[str, Any]) -> None:
    before = copy.deepcopy(values)
    load_config(values, ["model.prior.shift=2", "training.optimizer.lr=1", "objective.merge=null"])
    assert values == before


def test_overrides_alone_make_a_configuration() -> None:
    assert overridden(None, ["a.b=1", "a.c=x"]) == {"a": {"b": 1, "c": "x"}}


@pytest.mark.parametrize(("override", "message"), [
    ("seed", r"The override 'seed' must read path=value, such as model\.prior\.components=10"),
    ("=3", r"The override '=3' must read path=value"),
    ("model..prior=x", r"must read path=value"),
    (".seed=1", r"must read path=value"),
    ("model.prior={name: x", r"--set model\.prior:1:9: expected ',' or '}'"),
    ("model.prior={a: 1, a: 2}", r"--set model\.prior:1:8: the key 'a' is given twice"),
    ("seed.more=1", r"--set seed\.more: the path stops before 'more', at the value 0, which has no keys"),
    ("objective.merge.source.first=data", r"--set .*: the path stops before 'first', at the value \['data', 'code'\]"),
])  # fmt: skip
def test_a_malformed_override_is_refused(values: dict[str, Any], override: str, message: str) -> None:
    values["seed"] = 0
    with pytest.raises(ConfigError, match=message):
        load_config(values, [override])
