"""Fixtures of all tests: fakes at the plugin door, what is made of them, and strangers' distributions."""

from __future__ import annotations

import copy
import importlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: threads only wait for each other
sys.path.insert(0, str(Path(__file__).parent))

from fake_metrics import OFFERED
from fakes import EXPERIMENT, FAKES, LinearDecoder, LinearEncoder, Standard
from joblib import cpu_count
from marks import leave_to_slow

import otae
from otae import Autoencoder, Run, load_config
from otae.training import fit

settings.register_profile("otae", deadline=None)  # the first example of a test pays for what is loaded lazily
settings.load_profile("otae")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_to_slow(items)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Returns how many processes share out the tests: one a core for whole folders, none where single files are named.

    Args:
        config: What the command line asks for.
    """
    folders = all(Path(str(each).partition("::")[0]).is_dir() for each in config.args)
    return min(8, int(cpu_count())) if folders and not config.option.usepdb else 0


@pytest.fixture(scope="session", autouse=True)
def _fakes() -> Iterator[None]:
    for registry, name, plugin in FAKES:
        registry.register(name, plugin)
    yield
    for registry, name, _ in FAKES:
        registry.unregister(name)


@pytest.fixture
def values() -> dict[str, Any]:
    """Returns the plain values of a small experiment made of fakes."""
    return copy.deepcopy(EXPERIMENT)


@pytest.fixture
def model() -> Autoencoder:
    """Returns an untrained autoencoder made of fakes, from 6 entries to 2."""
    return Autoencoder(LinearEncoder((6,), 2), LinearDecoder(2, (6,)), Standard(2))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, _fakes: None) -> Run:
    """Returns a trained run made of fakes, to be read only."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "finished", load_config(EXPERIMENT, ["training.epochs=1"]))
    fit(run)
    return run


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Returns a function that installs a distribution without pip: a `.dist-info` folder and modules on `sys.path`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = set(sys.modules)

    def write(name: str, points: str, files: Mapping[str, str] | None = None, version: str = "1.0") -> Path:
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text(points)
        for file, text in (files or {}).items():
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).write_text(text)
        now = time.time_ns()
        os.utime(site, ns=(now, now))  # finer than the clock of the file system
        importlib.invalidate_caches()
        return site

    yield write
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(site)):
            del sys.modules[module]


@pytest.fixture
def _fake_metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Offers the metrics of `fake_metrics`, and no others."""
    monkeypatch.setattr("otae.registry.offers", lambda group: [])
    for name, metric in OFFERED.items():
        otae.metrics.register(name, metric)
    yield
    for name in OFFERED:
        otae.metrics.unregister(name)


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Run:
    """Returns a copy of a trained run, to be changed."""
    return Run(shutil.copytree(finished.path, tmp_path / "run"))
