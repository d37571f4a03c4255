"""A plugin's faults are told as the plugin's: kind, name, distribution, file and line, and the likely cure."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faulty
import pytest
import torch
from fakes import EXPERIMENT
from torch import nn

import otae
from otae import load_config
from otae.budget import bounding
from otae.errors import ConfigError, NonFiniteError, PartError, PluginError
from otae.evaluation import evaluate
from otae.faults import blaming, find_culprit, name_part
from otae.registry import registries

TERM = {"cost": "faulty", "source": "code", "target": "prior"}


@pytest.fixture
def offer() -> Iterator[Callable[[str, type], None]]:
    """Returns a function that offers a class as the part `faulty` of a kind."""
    offered: list[str] = []

    def register(kind: str, part: type) -> None:
        registries()[kind].register("faulty", part)
        offered.append(kind)

    yield register
    for kind in offered:
        registries()[kind].unregister("faulty")


def configure(kind: str, **more: Any) -> Any:
    """Returns an experiment with the part `faulty`."""
    values: dict[str, Any] = {**EXPERIMENT, **more}
    match kind:
        case "dataset":
            values["data"] = {"name": "faulty", "batch_size": 16}
        case "cost":
            values["objective"] = {**EXPERIMENT["objective"], "mine": TERM}  # type: ignore[dict-item]
        case _:
            values["model"] = {**EXPERIMENT["model"], kind: "faulty"}  # type: ignore[dict-item]
    return values


@pytest.mark.parametrize(("kind", "part", "message"), [
    ("prior", faulty.Uninitialised, r"cannot be built: AttributeError: cannot assign .*Begin its __init__ with super\(\)"),
    ("prior", faulty.Silent, r"was not made by its base class .*Begin its __init__ with super\(\)\.__init__\(latent_dim\)"),
    ("prior", faulty.Shrunk, r"keeps latent_dim = 1, where the builder handed in 2 .*Hand latent_dim on"),
    ("prior", faulty.Numpy, r"draws torch\.float64, where torch\.float32 is needed .*Draw noise with self\.normal"),
    ("prior", faulty.Deaf, r"draws differently from the same generator .*Hand the generator on to every self\.normal"),
    ("prior", faulty.Undefined, r"gives draws with NaN or infinity before any training"),
    ("prior", faulty.Single, r"returned a tensor of shape \(2,\) .*, where draws of shape \(64, 2\) are needed"),
    ("prior", faulty.Failing, r"failed: KeyError: 'table'"),
    ("encoder", faulty.Lawless, r"returned a tensor .*, where the law .* is needed .*return otae\.interfaces\.Dirac\(z\)"),
    ("encoder", faulty.Paired, r"returned a tuple of 2, where the law .*Independent\(Normal\(mean, deviation\), 1\)"),
    ("encoder", faulty.Entrywise, r"law of batch and event shapes .*Wrap laws of single entries in .*Independent"),
    ("encoder", faulty.Misfit, r"failed: RuntimeError: .*cannot be multiplied .*take their sizes from what the builder hands in"),
    ("decoder", faulty.Infinite, r"gives samples with NaN or infinity"),
    ("decoder", faulty.Folded, r"where samples of shape \(14, 6\) are needed .*End in the shape of the data"),
    ("cost", faulty.Forgetful, r"returned None, where one number in a tensor is needed .*lacks a `return`"),
    ("cost", faulty.Number, r"returned a float, where one number .*\.item\(\) and float\(\) cut the gradient"),
    ("cost", faulty.Vector, r"returned a tensor of shape \(\d+,\) .*take the mean or the sum over the points"),
    ("cost", faulty.Cut, r"cut from the graph, and would train nothing .*Look for \.item\(\), \.detach\(\)"),
    ("cost", faulty.Annotated, r"failed: TypeError: .*is given Clouds \(they are annotated as Tensor\): take source\.flat"),
    ("cost", faulty.Divided, r"gives a value with NaN or infinity"),
    ("cost", faulty.Rooted, r"gives a gradient with NaN or infinity .*no gradient at 0"),
    ("dataset", faulty.Tuples, r"failed: TypeError: .*tuple .*must return one .*tensor.*labels go into self\.labels"),
    ("dataset", faulty.Arrays, r"failed: TypeError: .*ndarray .*must return one floating-point tensor"),
    ("dataset", faulty.Matrices, r"returned a tensor of shape \(2, 1, 6\) .*, where samples of shape \(2, 6\) are needed"),
    ("dataset", faulty.Integers, r"returned samples of type torch\.int64 .*Call \.float\(\)"),
    ("dataset", faulty.Torn, r"failed: KeyError: 'row'"),
    ("dataset", faulty.Shapeless, r"tells no data_shape .*Set self\.data_shape"),
])  # fmt: skip
def test_what_a_part_does_wrong_is_told_before_the_training_and_leaves_no_folder(
    offer: Callable[[str, type], None], tmp_path: Path, kind: str, part: type, message: str
) -> None:
    offer(kind, part)
    with pytest.raises(PartError) as caught:
        otae.train(load_config(configure(kind)), tmp_path / "run")
    assert re.search(rf"{kind} 'faulty' of session .*{message}", str(caught.value)), str(caught.value)
    assert re.search(r"\(.*\.py, line \d+\)", str(caught.value))
    assert not (tmp_path / "run").exists()


def test_a_part_of_a_distribution_is_told_with_its_version_and_the_line_of_its_file(
    install: Callable[..., Path], tmp_path: Path
) -> None:
    lines = "from fakes import Shifted\nclass Mine(Shifted):\n    def sample(self, *_):\n        return 1 / 0\n"
    site = install(
        "otae_mine", "[otae.priors]\nsick = mine.priors:Mine\n", {"mine/__init__.py": "", "mine/priors.py": lines}
    )
    message = rf"the prior 'sick' of otae_mine 1\.0 failed: ZeroDivisionError: .* \({site}/mine/priors\.py, line 4\)"
    with pytest.raises(PartError, match=message):
        otae.train(load_config(EXPERIMENT, ["model.prior=sick"]), tmp_path / "run")


@pytest.mark.slow
def test_what_a_reading_process_met_is_told_with_its_line(offer: Callable[[str, type], None]) -> None:
    from otae.training.batches import Batches

    batches = Batches(faulty.Torn(), range(60), 16, workers=1)
    with pytest.raises(PartError, match=r"dataset Torn of faulty failed: KeyError: 'row' \(.*faulty\.py, line \d+\)"):
        list(batches)


def test_a_term_that_is_only_watched_may_be_cut_from_the_graph(
    offer: Callable[[str, type], None], tmp_path: Path
) -> None:
    offer("cost", faulty.Cut)
    experiment = load_config(configure("cost"), ["objective.mine.weight=0", "training.epochs=1"])
    otae.train(experiment, tmp_path / "run", evaluation=False, report=False)


def test_an_objective_that_trains_nothing_is_told(tmp_path: Path) -> None:
    values = {**EXPERIMENT, "objective": {"idle": {"cost": "fit", "source": "data", "target": "data"}}}
    with pytest.raises(ConfigError, match="no term depends on what is trained"):
        otae.train(load_config(values), tmp_path / "run")


def test_the_rehearsal_moves_no_random_number_of_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = load_config(EXPERIMENT, ["training.epochs=1"])
    rehearsed = otae.train(experiment, tmp_path / "a", evaluation=False, report=False)
    monkeypatch.setattr(sys.modules["otae.training.fit"], "rehearse", lambda *_: None)
    other = otae.train(experiment, tmp_path / "b", evaluation=False, report=False)
    for name in ("model.safetensors", "metrics.csv"):
        assert (rehearsed.path / name).read_bytes() == (other.path / name).read_bytes()


@pytest.mark.filterwarnings("ignore:The metric")
def test_a_metric_without_labels_is_told_what_to_declare() -> None:
    model = otae.Autoencoder(
        nn.Linear(6, 2), nn.Linear(2, 6), otae.priors.create("standard", latent_dim=2), data_shape=(6,), latent_dim=2
    )
    data = otae.datasets.create("blobs")
    data.labels = None
    told = evaluate(model, data, [faulty.Labelled()]).failed["Labelled"]
    assert re.search(r"NoneType.*faulty\.py, line \d+\)\. If it needs labels or factors, set needs_labels = True", told)


def test_the_part_that_raised_is_the_innermost(offer: Callable[[str, type], None]) -> None:
    prior = faulty.Failing(2)
    with pytest.raises(KeyError) as caught:
        prior.sample(1)
    assert find_culprit(caught.value) is prior
    assert name_part(prior) == "prior Failing of faulty"
    with pytest.raises(OSError, match="disk"), blaming("x", prior):
        raise OSError("disk")  # the environment's fault is no part's


def test_a_hand_written_loop_is_told_the_same(values: dict[str, Any]) -> None:
    model = otae.Autoencoder(faulty.Lawless((6,), 2), otae.decoders.create("linear-decoder", latent_dim=2, data_shape=(6,)),
                             otae.priors.create("standard", latent_dim=2))  # fmt: skip
    objective = otae.Objective({"fit": otae.Term(otae.costs.create("fit"), "data", "reconstruction")})
    with pytest.raises(PartError, match=r"encoder Lawless of faulty returned a tensor .*law of the codes is needed"):
        objective(model, torch.zeros(3, 6))


@pytest.mark.parametrize(("name", "message"), [
    ("My_Prior", "kebab-case, as my-prior"), ("a" * 41, "at most 40"), ("class", "keyword of Python"), ("yes", "no text in YAML"),
    ("", "kebab-case"), ("3d", "a letter first"),
])  # fmt: skip
def test_a_registered_name_obeys_the_rules_of_new_plugins(name: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        otae.priors.register(name, faulty.Deaf)


class Dimmed(faulty.Deaf):
    """Creates a prior that calls the latent dimension by another name."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)


