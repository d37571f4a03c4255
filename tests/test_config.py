"""Configurations: where they come from, what they may hold, and what a mistake is told."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import EXPERIMENT, Blobs, MeanGap
from hypothesis import given, settings
from hypothesis import strategies as st

import otae
from otae import Run, load_config
from otae.errors import ConfigError, UnknownPluginError
from otae.yaml_values import read_yaml

SWEEP = {"from": 0, "to": 1, "steps": 10}


class Untouchable(Blobs):
    """Creates data that must not be read."""

    def __init__(self, size: int = 60) -> None:
        raise AssertionError("data were read")


@pytest.fixture(autouse=True)
def _no_data_are_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    otae.datasets.register("untouchable", Untouchable)
    yield
    otae.datasets.unregister("untouchable")


@pytest.fixture
def values() -> dict[str, Any]:
    """Returns an experiment whose data fail when they are read."""
    return {**copy.deepcopy(EXPERIMENT), "data": {"name": "untouchable", "batch_size": 16}}


def put(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Returns the values with one more, at a dotted path."""
    *parents, last = path.split(".")
    here = values
    for parent in parents:
        here = here.setdefault(parent, {})
    here[last] = value
    return values


def write(path: Path, text: str) -> Path:
    """Returns the file that holds this text."""
    path.write_text(text, encoding="utf-8")
    return path


def test_an_experiment_is_read_from_a_mapping_a_file_a_run_and_a_recipe(
    values: dict[str, Any], tmp_path: Path, finished: Run
) -> None:
    plain = load_config(values)
    assert load_config(write(tmp_path / "mine.yaml", yaml.safe_dump(values))).to_dict() == plain.to_dict()
    assert load_config(str(tmp_path / "mine.yaml")).title == "mine"
    assert load_config(finished.path).model == plain.model
    assert load_config(finished.path).title == finished.path.name
    assert load_config("gwae").title == "gwae"


def test_a_folder_that_is_no_run_does_not_hide_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gwae").mkdir()
    assert load_config("gwae").title == "gwae"


def test_every_default_is_filled_in(values: dict[str, Any]) -> None:
    plain = load_config(values).to_dict()
    assert plain["data"] == {
        "name": "untouchable", "batch_size": 16, "validation": 0.1, "test": 0.2, "split_by": "random", "workers": 0,
        "size": 60,
    }  # fmt: skip
    assert plain["model"]["prior"] == {"name": "shifted", "shift": 0.0}
    assert plain["objective"]["reconstruction"] == {
        "cost": {"name": "fit"}, "source": "data", "target": "reconstruction", "weight": 1.0, "memory": 0,
        "gather": True,
    }  # fmt: skip
    assert plain["training"]["optimizer"] == {"name": "rmsprop", "lr": 1e-3}
    assert plain["training"]["adversary"]["steps"] == 2


def test_what_is_written_reads_back_to_the_same(values: dict[str, Any], tmp_path: Path) -> None:
    once = load_config(values)
    again = load_config(write(tmp_path / "config.yaml", once.to_yaml()))
    assert again.to_dict() == once.to_dict()
    assert again.to_yaml() == once.to_yaml()


@given(
    seed=st.integers(0, 2**32 - 1),
    batch_size=st.integers(1, 10**6),
    validation=st.floats(1e-6, 0.49),
    shift=st.floats(allow_nan=False, allow_infinity=False),
    weight=st.one_of(st.floats(-1e6, 1e6), st.builds(lambda steps: {**SWEEP, "steps": steps}, st.integers(1, 10**6))),
    lr=st.floats(1e-12, 1e3),
)
@settings(max_examples=40)
def test_any_values_survive_the_way_through_yaml(
    seed: int, batch_size: int, validation: float, shift: float, weight: Any, lr: float
) -> None:
    values = copy.deepcopy(EXPERIMENT)
    values |= {"seed": seed, "data": {"name": "blobs", "batch_size": batch_size, "validation": validation}}
    values["model"]["prior"] = {"name": "shifted", "shift": shift}
    values["objective"]["spread"]["weight"] = weight
    put(values, "training.optimizer.lr", lr)
    once = load_config(values)
    assert load_config(read_yaml(once.to_yaml(), "text")) == once
    assert (once.seed, once.data.batch_size, once.data.validation, once.training.optimizer.lr) == (
        seed, batch_size, validation, lr,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "+1e-4", "1.e-4", ".1e-3", "1.0e-4", "0.0001"])
def test_numbers_with_an_exponent_are_numbers(text: str) -> None:
    assert read_yaml(f"lr: {text}", "file") == {"lr": 1e-4}


