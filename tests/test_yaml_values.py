"""Values of YAML and of overrides: text is kept where text is wanted, and mistakes are told where they were made."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from fakes import Blobs

import otae
from otae import load_config
from otae.errors import ConfigError, OtaeError, near_match
from otae.yaml_values import Integer, Real, read_setting, read_yaml


class Written(Blobs):
    """Creates points under options of text.

    Args:
        path: A path.
        names: Some names.
        share: A number.
        mark: A choice, or the weights of several.
    """

    def __init__(
        self, path: str | Path = "x", names: list[str] | None = None, share: float = 0.5, mark: str | int = "a"
    ) -> None:
        super().__init__()


@pytest.fixture(autouse=True)
def _written() -> Any:
    otae.datasets.register("written", Written)
    yield
    otae.datasets.unregister("written")


TEXTS = [
    *("2024-01-05", "2024_01_05", "2024", "007", "1e5", "1.50", "no", "on", "Yes", "1:30", "0x10", "+1", ".5"),
    *("|", "@a", "#1", "*"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_an_option_of_text_keeps_the_text_of_an_override(values: dict[str, Any], text: str) -> None:
    experiment = load_config(values, ["data.name=written", f"data.path={text}"])
    assert experiment.data.options["path"] == text
    assert load_config(read_yaml(experiment.to_yaml(), "written")) == experiment


@pytest.mark.parametrize("text", [text for text in TEXTS if text[0] not in "|@#*"])
def test_an_option_of_text_keeps_the_text_of_a_file(values: dict[str, Any], text: str) -> None:
    read = read_yaml(f"{{path: {text}, names: [{text}, x]}}", "file")
    assert load_config({**values, "data": {"name": "written", **read}}).data.options["path"] == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("12", 12), ("-3.5", -3.5), ("010", 10), ("0x1F", 31), ("0o17", 15), ("true", True), ("~", None),
     ("", None), (".inf", np.inf), ("[1, 2.0]", [1, 2.0]), ("1_000", "1_000"), ("e4", "e4"), ("-", "-")],
)  # fmt: skip
def test_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert read_setting(text, "--set x") == value


def test_a_number_is_a_number_wherever_one_is_wanted(values: dict[str, Any]) -> None:
    rate = "training.parts.decoder.lr=0.5"
    experiment = load_config(values, ["data.name=written", "data.share=1e-3", "data.mark=7", rate, "training.epochs=2"])
    assert type(experiment.training.parts["decoder"].lr) is float
    assert type(experiment.training.epochs) is int
    assert experiment.data.options["share"] == 0.001
    assert type(experiment.to_dict()["data"]["share"]) is float
    assert experiment.data.options["mark"] == 7


@pytest.mark.parametrize("number", [Integer(7, "007"), Real(1e5, "1e5")])
def test_a_number_with_its_text_is_copied_whole(number: Any) -> None:
    for copied in (copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert (copied, str(copied), type(copied)) == (number, number.text, type(number))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", r"^--set training\.epoch: unknown option\. .*Did you mean 'epochs'"),
        ("training.epochs=x", r"^--set training\.epochs: Input should be a valid integer"),
        ("model.latent_dim=0", r"^--set model\.latent_dim: Input should be greater than 0"),
        ("model={encoder: 3}", r"--set model\.encoder: Input should be a name, or a mapping of options"),
        ("data.path=true", r"data \(dataset 'written'\): path: Input should be a valid string; for the text, quote it"),
        ("data.path=[1]", r"data \(dataset 'written'\): path: Input should be a valid string.*, or a path \(got \[1\]\)"),
        ("objective.merge2.cost=sliced", r"--set objective\.merge2\.cost: .* no term 'merge2'\. Its terms: .*spread.*mean"),
        ("objective.x.cost.kernel=rbf", r"^--set objective\.x\.cost\.kernel: the configuration has no term 'x'"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_override_is_blamed_on_it(
    values: dict[str, Any], override: str, message: str, tmp_path: Path
) -> None:
    values["data"] = {"name": "written"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(tmp_path / "mine.yaml", [override])
    for internal in ("lax", "function-after", "is-instance", "pathlib", "json-or-python", "Component", "mine.yaml"):
        assert internal not in str(caught.value)


def test_a_mistake_in_the_file_is_blamed_on_the_file(values: dict[str, Any], tmp_path: Path) -> None:
    values["sed"] = 3
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigError, match=r"mine\.yaml: sed: unknown option"):
        load_config(tmp_path / "mine.yaml", ["seed=1"])


@pytest.mark.parametrize(
    ("asked", "right"),
    [("sliced-wasserstein", "sliced"), ("swd", "sliced"), ("rbf", "mmd"), ("slicd", "sliced"), ("sliced_gw", "sliced-gw"),
     ("wgan", "critic"), ("kl-divergence", "kl"), ("sinkhorn-divergence", "sinkhorn")],
)  # fmt: skip
def test_other_names_of_the_field_get_the_right_suggestion(asked: str, right: str) -> None:
    assert near_match(asked, otae.costs.names()) == f" Did you mean {right!r}?"


def test_a_kernel_gets_the_name_that_it_has_here() -> None:
    with pytest.raises(OtaeError, match=r"'rbf'.*Did you mean 'gaussian'\?"):
        otae.costs.create("mmd", kernel="rbf")
