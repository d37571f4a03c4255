"""What a stranger's files may do here: say numbers and text, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from fakes import EXPERIMENT
from rich.console import Console
from rich.table import Table

import otae
from otae import Run, load_config
from otae.cli.console import PlainConsole
from otae.errors import ConfigError, DataError, RunError, printable, shorten
from otae.files import write_json
from otae.workflow import _folder

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b1m\r\u202e"


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Run:
    """Returns a trained run, to be forged."""
    return Run(shutil.copytree(finished.path, tmp_path / "run"))


@pytest.mark.parametrize(
    "title", ["../../escaped", "/etc/passwd", "a/b\\c", "..", "", "\x1b[2J", "x" * 500, "~", "con:"]
)
def test_a_title_names_a_folder_under_runs_and_no_other(run: Run, title: str) -> None:
    write_json(run.path / "provenance.json", {**run.provenance, "title": title})
    experiment = run.experiment
    folder = _folder(experiment, None)
    assert folder.parent == Path("runs")
    assert len(folder.name) < 200
    assert experiment.title.isprintable()


@pytest.mark.parametrize(("name", "values"), [
    ("provenance.json", []), ("provenance.json", {"plugins": 5}), ("provenance.json", {"plugins": {"data": "x"}}),
    ("provenance.json", {"title": {"a": 1}}), ("provenance.json", {"training_seconds": "x"}),
    ("provenance.json", {"command": 7}), ("provenance.json", {"continued": [3]}),
    ("evaluation.json", 3), ("evaluation.json", {"test": 3}), ("evaluation.json", {"test": {"frechet": {"ratio": "x"}}}),
])  # fmt: skip
def test_a_json_file_of_another_form_is_corrupt_and_named(run: Run, name: str, values: Any) -> None:
    (run.path / name).write_text(json.dumps(values))
    with pytest.raises(RunError, match=f"{name} is corrupt"):
        _ = run.provenance if name == "provenance.json" else run.metrics


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 100_000, b"", b"{"])
def test_a_json_file_that_is_none_is_corrupt_and_named(run: Run, content: bytes) -> None:
    (run.path / "provenance.json").write_bytes(content)
    with pytest.raises(RunError, match=r"provenance\.json is corrupt"):
        _ = run.provenance


def replaced(run: Run, **record: str) -> Run:
    """Returns the run, trained with another plugin as its prior by its own account."""
    provenance = run.provenance
    provenance["plugins"]["model.prior"] |= record
    write_json(run.path / "provenance.json", provenance)
    return Run(run.path)


PLUGIN = """
from fakes import Shifted
class Mine(Shifted):
    pass
"""


@pytest.fixture
def strange(install: Callable[..., Path], tmp_path: Path) -> Run:
    """Returns a run with a prior of the distribution otae-mine 1.0."""
    install("otae_mine", "[otae.priors]\nmine = strange_prior:Mine\n", {"strange_prior.py": PLUGIN})
    return Run.create(tmp_path / "strange", load_config(EXPERIMENT, ["model.prior=mine"]))


def test_a_run_refuses_a_plugin_of_the_same_name_from_another_distribution(strange: Run) -> None:
    assert strange.experiment.model.prior.name == "mine"
    message = r"was trained with 'mine' of otae-other==2\.0 \(model\.prior\), and here otae_mine 1\.0 offers that name"
    with pytest.raises(RunError, match=message):
        _ = replaced(strange, distribution="otae-other", version="2.0").experiment


def test_a_distribution_is_the_same_however_its_name_is_spelt(strange: Run) -> None:
    assert replaced(strange, distribution="Otae-Mine").experiment.model.prior.name == "mine"


def test_another_version_of_a_plugin_is_told(strange: Run) -> None:
    changed = replaced(strange, version="0.9")
    with pytest.warns(UserWarning, match=r"trained with otae_mine==0\.9 \(here 1\.0\): results may differ"):
        _ = changed.experiment


def test_a_class_of_a_session_that_became_a_distributions_is_taken(strange: Run) -> None:
    assert replaced(strange, distribution="session", version="").experiment.model.prior.name == "mine"


def external(file: h5py.File) -> None:
    Path("secret.txt").write_bytes(b"x" * 4000)
    file.create_dataset("images", (20, 8, 8, 3), "uint8", external=[("secret.txt", 0, 3840)])


def linked(file: h5py.File) -> None:
    with h5py.File("other.h5", "w") as other:
        other["images"] = np.zeros((20, 8, 8, 3), "uint8")
    file["images"] = h5py.ExternalLink("other.h5", "/images")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((20, 8, 8, 3), "uint8")
    layout[:] = h5py.VirtualSource("other.h5", "images", (20, 8, 8, 3))
    file.create_virtual_dataset("images", layout)


@pytest.mark.parametrize("place", [external, linked, virtual])
def test_an_hdf5_file_shows_no_other_file_as_data(
    place: Callable[[h5py.File], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with h5py.File("x.h5", "w") as file:
        file["labels"] = np.random.default_rng(0).integers(0, 3, (20, 6)).astype("f8")
        place(file)
    with pytest.raises(DataError, match="keeps the array 'images' in another file, which is not read"):
        otae.datasets.create("shapes3d", path="x.h5")


@pytest.mark.parametrize("place", ["", "model.", "training.optimizer.", "objective.reconstruction."])
def test_an_unknown_key_cannot_steer_the_terminal(place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(EXPERIMENT, [f"{place}{ESCAPES.replace('.', '')}=1"])
    assert printable(str(caught.value)) == str(caught.value)
    assert r"\x1b" in str(caught.value)


def test_the_console_shows_control_characters_and_sends_none(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(ESCAPES, title=ESCAPES)
    table.add_row(ESCAPES)
    for console in (PlainConsole(), PlainConsole(force_terminal=True)):
        console.print(table)
        console.print(f"text {ESCAPES} é 訳")
        console.print("first\nsecond")
    told = capsys.readouterr().out
    assert "first\nsecond" in told
    assert "é 訳" in told
    assert not {"\x07", "\x9b", "\r", "\u202e"} & set(told)
    assert "\x1b]0;" not in told
    assert "\x1b[2J" not in told
    assert Console().is_terminal == PlainConsole().is_terminal


def test_a_message_is_of_bounded_length() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({**EXPERIMENT, "seed": "9" * 5_000_000})
    assert len(str(caught.value)) < 4100
    assert shorten("x" * 100, 50) == "x" * 22 + " ... " + "x" * 22