def test_words_that_only_look_like_numbers_stay_words() -> None:
    assert read_yaml("[e4, 1e, 1e4x, 1-4]", "file") == ["e4", "1e", "1e4x", "1-4"]


def test_anchors_and_merges_are_understood() -> None:
    assert read_yaml("a: &a {x: 1}\nb: {<<: *a, x: 2, y: 3}", "file") == {"a": {"x": 1}, "b": {"x": 2, "y": 3}}


@pytest.mark.parametrize(("text", "message"), [
    ("seed: 1\ndata: blobs\nseed: 2\n", r"config\.yaml:3:1: the key 'seed' is given twice\."),
    ("model:\n  prior: {name: a, name: b}\n", r"config\.yaml:2:20: the key 'name' is given twice\."),
    ("model:\n\tprior: a\n", r"config\.yaml:2:1: found character '\\t' that cannot start any token"),
    ("data: [1, 2\n", r"config\.yaml:2:1: expected ',' or '\]'"),
    ("a: b: c\n", r"config\.yaml:1:5: mapping values are not allowed here"),
    ("? [a]\n: 1\n", r"config\.yaml:1:3: found unhashable key"),
    ("seed: !!python/name:os.system\n", r"config\.yaml:1:7: could not determine a constructor"),
    ("---\na: 1\n---\nb: 1\n", r"config\.yaml:3:1: but found another document"),
    ("seed: \x07", r"config\.yaml: not valid YAML: .*special characters"),
    ("", r"config\.yaml: a configuration is a mapping with the keys seed, data, model, objective, training"),
    ("- data\n", r"config\.yaml: a configuration is a mapping"),
    ("1: 2\n", r"config\.yaml: 1: Keys should be strings"),
])  # fmt: skip
def test_text_that_is_no_configuration_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path / "config.yaml", text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"Cannot read the configuration .*gone\.yaml: No such file.*name of a recipe"
    ):
        load_config(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: café".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: it is not UTF-8 text"):
        load_config(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match=r"config\.yaml: No such file"):
        load_config(tmp_path)


def test_an_unknown_recipe_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownPluginError, match=r"No plugin named 'gwaee' in 'otae.recipes'.*Did you mean 'gwae'"):
        load_config("gwaee")


@pytest.mark.parametrize(("path", "hint"), [
    ("sed", "configuration: sed: .*'seed'"),
    ("data.batchsize", r"data \(dataset 'untouchable'\): batchsize: .*'batch_size'"),
    ("data.siz", r"data \(dataset 'untouchable'\): siz: .*'size'"),
    ("model.latent_dimm", "configuration: model.latent_dimm: .*'latent_dim'"),
    ("model.prior.shft", r"model\.prior \(prior 'shifted'\): shft: .*'shift'"),
    ("objective.spread.wieght", "configuration: objective.spread.wieght: .*'weight'"),
    ("objective.gap.cost.scal", r"objective\.gap\.cost \(cost 'mean-gap'\): scal: .*'scale'"),
    ("objective.surprise.weight.step", "configuration: objective.surprise.weight.step: .*'steps'"),
    ("training.epoch", "configuration: training.epoch: .*'epochs'"),
    ("training.optimizer.momentm", "training.optimizer.momentm: .*'momentum'"),
    ("training.adversary.step", "configuration: training.adversary.step: .*'steps'"),
    ("training.adversary.optimizer.alfa", "training.adversary.optimizer.alfa: .*'alpha'"),
    ("training.early_stopping.patienc", "configuration: training.early_stopping.patienc: .*'patience'"),
    ("training.scheduler.intervl", "training.scheduler.intervl: .*'interval'"),
])  # fmt: skip
def test_an_unknown_key_is_refused_at_every_depth_with_the_nearest(
    values: dict[str, Any], path: str, hint: str
) -> None:
    values["model"]["prior"] = {"name": "shifted"}
    values["objective"]["gap"] = {"cost": {"name": "mean-gap"}, "source": "code", "target": "prior"}
    values["training"] |= {"optimizer": {}, "scheduler": {"name": "constant"}}
    message = hint.replace(": .*", r": unknown option\. Allowed: .*Did you mean ")
    with pytest.raises(ConfigError, match=rf"^{message}\?"):
        load_config(put(values, path, 3))


