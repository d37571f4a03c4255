"""A run's folder: what is written, that it is written as a whole, and the way back to the trained model."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import Shifted
from safetensors.torch import load_file, save_file

import otae
from otae import Run, load_config
from otae.errors import ConfigError, RunError
from otae.files import atomic, write_json, write_text

X = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Run:
    """Returns a trained run, to be spoilt."""
    return Run(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.fixture
def _no_shifted() -> Iterator[None]:
    """Takes away the prior that the run was trained with."""
    otae.priors.unregister("shifted")
    yield
    otae.priors.register("shifted", Shifted)


def test_provenance_tells_versions_plugins_seed_and_command(finished: Run) -> None:
    told = finished.provenance
    assert (told["torch"], told["python"], told["seed"]) == (torch.__version__, platform.python_version(), 0)
    assert told["otae"] == otae.costs.offer("paired").version
    assert told["command"] == sys.argv
    assert datetime.now(UTC) - datetime.fromisoformat(told["started"]) < timedelta(hours=1)
    assert told["plugins"]["model.prior"] == {"name": "shifted", "distribution": "session", "version": ""}
    assert set(told["plugins"]) == {
        "data", "model.encoder", "model.decoder", "model.prior",
        *(f"objective.{name}.cost" for name in ("reconstruction", "spread", "merge", "surprise")),
    }  # fmt: skip


def test_provenance_tells_the_distribution_of_each_plugin(tmp_path: Path) -> None:
    told = Run.create(tmp_path / "run", load_config("gwae")).provenance["plugins"]
    assert {each["distribution"] for each in told.values()} == {"otae"}
    assert told["objective.gromov.cost"]["name"] == "coupled-gw"


def test_the_folder_holds_the_resolved_configuration(finished: Run) -> None:
    assert finished.experiment.to_dict() == load_config(finished.path / "config.yaml").to_dict()
    assert "shift: 0.0" in (finished.path / "config.yaml").read_text()
    assert "finished" in repr(finished)


def test_every_file_is_whole_and_no_draft_is_left(finished: Run) -> None:
    names = {str(path.relative_to(finished.path)) for path in finished.path.rglob("*") if path.is_file()}
    assert {"config.yaml", "provenance.json", "metrics.csv", "model.safetensors", "objective.safetensors"} <= names
    assert not any(name.endswith(".part") for name in names)


def test_a_loaded_model_is_the_trained_one(finished: Run) -> None:
    model = otae.load(finished.path)
    state = load_file(finished.path / "model.safetensors")
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    last = torch.load(finished.path / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, last[f"model.{name}"]) for name, value in state.items())
    assert not model.training
    assert torch.equal(model.encode(X), Run(str(finished.path)).model.encode(X))


def test_the_costs_come_back_with_their_weights(finished: Run) -> None:
    objective = Run(finished.path).objective
    assert not objective.training
    state = load_file(finished.path / "objective.safetensors")
    assert state.keys() == dict(objective.named_parameters()).keys() >= {"terms.spread.cost.scale"}
    assert objective.terms["spread"].cost.scale != 1


def test_loading_reads_no_data_and_leaves_the_random_state(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otae.build.open_dataset", None)
    before = torch.get_rng_state()
    assert otae.load(finished.path).sample(2).shape == (2, 6)
    torch.set_rng_state(before)
    _ = Run(finished.path).model
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("name", "message"), [
    ("config.yaml", "holds no run: there is no config.yaml in it. Give a folder that `otae train` wrote"),
    ("model.safetensors", "has no model.safetensors: it was not trained to its end; finish it with `otae resume"),
    ("objective.safetensors", "has no objective.safetensors: it was not trained to its end"),
])  # fmt: skip
def test_a_missing_file_is_named(run: Run, name: str, message: str) -> None:
    (run.path / name).unlink()
    with pytest.raises(RunError, match=message):
        otae.load(run.path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere", str(tmp_path)):
        with pytest.raises(RunError, match="holds no run"):
            Run(path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100])
@pytest.mark.parametrize("name", ["model.safetensors", "objective.safetensors"])
def test_corrupt_weights_are_named(run: Run, name: str, content: bytes) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises(
        RunError, match=rf"{name} is corrupt and cannot be read .* Train again, or restore it from a copy"
    ):
        otae.load(run.path)


def test_truncated_weights_are_named(run: Run) -> None:
    weights = run.path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(RunError, match=r"model\.safetensors is corrupt"):
        otae.load(run.path)


def test_weights_that_otae_did_not_write_are_named(run: Run) -> None:
    save_file({"weight": torch.zeros(1)}, run.path / "model.safetensors")
    with pytest.raises(RunError, match=r"model\.safetensors lacks a checksum: otae did not write it"):
        otae.load(run.path)


def test_weights_of_another_configuration_are_refused(run: Run) -> None:
    config = run.path / "config.yaml"
    config.write_text(config.read_text().replace("latent_dim: 2", "latent_dim: 3"))
    with pytest.raises(
        RunError, match=r"model\.safetensors does not fit its configuration: .* model\.latent_dim = 3 \(it was 2\)"
    ):
        otae.load(run.path)


def test_a_corrupt_configuration_is_told_with_its_place(run: Run) -> None:
    (run.path / "config.yaml").write_text("seed: 0\ndata: [\n")
    with pytest.raises(ConfigError, match=r"config\.yaml:3:1"):
        otae.load(run.path)


@pytest.mark.usefixtures("_no_shifted")
def test_a_missing_plugin_of_the_session_is_named(run: Run) -> None:
    message = r"cannot be loaded\. No plugin named 'shifted' .*session had registered .*shifted.*register these first"
    with pytest.raises(RunError, match=message):
        otae.load(run.path)


@pytest.mark.usefixtures("_no_shifted")
def test_a_missing_plugin_is_told_with_the_distribution_to_install(run: Run) -> None:
    provenance: dict[str, Any] = run.provenance
    provenance["plugins"]["model.prior"] |= {"distribution": "otae-shifted", "version": "0.3"}
    write_json(run.path / "provenance.json", provenance)
    with pytest.raises(
        RunError, match=r"No plugin named 'shifted' .* It was trained with otae-shifted==0\.3: install these"
    ):
        otae.load(run.path)


@pytest.mark.parametrize(("name", "attribute"), [("provenance.json", "provenance"), ("evaluation.json", "metrics")])
def test_a_missing_or_corrupt_json_file_is_named(run: Run, name: str, attribute: str) -> None:
    (run.path / name).unlink(missing_ok=True)
    with pytest.raises(RunError, match=f"has no {name}"):
        getattr(run, attribute)
    (run.path / name).write_text("{")
    with pytest.raises(RunError, match=f"{name} is corrupt: Expecting property name"):
        getattr(run, attribute)


def test_a_run_is_never_written_over(run: Run, tmp_path: Path) -> None:
    for folder, message in ((run.path, "continue that run with `otae resume .*`, or replace it with --overwrite"),
                            (run.path / "config.yaml", "Cannot make the run's folder .*: File exists")):  # fmt: skip
        with pytest.raises(RunError, match=message):
            Run.create(folder, run.experiment)
    (tmp_path / "empty").mkdir()
    assert Run.create(tmp_path / "empty", run.experiment).path == tmp_path / "empty"


def write_half(path: Path) -> None:
    """Fails while it writes a file."""
    with atomic(path) as draft:
        draft.write_text("second")
        raise RuntimeError("halfway")


def test_a_file_that_fails_halfway_is_not_there_and_the_former_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "first é")
    with pytest.raises(RuntimeError, match="halfway"):
        write_half(path)
    assert path.read_text(encoding="utf-8") == "first é"
    assert os.listdir(path.parent) == ["file.txt"]


def test_json_holds_finite_numbers_only(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": [1, 2.5]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, 2.5]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, 2.5]}
