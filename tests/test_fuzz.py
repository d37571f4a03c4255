"""Mutated configurations: each is fine, or refused by one sentence that says where, and never a traceback or a hang."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from configurations import mutate
from fakes import EXPERIMENT

from otae import Encoder, datasets, encoders, load_config
from otae.build import Shape, build, open_dataset
from otae.errors import ConfigError, NotApplicableError, OtaeError, PluginError
from otae.loading import load_config as load
from otae.registry import registries
from otae.signature import options_model
from otae.training import seeded
from otae.yaml_values import read_yaml
from otae_metrics.subset import subset


def try_out(values: Any) -> str:
    """Returns what a configuration came to: `fine` after one step, or the sentence that refused it."""
    try:
        experiment = load_config(values)
        dataset = open_dataset(experiment)
        with seeded(0):
            parts = build(experiment, Shape(dataset.data_shape, dataset.value_range))
            batch = dataset.__getitems__(range(min(4, len(dataset))))
            parts.objective(parts.model, batch).total.backward()
    except OtaeError as error:
        return str(error)
    return "fine"


def test_a_mutated_configuration_is_fine_or_refused_by_a_sentence() -> None:
    random = np.random.default_rng(0)
    told = [try_out(mutate(random, EXPERIMENT)) for _ in range(400)]
    assert 0.05 < told.count("fine") / len(told) < 0.8
    for sentence in told:
        assert len(sentence) < 4100
        assert not re.search(r"Traceback|\x1b|pydantic|<number>|<schedule>", sentence), sentence


def refusal(text: str) -> str | None:
    """Returns the sentence that refuses a text as YAML, or nothing where it is YAML."""
    try:
        read_yaml(text, "here")
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("text", [
    "2001-99-99", "0x_", "!!int x", "!!timestamp x", "!!bool x", "!!set 64", "9" * 5000, "[" * 900 + "]" * 900, "!!float x",
    "!!python/object:os.system x", "{a: 1, a: 2}", "? [1]\n: 2", "&a [*a]", "!!binary x", "\0", "\ud800", "!!omap 3", "!!pairs 3",
    ("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]"),
    "x" * 1_000_001, "{<<: 3}", "!!merge x", "1_000_000:99", "190:20:30e5",
])  # fmt: skip
def test_text_that_yaml_stumbles_over_is_refused_with_its_place(text: str) -> None:
    told = refusal(text)
    assert told is None or told.startswith("here")  # some of these are YAML after all
    assert len(told or "") < 500


@pytest.mark.parametrize(("override", "message"), [
    ("<x>=1", r"<x>: unknown option"),
    ("training.epochs=true", r"training\.epochs: a number is needed here, and true and false are none"),
    ("data.batch_size=true", r"data\.batch_size: a number is needed"),
    ("data.size=true", r"size: a number is needed here"),
    ("objective.surprise.weight=true", r"objective\.surprise\.weight: a number is needed"),
    ("data.workers=100000000000000000000", r"data\.workers: .*less than or equal to 256"),
    ("training.threads=10000000000", r"training\.threads: .*less than or equal to 1024"),
    ("training.epochs=100000000000000000000", r"training\.epochs: .*less than"),
    ("data.batch_size=100000000000000000000", r"data\.batch_size: .*less than"),
    ("model.latent_dim=100000000000000000000", r"model\.latent_dim: .*less than"),
    (f"objective.{'t' * 240}={{cost: fit, source: data, target: reconstruction}}",
     r"name is too long: 240 characters, of at most 80"),
    ("training.optimizer={name: adam, betas: []}", r"training\.optimizer\.betas: 2 numbers are needed here \(got 0\)"),
    ("training.optimizer={name: adam, betas: {a: 1}}", r"training\.optimizer\.betas: a list of numbers is needed here"),
    ("training.optimizer={name: adam, differentiable: true}", r"differentiable: unknown option"),
    ("training.optimizer={name: adam, capturable: true}", r"capturable: unknown option"),
    ("training.optimizer={name: adam, maximize: true}", r"maximize: unknown option"),
    ("training.optimizer={name: adam, lr: 1e300}", r"training\.optimizer: adam refuses these options: .*overflow"),
    ("training.optimizer={name: adam, weight_decay: 1e300}",
     r"training\.optimizer\.weight_decay: a number of at most 1e30 is needed"),
    ("training.optimizer={name: rprop, step_sizes: 0.1}", r"training\.optimizer\.step_sizes: a list of numbers is needed here"),
    ("training.scheduler={name: cosine-annealing, T_max: 5, last_epoch: 3}", r"training\.scheduler\.last_epoch: unknown option"),
    ("training.scheduler={name: one-cycle, max_lr: 0.1, total_steps: 100, div_factor: 0}", r"training\.scheduler: .*refuses"),
    ("training.scheduler={name: multi-step, milestones: [1], gamma: null}", r"training\.scheduler"),
    ("training.scheduler={name: step, step_size: 1, gamma: -1}",
     r"training\.scheduler: these options lead to a learning rate of -"),
    ("training.scheduler={name: step, step_size: 0}", r"training\.scheduler"),
])  # fmt: skip
def test_an_absurd_value_is_refused_where_it_stands(override: str, message: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=message):
        load(values, [override])


class Clumsy(Encoder):
    """Creates an encoder that fails while it is built.

    Args:
        fault: How.
    """

    def __init__(self, data_shape: tuple[int, ...], latent_dim: int, fault: str = "key") -> None:
        super().__init__(data_shape, latent_dim)
        match fault:
            case "key":
                {}["missing"]
            case "memory":
                torch.empty(10**15)
            case "exit":
                raise AssertionError

    def forward(self, x: torch.Tensor) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(("fault", "message"), [
    ("key", r"the encoder 'clumsy' of session cannot be built: KeyError: 'missing' \(.*test_fuzz\.py, line \d+\)"),
    ("memory", r"cannot be built: RuntimeError: .*That is more memory than there is: make it smaller"),
    ("exit", r"cannot be built: AssertionError"),
])  # fmt: skip
def test_whatever_a_part_raises_while_it_is_built_is_told_as_its_own(
    values: dict[str, Any], fault: str, message: str
) -> None:
    encoders.register("clumsy", Clumsy)
    try:
        experiment = load(values, ["model.encoder=clumsy", f"model.encoder.fault={fault}"])
        with pytest.raises(PluginError, match=message):
            build(experiment, Shape((6,)))
    finally:
        encoders.unregister("clumsy")


def find_integers(spec: Any) -> Iterator[dict[str, Any]]:
    """Yields the schemas of whole numbers in a JSON Schema."""
    if isinstance(spec, dict):
        if spec.get("type") == "integer":
            yield spec
        for each in spec.values():
            yield from find_integers(each)
    elif isinstance(spec, list):
        for each in spec:
            yield from find_integers(each)


@pytest.mark.parametrize("kind", ["dataset", "metric"])
def test_whole_numbers_of_options_have_upper_bounds(kind: str) -> None:
    registry = registries()[kind]
    for offer in (each for each in registry.offers() if each.distribution == "otae"):
        schema = options_model(registry.get(offer.name), registry.given).model_json_schema()
        open_ended = [each for each in find_integers(schema) if not {"maximum", "exclusiveMaximum"} & set(each)]
        assert not open_ended, offer.name


@pytest.mark.parametrize(("name", "options"), [
    ("sprites", {"count": 10**9}), ("rooms", {"count": 10**9}), ("manifolds", {"count": 10**9}),
    ("manifolds", {"count": 10**5, "dim": 10**6}),
])  # fmt: skip
def test_data_that_memory_cannot_hold_are_refused_before_they_are_drawn(
    name: str, options: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otae_datasets.memory_limit.find_free_memory", lambda: 2 * 10**10)
    with pytest.raises(OtaeError, match=r"count: .* takes .* GB of memory, where 20\.0 GB are free\. Give fewer"):
        datasets.create(name, **options)


def test_pairs_that_memory_cannot_hold_are_refused_before_they_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otae_metrics.subset._read_memory", lambda: 2**30)
    cloud = torch.zeros(10_000, 1)
    with pytest.raises(
        NotApplicableError, match=r"All pairs of 9,000 samples take 1\.2 GiB, of 1\.0 GiB of memory. Lower"
    ):
        subset(cloud, 9_000, 0, matrices=2)
    assert len(subset(cloud, 8_000, 0, matrices=2)) == 8_000
    assert len(subset(cloud, 9_000, 0)) == 9_000