@pytest.mark.parametrize(("path", "value", "message"), [
    ("model.latent_dim", 0, r"model\.latent_dim: Input should be greater than 0 \(got 0\)"),
    ("model.latent_dim", 2.5, r"model\.latent_dim: Input should be a valid integer.* \(got 2\.5\)"),
    ("model.prior", None, r"model\.prior: Input should be a name, or a mapping of options \(got None\)"),
    ("model.prior", {"shift": 1}, r"model\.prior\.name: this option is required"),
    ("model.prior", "shiftd", r"No plugin named 'shiftd' in 'otae\.priors'.*Did you mean 'shifted'"),
    ("model.prior", {"name": "shifted", "latent_dim": 3}, r"model\.prior .*'latent_dim' is handed in by the builder"),
    ("model.prior", {"name": "shifted", "shift": float("nan")}, r"model\.prior .*shift: .*finite number \(got nan\)"),
    ("seed", -1, r"seed: Input should be greater than or equal to 0"),
    ("seed", 2**32, r"seed: Input should be less than 4294967296"),
    ("data.validation", 1.0, r"data\.validation: Input should be less than 1"),
    ("data.test", 0.95, r"data: validation and test together leave nothing to train on"),
    ("objective", {}, r"objective: Dictionary should have at least 1 item"),
    ("objective", {"only": None}, r"objective: Dictionary should have at least 1 item"),
    ("objective.spread.weight", float("inf"), r"objective\.spread\.weight: .*finite number \(got inf\)"),
    ("objective.spread.weight", "heavy", r"objective\.spread\.weight: Input should be a valid number"),
    ("objective.spread.weight", {"from": 0, "to": 1}, r"objective\.spread\.weight: .*either 'steps' or 'epochs'"),
    ("objective.spread.source", [], r"objective\.spread\.source: .*at least 1 item"),
    ("training.optimizer.lr", float("nan"), r"training\.optimizer\.lr: .*finite number|greater than 0"),
    ("training.optimizer.lr", -1, r"training\.optimizer\.lr: Input should be greater than 0"),
    ("training.scheduler", {"name": "exponential", "gamma": float("nan")}, r"scheduler\.gamma: must be a finite"),
    ("training.gradient_clip", 0, r"training\.gradient_clip: Input should be greater than 0"),
    ("training.devices", 0, r"training\.devices: Input should be 'auto', or greater than 0 \(got 0\)"),
    ("data", None, r"data: Input should be a name, or a mapping of options"),
])  # fmt: skip
def test_a_value_that_is_not_allowed_is_told_with_its_path(
    values: dict[str, Any], path: str, value: Any, message: str
) -> None:
    with pytest.raises((ConfigError, UnknownPluginError), match=message):
        load_config(put(values, path, value))


@pytest.mark.parametrize(("changes", "message"), [
    ({"source": "codes"}, r"objective\.spread: No cloud named 'codes'\. Known: code, .*Did you mean 'code'"),
    ({"cost": "fit"}, r"objective\.spread: The cost Fit pairs .* 'data' and 'generation' lie on different lines"),
    ({"cost": "mean-gap", "source": "code"}, r"objective\.spread: .*'code' lives in latent and 'generation' in data"),
    ({"cost": "mean-gap", "source": ["data", "code"], "target": ["prior", "generation"]},
     r"data × latent and .* latent × data"),
    ({"source": ["data", "prior"]}, r"objective\.spread: The clouds data, prior lie on different lines"),
    ({"target": None}, r"objective\.spread: The cost Spread compares two clouds: give it a target"),
    ({"cost": "surprise"}, r"objective\.spread: The cost Surprise looks at its source alone: remove the target"),
])  # fmt: skip
def test_clouds_that_do_not_fit_their_cost_are_refused(
    values: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    values["objective"]["spread"] |= {"source": "data", **changes}
    with pytest.raises(ConfigError, match=message):
        load_config(values)


@pytest.mark.parametrize("name", ["total", "lr", "step", "split", "keys", "my term", "a.b", "1st", ""])
def test_a_term_cannot_bear_a_name_that_is_taken(values: dict[str, Any], name: str) -> None:
    values["objective"][name] = values["objective"]["spread"]
    with pytest.raises(ConfigError, match=f"A term cannot be named '{name}': use another word"):
        load_config(values)


def test_a_term_of_null_is_left_out(values: dict[str, Any]) -> None:
    values["objective"]["merge"] = None
    assert "merge" not in load_config(values).objective


def test_two_plugins_may_share_options_of_one_name(values: dict[str, Any]) -> None:
    otae.costs.register("other-gap", type("OtherGap", (MeanGap,), {}))
    gap = {"source": "code", "target": "prior"}
    values["objective"] |= {
        "one": {"cost": {"name": "mean-gap", "scale": 2}, **gap},
        "two": {"cost": {"name": "other-gap", "scale": 3}, **gap},
    }  # fmt: skip
    objective = load_config(values).objective
    otae.costs.unregister("other-gap")
    assert [objective[name].cost.options["scale"] for name in ("one", "two")] == [2.0, 3.0]
