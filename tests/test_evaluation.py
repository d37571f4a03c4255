"""The evaluation: which splits and metrics, from which seed, what it keeps, and what it refuses."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from fake_metrics import Choosy, Classes, Undefined

import otae
from otae import Run, load_config
from otae.errors import ConfigError, RunError, UnknownPluginError
from otae.evaluation import Evaluation, Specimens, check_metrics, evaluate
from otae.interfaces import Estimate, Factor, Factors, Figure

pytestmark = pytest.mark.usefixtures("_fake_metrics")


def test_every_metric_that_is_not_costly_judges_the_test_split_and_all_samples(run: Run) -> None:
    found = evaluate(run, samples=50)
    assert {name: sorted(judged) for name, judged in found.items()} == {
        "test": ["careless", "classes", "rich", "sizes"],
        "all": ["careless", "classes", "rich", "sizes"],
    }
    assert found["test"]["sizes"] != found["all"]["sizes"]
    assert run.metrics == dict(found)


def test_what_the_configuration_asks_for_holds_until_something_else_is_said(run: Run) -> None:
    text = (run.path / "config.yaml").read_text()
    changed = load_config(
        run.path, ["evaluation={metrics: [sizes, {name: choosy, choice: 3}], samples: 7, splits: train}"]
    )
    (run.path / "config.yaml").write_text(changed.to_yaml())
    found = evaluate(Run(run.path))
    assert dict(found) == {"train": {"sizes": {"data": 42.0, "generations": 7.0}, "choosy": {"choice": 3.0}}}
    assert evaluate(Run(run.path), metrics=["sizes"], splits=["test"], samples=8)["test"]["sizes"]["generations"] == 8
    (run.path / "config.yaml").write_text(text)


@pytest.mark.parametrize(("asked", "label"), [
    (["choosy"], "required"),
    ([{"name": "choosy", "choice": "many"}], "valid integer"),
    ([{"name": "choosy", "choise": 3}], "Did you mean 'choice'"),
    ([3], "A metric is a name"),
    ([{"choice": 3}], "A metric is a name"),
    (["sizes", "sizes"], "asked for twice"),
])  # fmt: skip
def test_a_metric_that_cannot_be_built_as_asked_is_refused(run: Run, asked: list[Any], label: str) -> None:
    with pytest.raises(ConfigError, match=label):
        evaluate(run, metrics=asked)


def test_one_metric_with_two_options_is_two_results(run: Run) -> None:
    asked = [{"name": "choosy", "choice": 3}, {"name": "choosy", "choice": 4}]
    found = evaluate(run, metrics=asked, samples=5, splits=["test"])["test"]
    assert found == {"choosy[choice=3]": {"choice": 3.0}, "choosy[choice=4]": {"choice": 4.0}}


def test_a_metric_may_be_an_object_of_ones_own_and_default_stands_for_the_rest(run: Run) -> None:
    found = evaluate(run, metrics=[Choosy(5), "default"], samples=5, splits=["test"])["test"]
    assert sorted(found) == ["Choosy", "careless", "classes", "rich", "sizes"]
    assert found["Choosy"] == {"choice": 5.0}


def test_a_path_is_as_good_as_a_run(run: Run) -> None:
    assert evaluate(str(run.path), metrics=["sizes"]) == evaluate(run, metrics=["sizes"])
    assert json.loads((run.path / "evaluation.json").read_text())["figures"]["test"].keys() == {"sizes"}


def test_the_seed_of_the_run_decides_every_draw(run: Run) -> None:
    torch.manual_seed(1)
    first = evaluate(run, samples=50, limit=10)
    torch.manual_seed(2)
    assert evaluate(run, samples=50, limit=10) == first


def test_a_careless_metric_is_seeded_and_leaves_no_trace(run: Run) -> None:
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = evaluate(run, metrics=["careless"], samples=5)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert evaluate(run, metrics=["sizes", "careless"], samples=5)["all"]["careless"] == first["all"]["careless"]


def test_intervals_reasons_tables_and_descriptions_are_kept_and_read_back(run: Run) -> None:
    evaluate(run, metrics=["rich"], samples=5, splits=["test"])
    found = Evaluation.read(run.path)
    assert found["test"]["rich"] == {"value": 0.5}
    assert found.intervals["test"]["rich"]["value"] == [0.4, 0.75]
    assert found.missing["test"]["rich"]["ratio"] == "The baseline is perfect."
    table = found.tables["test"]["rich"]["importance"]
    assert (table.rows, table.columns, table.title) == (("factor",), ("first", "second"), "A table")
    assert torch.equal(table.values, torch.tensor([[0.25, 1.0]], dtype=torch.float64))
    assert found.headline("rich") == "value"
    assert found.describe("rich", "value") == Figure("the value", "What the value is.", "higher", 1.0)
    assert found.describe("rich", "unheard_of").title == "rich: unheard of"
    assert found.protocol["seed"] == run.experiment.seed
    assert found.protocol["held"] == {"test": 12}


def test_an_estimate_is_a_number_that_survives_pickling() -> None:
    copy = pickle.loads(pickle.dumps(Estimate(0.5, 0.4, 0.75)))
    assert (copy, copy.low, copy.high) == (0.5, 0.4, 0.75)


def test_known_factors_are_handed_to_the_metrics_that_need_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Needy(Classes):
        needs_factors: ClassVar[bool] = True

    otae.metrics.register("needy", Needy)
    with pytest.raises(ConfigError, match="'needy' needs factors, and the data have none"):
        evaluate(run, metrics=["needy"], samples=5)
    table = torch.arange(2.0 * len(run.dataset)).reshape(-1, 2)
    monkeypatch.setattr(run.dataset, "factors", Factors(table, (Factor("a"), Factor("b"))))
    part = Specimens.of_run(run, samples=1, limit=11)["all"]
    assert part.factors is not None
    assert part.factors.names == ("a", "b")
    for sample, row in zip(part.data, part.factors.table, strict=True):
        assert torch.equal(run.dataset[int(row[0]) // 2], sample)
    assert set(evaluate(run, metrics=["needy"], samples=5)["test"]) == {"needy"}
    otae.metrics.unregister("needy")


def test_without_labels_a_metric_that_needs_them_is_refused_where_asked_for_and_skipped_elsewhere(run: Run) -> None:
    run.dataset.labels = None
    with pytest.raises(ConfigError, match="'classes' needs labels, and the data have none"):
        evaluate(run, metrics=["sizes", "classes"], samples=5)
    found = evaluate(run, metrics=["default"], samples=5)
    assert "classes" not in found["test"]
    assert found.skipped["classes"] == "The metric 'classes' needs labels, and the data have none."


def test_what_the_configuration_asks_for_is_checked_before_anything_trains(run: Run) -> None:
    wanted = load_config(run.path, ["evaluation.metrics=[classes]"]).evaluation.metrics
    check_metrics(wanted, run.dataset)
    run.dataset.labels = None
    with pytest.raises(ConfigError, match=r"evaluation\.metrics: The metric 'classes' needs labels"):
        check_metrics(wanted, run.dataset)


def test_a_metric_that_cannot_be_applied_says_why(run: Run) -> None:
    assert evaluate(run, samples=5).skipped["unfit"] == "The prior has no components."
    with pytest.raises(ConfigError, match="The prior has no components"):
        evaluate(run, metrics=["unfit"], samples=5)


def test_a_metric_that_fails_is_named_with_its_place_and_costs_the_others_nothing(run: Run) -> None:
    otae.metrics.register("undefined", Undefined)
    try:
        with pytest.warns(UserWarning, match=r"'undefined' failed.*it says nonsense = nan"):
            found = evaluate(run, samples=5)
    finally:
        otae.metrics.unregister("undefined")
    assert "undefined, of session" in found.failed["undefined"]
    assert ", line " in found.failed["undefined"]
    assert all("undefined" not in judged for judged in found.values())
    assert "sizes" in found["all"]
    assert Evaluation.read(run.path).failed == found.failed


def test_a_stranger_that_cannot_be_built_spoils_only_itself(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choosy, "costly", False)
    with pytest.warns(UserWarning, match=r"'choosy' is skipped.*choice"):
        found = evaluate(run, samples=50)
    assert found["test"].keys() == {"sizes", "classes", "careless", "rich"}
    assert "choice" in found.skipped["choosy"]


def test_an_unknown_metric_is_an_error_with_the_nearest_match(run: Run) -> None:
    with pytest.raises(UnknownPluginError, match=r"'size'.*Did you mean 'sizes'"):
        evaluate(run, metrics=["size"])


@pytest.mark.parametrize("option", ["samples", "limit"])
def test_a_size_below_1_is_refused(run: Run, option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} of at least 1, got 0"):
        evaluate(run, **{option: 0})


def test_an_unknown_split_is_refused(run: Run) -> None:
    with pytest.raises(ConfigError, match=r"no split named 'tests'. Allowed: train, validation, test, all"):
        evaluate(run, splits=["tests"])


def test_any_autoencoder_is_judged_on_any_data(run: Run) -> None:
    data = torch.randn(30, 6)
    found = evaluate(run.model, data, metrics=["sizes", "careless"], samples=5, seed=3)
    assert dict(found) == dict(evaluate(run.model, data, metrics=["sizes", "careless"], samples=5, seed=3))
    assert found["all"]["sizes"] == {"data": 30.0, "generations": 5.0}
    assert evaluate(run.model, run.dataset, samples=5)["all"]["classes"] == {"classes": 3.0}
    own = Specimens.of_model(run.model, data, train=run.dataset)["all"]
    assert (len(own.data), len(own.train.data)) == (30, 60)
    assert torch.equal(own.train.data, run.dataset.__getitems__(range(60)))
    assert not (run.path / "evaluation.json").exists()


def test_an_autoencoder_needs_data_that_fit_and_a_run_has_its_own(run: Run) -> None:
    with pytest.raises(ConfigError, match="give a dataset"):
        evaluate(run.model)
    with pytest.raises(ConfigError, match=r"takes samples of shape \(6,\); the data have 4 of shape \(5,\)"):
        evaluate(run.model, torch.randn(4, 5))
    with pytest.raises(ConfigError, match="judged on its own data"):
        evaluate(run, run.dataset)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run"):
        evaluate(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"figures": {}, "tables": 3}'])
def test_a_corrupt_result_is_an_error_with_the_cure(run: Run, text: str) -> None:
    with pytest.raises(RunError, match="was not evaluated"):
        Evaluation.read(run.path)
    (run.path / "evaluation.json").write_text(text)
    with pytest.raises(RunError, match=r"evaluation.json is corrupt.*otae evaluate"):
        Evaluation.read(run.path)
