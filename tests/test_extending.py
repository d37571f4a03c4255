"""Configurations that extend another: merged as overrides are, found relative to their file, never in a circle."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import EXPERIMENT

from otae import Run, load_config
from otae.errors import ConfigError, OtaeError
from otae.overrides import merged

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Returns a function that writes values as a YAML file, the fakes' experiment being `base.yaml`."""

    def written(name: str, values: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    written("base.yaml", EXPERIMENT)
    return written


@pytest.mark.parametrize(("changes", "overrides"), [
    ({}, []),
    ({"seed": 7}, ["seed=7"]),
    ({"model": {"prior": "shifted"}}, ["model.prior=shifted"]),
    ({"model": {"prior": {"shift": 2, "name": "shifted"}}}, ["model.prior.name=shifted", "model.prior.shift=2"]),
    ({"data": {"batch_size": 7, "size": 30}}, ["data.batch_size=7", "data.size=30"]),
    ({"training": {"optimizer": {"name": "adam"}}}, ["training.optimizer.name=adam"]),
    ({"training": {"optimizer": "adam"}}, ["training.optimizer=adam"]),
    ({"objective": {"merge": None}}, ["objective.merge=null"]),
    ({"objective": {"reconstruction": {"weight": 3}}}, ["objective.reconstruction.weight=3"]),
    ({"objective": {"reconstruction": {"weight": {"from": 0, "to": 1, "epochs": 2}}}},
     ["objective.reconstruction.weight={from: 0, to: 1, epochs: 2}"]),
    ({"training": {"early_stopping": {}}}, ["training.early_stopping={}"]),
])  # fmt: skip
def test_what_follows_is_merged_as_overrides_are(write: Write, changes: dict[str, Any], overrides: list[str]) -> None:
    path = write("mine.yaml", {"extends": "base.yaml", **changes})
    assert load_config(path).to_dict() == load_config(EXPERIMENT, overrides).to_dict()


def test_a_component_of_another_name_drops_the_former_options_but_keeps_the_shared_ones() -> None:
    base = {"training": {"optimizer": {"name": "rmsprop", "lr": 0.5, "alpha": 0.9}}}
    changes = {"training": {"optimizer": {"betas": [0.5, 0.9], "name": "adam"}}}
    assert merged(base, changes) == {"training": {"optimizer": {"name": "adam", "lr": 0.5, "betas": [0.5, 0.9]}}}


@pytest.mark.parametrize(("base", "changes", "expected"), [
    ({"prior": "mixture"}, {"prior": {"components": 5}}, {"prior": {"name": "mixture", "components": 5}}),
    ({"kernel": "imq"}, {"kernel": {"energy": 1}}, {"kernel": {"name": "imq", "energy": 1}}),
    ({"source": ["data", "code"]}, {"source": "code"}, {"source": "code"}),
    ({"weight": 1.0}, {"weight": {"from": 0, "to": 1}}, {"weight": {"from": 0, "to": 1}}),
    ({"clip": 1.0}, {"clip": None}, {"clip": None}),
    (None, {"seed": 1}, {"seed": 1}),
])  # fmt: skip
def test_mappings_are_merged_and_all_else_is_replaced(base: Any, changes: Any, expected: Any) -> None:
    before = copy.deepcopy((base, changes))
    assert merged(base, changes) == expected
    assert (base, changes) == before


def test_a_name_with_options_meets_a_bare_name_as_one_that_has_none() -> None:
    assert (
        load_config({"extends": "gwae", "model": {"prior": {"name": "mixture", "components": 5}}}).model.prior.options[
            "components"
        ]
        == 5
    )


def test_a_recipe_is_extended_by_its_name_and_overridden_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: gwae\nmodel: {prior: factorized}\nseed: 3\n", encoding="utf-8")
    experiment = load_config(path, ["seed=4", "training.epochs=1"])
    changed = ["model.prior=factorized", "seed=4", "training.epochs=1"]
    assert experiment.to_dict() == load_config("gwae", changed).to_dict()
    assert experiment.title == "mine, epochs=1"


def test_chains_are_followed_from_file_to_file_each_path_relative_to_its_own(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write("inner/middle.yaml", {"extends": "../base.yaml", "seed": 1, "training": {"epochs": 5}})
    path = write("mine.yaml", {"extends": "inner/middle.yaml", "seed": 2})
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load_config(path).to_dict() == load_config(EXPERIMENT, ["seed=2", "training.epochs=5"]).to_dict()


def test_one_base_may_be_reached_twice_from_a_file_of_the_same_name(write: Write) -> None:
    path = write("inner/base.yaml", {"extends": "../base.yaml", "seed": 9})
    assert load_config(path).seed == 9


def test_the_configuration_saved_with_a_run_is_flat(write: Write, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", load_config(write("mine.yaml", {"extends": "base.yaml", "seed": 5})))
    saved = (run.path / "config.yaml").read_text(encoding="utf-8")
    assert "extends" not in saved
    assert yaml.safe_load(saved) == load_config(EXPERIMENT, ["seed=5"]).to_dict()


def test_a_run_is_extended_by_its_folder_and_a_bare_name_is_a_recipe(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run.create(tmp_path / "runs" / "first", load_config(EXPERIMENT, ["seed=5"]))
    assert load_config(write("mine.yaml", {"extends": "runs/first", "training": {"epochs": 2}})).seed == 5
    Run.create(tmp_path / "gwae", load_config(EXPERIMENT))
    monkeypatch.chdir(tmp_path)
    assert load_config(write("mine.yaml", {"extends": "gwae"})).data.name == "digits"


def test_a_circle_is_refused_with_the_chain_named(write: Write) -> None:
    first = write("first.yaml", {"extends": "second.yaml"})
    write("second.yaml", {"extends": "third.yaml"})
    write("third.yaml", {"extends": "second.yaml"})
    with pytest.raises(
        ConfigError, match=r"second\.yaml extends .*third\.yaml extends .*second\.yaml: a configuration"
    ):
        load_config(first)
    with pytest.raises(ConfigError, match=r"self\.yaml extends .*self\.yaml: a configuration cannot extend itself"):
        load_config(write("self.yaml", {"extends": "self.yaml"}))


@pytest.mark.parametrize(("values", "message"), [
    ({"extends": "gwea"}, r"mine\.yaml: extends: No plugin named 'gwea' in 'otae\.recipes'.*Did you mean 'gwae'"),
    ({"extends": "missing.yaml"}, r"mine\.yaml: extends: there is no file .*missing\.yaml"),
    ({"extends": [{"a": 1}]}, r"mine\.yaml: extends: name a recipe or YAML file, or several in a list, got"),
    ({"extends": None}, r"mine\.yaml: extends: name a recipe or YAML file, or several in a list, got None"),
    ({"extends": "list.yaml"}, r"list\.yaml: a configuration is a mapping of keys to values, got list"),
    ({"extends": "base.yaml", "sed": 3}, r"mine\.yaml: sed: unknown option"),
    ({"extends": "base.yaml", "model": {"latent_dim": 0}}, r"mine\.yaml: model\.latent_dim: "),
    ({"extends": "base.yaml", "model": "mlp"}, r"mine\.yaml: model: "),
])  # fmt: skip
def test_a_mistake_is_told_with_the_file(write: Write, values: dict[str, Any], message: str) -> None:
    write("list.yaml", [1, 2])
    with pytest.raises(OtaeError, match=re.compile(message, re.DOTALL)):
        load_config(write("mine.yaml", values))


def test_several_are_merged_one_onto_the_other(write: Write) -> None:
    write("faster.yaml", {"training": {"epochs": 3}, "seed": 1})
    write("later.yaml", {"seed": 2, "model": {"prior": "shifted"}})
    mine = write("mine.yaml", {"extends": ["base.yaml", "faster.yaml", "later.yaml"], "model": {"latent_dim": 4}})
    right = load_config(EXPERIMENT, ["training.epochs=3", "seed=2", "model.prior=shifted", "model.latent_dim=4"])
    assert load_config(mine).to_dict() == right.to_dict()
    write("later.yaml", {"extends": "mine.yaml"})
    with pytest.raises(
        ConfigError, match=r"mine\.yaml extends .*later\.yaml extends .*mine\.yaml: .*cannot extend itself"
    ):
        load_config(mine)