def test_an_argument_that_resembles_one_that_is_handed_in_is_hinted_at(offer: Callable[[str, type], None]) -> None:
    offer("prior", Dimmed)
    with pytest.raises(
        ConfigError, match=r"dim: this option is required .*call the argument 'latent_dim' in Dimmed\.__init__"
    ):
        load_config(configure("prior"))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: nn.Linear(70_000, 70_000), r"its weights take 18\.\d GiB or more"),
    (lambda: [nn.Linear(1, 1) for _ in range(3000)], "more than 5,000 weights"),
])  # fmt: skip
def test_what_is_larger_than_memory_is_refused_before_it_is_written(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message), bounding(2**34):
        make()
    assert nn.Linear(2, 2).weight.numel() == 4, "the bound ends with its context"


@pytest.mark.parametrize(("overrides", "message"), [
    (["training.optimizer.lr=1e6"], r"(diverged|is (nan|inf)).* There is no checkpoint: it happened before"),
    (["training.optimizer={name: sgd, lr: 1e15}"], r"(diverged: .* reach \S+|is inf) at step \d+.*There is no checkpoint"),
    (["objective.reconstruction.weight=1e308"], r"is inf at step 0, epoch 0 \(reconstruction = .*There is no checkpoint"),
])  # fmt: skip
def test_a_training_that_diverges_names_what_did_and_tells_the_truth_about_checkpoints(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(NonFiniteError, match=message):
        otae.train(load_config(EXPERIMENT, overrides), tmp_path / "run")


def test_a_training_that_diverges_late_names_its_checkpoint(tmp_path: Path) -> None:
    values = {
        **EXPERIMENT,
        "objective": {
            **EXPERIMENT["objective"],
            "venom": {"cost": {"name": "poison", "after": 6}, "source": "code", "target": "prior"},
        },
    }  # type: ignore[dict-item]
    with pytest.raises(
        NonFiniteError, match=r"of the term 'venom'.* The last checkpoint, .*last\.ckpt, is from before"
    ):
        otae.train(load_config(values), tmp_path / "run")
