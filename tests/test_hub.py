"""Runs on the Hub: pushed, pulled and loaded by a stand-in of its server; plugins are named before a download."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import COMMIT, Store, serve

import otae
from otae import Run
from otae.errors import ConfigError, RunError
from otae.hub import Address, parse_address, pull
from otae.publishing import push, write_folder

hub = pytest.importorskip("huggingface_hub")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """Yields a stand-in of the Hub, that the library talks to."""
    with serve() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield server


@pytest.fixture
def offered(store: Store, run: Run, tmp_path: Path) -> Store:
    """Returns the stand-in with a run in `ada/blobs`."""
    folder = write_folder(run, tmp_path / "published", "ada/blobs")
    told = json.loads((folder / "provenance.json").read_text())
    told["plugins"] = {
        path: {"name": "mlp", "distribution": "otae", "version": "0.1.0"} for path in told["plugins"]
    }  # as if the fakes were in a package
    (folder / "provenance.json").write_text(json.dumps(told))
    store.files["ada/blobs"] = {
        str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()
    }
    store.files["ada/blobs"]["evil.pkl"] = b"import os"
    return store


@pytest.mark.slow
def test_a_run_is_pushed_and_pulled_again_to_the_same_model(store: Store, run: Run, tmp_path: Path) -> None:
    (run.path / "report").mkdir()
    (run.path / "report" / "latent.svg").write_text("<svg/>")
    (run.path / "notes.txt").write_text("private")
    assert push(run, "ada/blobs").endswith(f"/ada/blobs/commit/{COMMIT}")
    files = store.files["ada/blobs"]
    assert {"README.md", "config.json", "config.yaml", "model.safetensors", "report/latent.svg"} <= set(files)
    assert not {name for name in files if name.endswith((".ckpt", ".txt", ".pkl")) or "checkpoints" in name}
    assert all(not word.startswith("/") for word in json.loads(files["provenance.json"])["command"])


@pytest.mark.slow
def test_a_model_is_loaded_by_its_address_and_only_runs_files_are_fetched(
    offered: Store, run: Run, tmp_path: Path
) -> None:
    x = torch.randn(3, 6)
    for address in ("hf://ada/blobs", "hf://ada/blobs@v1", f"hf://ada/blobs@{COMMIT}"):
        torch.testing.assert_close(otae.load(address).encode(x), run.model.encode(x))
    folder = pull("ada/blobs", tmp_path / "mine")
    assert (folder / "objective.safetensors").is_file()
    assert not list(tmp_path.rglob("evil.pkl"))
    with pytest.raises(RunError, match="mine is not empty"):
        pull("ada/blobs", tmp_path / "mine")


@pytest.mark.slow
def test_the_mixin_of_the_hub_loads_what_was_published(run: Run, tmp_path: Path) -> None:
    from otae.hub.pretrained import PretrainedAutoencoder

    folder, x = write_folder(run, tmp_path / "published", "ada/blobs"), torch.randn(3, 6)
    model = PretrainedAutoencoder.from_pretrained(folder)
    torch.testing.assert_close(model.encode(x), run.model.encode(x))
    model.save_pretrained(tmp_path / "again")
    torch.testing.assert_close(PretrainedAutoencoder.from_pretrained(tmp_path / "again").encode(x), run.model.encode(x))


def test_missing_plugins_are_named_before_weights_are_fetched(offered: Store) -> None:
    told = json.loads(offered.files["ada/blobs"]["provenance.json"])
    told["plugins"]["model.prior"] = {"name": "vine", "distribution": "otae-vine", "version": "2.1"}
    offered.files["ada/blobs"]["provenance.json"] = json.dumps(told).encode()
    with pytest.raises(RunError, match=r"not downloaded\. It needs otae-vine==2\.1: pip"):
        otae.load("hf://ada/blobs")
    assert not [path for path in offered.asked if "safetensors" in path]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf://ada/none", "hf://ada/none cannot be read: there is no such repository, or it is private"),
        ("hf://ada/blobs@v9", "there is no such revision"),
        ("hf://ada/empty", "it holds no run of otae: a file is missing"),
    ],
)
def test_what_is_not_there_is_told(address: str, message: str, offered: Store) -> None:
    offered.files["ada/empty"] = {}
    with pytest.raises(RunError, match=message):
        pull(address)


@pytest.mark.slow
def test_offline_only_the_cache_is_looked_at(offered: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pull("hf://ada/blobs")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    asked = len(offered.asked)
    assert otae.load("hf://ada/blobs").latent_dim == run.model.latent_dim
    with pytest.raises(RunError, match="HF_HUB_OFFLINE is set, and it is not in the cache"):
        otae.load("hf://ada/other")
    with pytest.raises(RunError, match="cannot be pushed to hf://ada/blobs: HF_HUB_OFFLINE is set"):
        push(run, "ada/blobs")
    assert len(offered.asked) == asked


def test_the_card_says_what_the_model_is_and_how_it_is_loaded(run: Run, tmp_path: Path) -> None:
    card = (write_folder(run, tmp_path / "published", "ada/blobs") / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: otae\n")
    assert 'otae.load("hf://ada/blobs")' in card
    assert "| seed | 0 |" in card
    names = [name for name, _ in run.objective]
    assert all(f"| {name} |" in card for name in names)


@pytest.mark.parametrize("text", ["hf://ada", "ada/a/b", "hf://ada/blobs@", "https://huggingface.co/ada/blobs"])
def test_an_address_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a model on the Hub"):
        parse_address(text)


def test_an_address_reads_back() -> None:
    assert str(Address("ada/blobs", "v1")) == "hf://ada/blobs@v1"
    assert parse_address(str(Address("ada/blobs"))) == Address("ada/blobs")
    with pytest.raises(ConfigError, match="write ada/blobs, without @v1"):
        push("runs/none", "ada/blobs@v1")
