"""What differs between configurations, and the titles that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from otae import load_config
from otae.differences import differences, short_paths, spell, title_of


@pytest.mark.parametrize(
    ("overrides", "title"),
    [
        ([], "wae-mmd"),
        (["seed=3", "training.threads=2", "evaluation.samples=10"], "wae-mmd"),
        (["objective.match.cost=sliced"], "wae-mmd, match.cost=sliced"),
        (["model.prior=mixture"], "wae-mmd, prior=mixture"),
        (["model.prior.name=mixture", "model.prior.components=20"], "wae-mmd, prior=mixture(components=20)"),
        (["objective.match=null"], "wae-mmd, match=–"),
        (["data=sprites", "data.batch_size=32"], "wae-mmd, data=sprites, data.batch_size=32"),
        (["model.latent_dim=8"], "wae-mmd"),
    ],
)
def test_a_title_tells_what_an_experiment_changes_of_its_recipe(overrides: list[str], title: str) -> None:
    assert load_config("wae-mmd", overrides).title == title


def test_a_title_of_many_changes_counts_the_rest() -> None:
    changes = [
        "model.latent_dim=3",
        "training.epochs=1",
        "data.batch_size=8",
        "data.test=0.3",
        "objective.match.weight=2",
    ]
    title = load_config("wae-mmd", changes).title
    assert title.endswith(", 2 more")
    assert title.count("=") == 3


def test_an_experiment_that_is_incomplete_without_its_overrides_is_told_apart_too(
    values: dict[str, Any], tmp_path: Any
) -> None:
    import yaml

    del values["model"]["prior"]
    (tmp_path / "open.yaml").write_text(yaml.safe_dump(values))
    assert load_config(tmp_path / "open.yaml", ["model.prior=standard"]).title == "open, changed"


def test_components_of_one_name_differ_by_option_and_of_two_names_by_name() -> None:
    one, two, three = (
        load_config("gwae", [f"model.prior={prior}"]).to_dict()
        for prior in ("{name: mixture, components: 5}", "{name: mixture, components: 6}", "factorized")
    )
    assert differences([one, two]) == {"model.prior.components": ["5", "6"]}
    assert differences([one, three]) == {"model.prior": ["mixture(components=5)", "factorized"]}
    assert differences([one, one]) == {}


def test_a_plugin_that_is_not_installed_is_told_with_all_its_options() -> None:
    assert spell({"name": "gone", "size": 3, "kind": "x"}, "model.prior") == "gone(size=3, kind=x)"


def test_labels_are_short_only_where_they_stay_apart() -> None:
    assert short_paths(["model.prior.name", "objective.prior"]) == {
        "model.prior.name": "model.prior.name",
        "objective.prior": "objective.prior",
    }


def test_a_missing_option_is_told_as_a_dash() -> None:
    assert differences([{"a": {"b": 1}}, {"a": {}}], ()) == {"a.b": ["1", "–"]}
    assert title_of("x", {"a": 1, "seed": 0}, {"a": 1, "seed": 5}) == "x"
