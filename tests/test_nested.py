"""Components inside options: by name, with options of their own, or made; checked where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from fakes import EXPERIMENT, Blobs
from pydantic import Field

import otae
from otae.config import Experiment
from otae.errors import ConfigError, UnknownPluginError
from otae.interfaces import Dataset, Figure, FigureValue, Metric, Prior, Specimen
from otae.nested import configurable
from otae.schema import schema


class Against(Metric):
    """A metric that compares with another dataset, which may know a prior."""

    headline = "count"
    figures = {"count": Figure("count", "number of samples")}

    def __init__(
        self,
        data: Literal["none", "same"] | Dataset = "none",
        more: Dataset | None = None,
        weight: Annotated[float, Field(gt=0)] = 1.0,
    ) -> None:
        super().__init__()
        self.data, self.more, self.weight = data, more, weight

    def __call__(self, specimen: Specimen) -> Mapping[str, FigureValue]:
        return {"count": float(len(self.data))}


@pytest.fixture(autouse=True)
def _metric() -> Any:
    otae.metrics.register("against", Against)
    yield
    otae.metrics.unregister("against")


def experiment(**options: Any) -> Experiment:
    values = {**EXPERIMENT, "evaluation": {"metrics": [{"name": "against", **options}]}}
    return otae.load_config(values)


def test_a_component_is_made_from_its_name_and_options_or_taken_as_it_is() -> None:
    made = otae.metrics.create("against", data={"name": "blobs", "size": 7}, more="blobs")
    assert isinstance(made.data, Blobs)
    assert len(made.data) == 7
    assert isinstance(made.more, Blobs)
    assert otae.metrics.create("against", data=made.data).data is made.data


def test_words_that_an_option_allows_are_no_names_of_components() -> None:
    assert otae.metrics.create("against").data == "none"
    assert otae.metrics.create("against", data="same").data == "same"
    with pytest.raises(UnknownPluginError, match="Did you mean 'blobs'"):
        otae.metrics.create("against", data="blob")


def test_an_experiment_checks_and_completes_options_at_any_depth() -> None:
    (metric,) = experiment(data={"name": "blobs", "size": 9}).evaluation.metrics
    assert metric.options["data"] == {"name": "blobs", "size": 9, "seed": 0, "spoilt": False}
    assert metric.options["more"] is None
    again = experiment(**metric.options)
    assert again.evaluation.metrics[0].options == metric.options


def test_a_wrong_option_of_a_nested_component_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"evaluation\.metrics\.0\.data \(dataset 'blobs'\): siz: unknown option"):
        experiment(data={"name": "blobs", "siz": 9})
    with pytest.raises(UnknownPluginError, match="No plugin named 'nowhere'"):
        experiment(more="nowhere")


def test_the_schema_allows_nested_components_with_their_own_options() -> None:
    whole = schema()

    def valid(options: dict[str, Any]) -> bool:
        metric = {"$ref": "#/$defs/metric", "$defs": whole["$defs"]}
        return jsonschema.Draft202012Validator(metric).is_valid({"name": "against", **options})

    assert valid({"data": "same"})
    assert valid({"data": {"name": "blobs", "size": 3}})
    assert not valid({"data": {"name": "blobs", "siz": 3}})
    assert not valid({"more": "nowhere"})


@pytest.mark.parametrize("plain", [int, str | None, Literal["a", "b"], Annotated[float, Field(gt=0)], tuple[int, ...]])
def test_types_without_components_stay_as_they_are(plain: Any) -> None:
    assert configurable(plain) is plain


def test_components_are_found_inside_other_types() -> None:
    assert configurable(list[Prior] | None) != list[Prior] | None
    assert configurable(Annotated[Dataset, "note"]) != Annotated[Dataset, "note"]
