"""The declaration of a study: what it may say, its points, and where a mistake stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from fakes import EXPERIMENT

from otae.errors import ConfigError
from otae.study import declare, expand, read_declaration
from otae.study.places import find_lines, line_of

STUDY = """\
title: Does it follow the prior?
base: tiny.yaml
seeds: [0, 1]
set: {training.epochs: 1}
variants:
  shifted: {}
  standard:
    model.prior: standard
  listed: [model.prior=shifted, model.prior.shift=2]
grid:
  data.size: [30, 60]
  data.batch_size: [8]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Returns a study's file, beside the experiment that it begins with."""
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


def test_every_variant_meets_every_value_and_every_seed(file: Path) -> None:
    points = expand(read_declaration(file))
    assert len(points) == 3 * 2 * 2
    assert len({point.hash for point in points}) == len(points)
    assert [point.variant for point in points[::2]] == [
        f"{name}, data.size={size}" for name in ("shifted", "standard", "listed") for size in (30, 60)
    ]
    assert {point.seed for point in points} == {0, 1}
    last = points[-1].experiment
    assert (last.model.prior.name, last.model.prior.options, last.training.epochs) == ("shifted", {"shift": 2.0}, 1)
    assert (last.data.options["size"], last.data.batch_size, last.title) == (60, 8, "listed, data.size=60")


def test_a_point_is_known_by_what_is_trained_alone(file: Path) -> None:
    def point(**more: object) -> str:
        return expand(declare({"base": str(file.parent / "tiny.yaml"), "set": more}))[0].hash

    same = [
        point(),
        point(**{"training.threads": 2}),
        point(**{"evaluation.samples": 7}),
        point(**{"training.epochs": 3}),
    ]
    other = [point(**{"training.epochs": 4}), point(**{"model.latent_dim": 3})]
    assert len(set(same)) == 1
    assert len({*same, *other}) == 3


def test_points_are_judged_on_the_split_that_the_study_compares(file: Path) -> None:
    base = str(file.parent / "tiny.yaml")
    for split, judged in (
        (None, ["test", "all"]),
        ("all", ["test", "all"]),
        ("validation", ["validation"]),
        ("train", ["train"]),
    ):
        (point,) = expand(declare({"base": base, "split": split}))
        assert point.experiment.evaluation.splits == judged
    (same,) = expand(declare({"base": base, "split": "train", "set": {"evaluation.splits": ["train", "test"]}}))
    assert same.experiment.evaluation.splits == ["train", "test"]


def test_a_split_that_no_point_is_judged_on_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="compares the split 'validation', but its points are judged on test"):
        expand(declare({
            "base": str(file.parent / "tiny.yaml"), "split": "validation", "set": {"evaluation.splits": ["test"]},
        }))  # fmt: skip
    with pytest.raises(ConfigError, match="split"):
        declare({"base": "gwae", "split": "holdout"})


def test_several_bases_are_told_by_name_and_a_number_of_seeds_counts_from_0(file: Path) -> None:
    points = expand(declare({"base": ["ae", "vae"], "seeds": 3}))
    assert [(point.variant, point.seed) for point in points] == [
        (name, seed) for name in ("ae", "vae") for seed in range(3)
    ]
    (point,) = expand(declare({"base": "ae", "variants": {"mine": {"base": "vae", "model.latent_dim": 3}}}))
    assert (point.variant, point.experiment.model.latent_dim) == ("mine", 3)
    assert "kl" in {term.cost.name for term in point.experiment.objective.values()}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model.prior: standard", "model.priro: standard", r"study.yaml:8: variants.standard.model.priro: .*unknown.*'prior'\?"),
        ("model.prior: standard", "model.prior: standrad", r"study.yaml:8: .*: No plugin named 'standrad'.*'standard'\?"),
        ("shift=2", "shifty=2", r"study.yaml:9: variants.listed.model.prior.shifty: .*: shifty: unknown option"),
        ("[30, 60]", "[30, -1]", r"study.yaml:11: grid.data.size.1: data \(dataset 'blobs'\): size: .*greater than 0"),
        ("training.epochs: 1", "training.epoch: 1", r"study.yaml:4: set.training.epoch: training.epoch: unknown option"),
        ("base: tiny.yaml", "base: tiny2.yaml", r"study.yaml:2: base.0: there is no file .*tiny2.yaml"),
        ("base: tiny.yaml", "base: gwea", r"study.yaml:2: base.0: No plugin named 'gwea'.*'gwae'\?"),
        ("seeds: [0, 1]", "seeds: [0, x]", r"study.yaml:3: seeds.1: .*integer"),
        ("seeds: [0, 1]", "seed: 1", r"study.yaml:3: seed: unknown option. Allowed: .*seeds.* Did you mean 'seeds'\?"),
        ("seeds: [0, 1]", "seeds: [1, 1]", r"study.yaml:3: seeds: the seed 1 is given twice"),
        ("  data.batch_size: [8]", "  seed: [1, 2]", r"study.yaml:10: grid: the seed is no option here: .* under the key seeds"),
        ("title:", "base:", r"study.yaml:2:1: the key 'base' is given twice"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_line_and_path_before_anything_trains(
    file: Path, old: str, new: str, message: str
) -> None:
    file.write_text(STUDY.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        expand(read_declaration(file))


def test_what_is_no_mapping_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("- a")
    with pytest.raises(ConfigError, match=r"list.yaml: a study is a mapping with the keys title, base"):
        read_declaration(tmp_path / "list.yaml")
    with pytest.raises(ConfigError, match=r"Cannot read the configuration .*none.yaml"):
        read_declaration(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="study: base: this option is required"):
        declare({"seeds": [0]})


def test_lines_are_those_of_the_text() -> None:
    lines = find_lines("a:\n  b.c: [1,\n    2]\n# note\nd: {e: 1}\n")
    assert lines == {("a",): 1, ("a", "b.c"): 2, ("a", "b.c", 0): 2, ("a", "b.c", 1): 3, ("d",): 5, ("d", "e"): 5}
    assert line_of(("a", "b.c", 1, "x"), lines) == 3
    assert line_of(("z",), lines) == 1
