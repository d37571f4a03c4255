"""`otae doctor`: all that is there is told, what is broken ends with status 1, and everything has its cure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
import torch
from packaging.requirements import Requirement
from typer.testing import CliRunner

from otae.cli.app import app
from otae.diagnosis import Finding
from otae.diagnosis.devices import devices
from otae.diagnosis.folders import folders
from otae.diagnosis.keops import keops
from otae.diagnosis.libraries import libraries
from otae.diagnosis.plugins import plugins


def named(findings: Any, name: str) -> Finding:
    """Returns the one finding of a name."""
    (found,) = [finding for finding in findings if finding.name == name]
    return found


@pytest.mark.slow
def test_a_sound_machine_ends_with_status_0_and_json_alone_on_the_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEOPS_CACHE_FOLDER", str(tmp_path / "keops"))
    command = [sys.executable, "-m", "otae", "doctor", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["well"]) == (0, True), ended.stdout
    findings = {(each["topic"], each["name"]): each["found"] for each in told["findings"]}
    wanted = {Requirement(text) for text in requires("otae") or []}
    core = {each.name for each in wanted if each.marker is None}
    assert {("libraries", name): version(name) for name in core}.items() <= findings.items()
    assert findings["libraries", "otae"] == version("otae")
    assert {topic for topic, _ in findings} == {"libraries", "devices", "keops", "folders", "plugins"}
    assert list(tmp_path.rglob("*.so")) == [], "nothing is compiled"


def test_the_table_tells_what_the_json_tells() -> None:
    result = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.stdout
    for part in ("libraries", "devices", "keops", "folders", "plugins", f"otae {version('otae')}", "All is well."):
        assert part in result.stdout


@pytest.mark.slow
def test_a_broken_plugin_ends_with_status_1_and_its_cure(install: Callable[..., Path]) -> None:
    install("sick", "[otae.priors]\nsick = my_sick:Mine\n", {"my_sick.py": "raise RuntimeError('a fault')"})
    install("thief", "[otae.priors]\nmixture = my_sick:Mine\n[otae.recipes]\nthief = my_recipes\n")
    install("menu", "[otae.recipes]\nmenu = my_menu\n", {"my_menu/__init__.py": "", "my_menu/bad.yaml": "sed: 3"})
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["well"] is False
    broken = {each["name"]: each for each in told["findings"] if each["state"] == "broken"}
    assert {"prior sick", "prior mixture", "recipe bad"} <= set(broken)
    assert "raised RuntimeError: a fault" in broken["prior sick"]["found"]
    assert broken["prior sick"]["cure"] == "pip install --upgrade sick, or pip uninstall sick"
    assert broken["prior mixture"]["cure"] == "uninstall one of them"
    assert "sed: unknown option" in broken["recipe bad"]["found"]


def test_a_clash_is_told_once_with_the_file_and_line_of_an_editable_distribution(
    install: Callable[..., Path],
) -> None:
    text = "from otae import Prior\n\nclass Mine(Prior):\n    def sample(self, count, generator=None): ...\n"
    site = install("one", "[otae.priors]\nmixture = my_one:Mine\n", {"my_one.py": text})
    (site / "one-1.0.dist-info" / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    clashes = [each for each in plugins() if each.state == "broken"]
    assert [each.name for each in clashes] == ["prior mixture"], "neither twice nor for each recipe with that prior"
    assert f"one is at {site}/my_one.py, line 3." in clashes[0].found


def test_where_a_plugin_failed_to_import_is_told(install: Callable[..., Path]) -> None:
    site = install("torn", "[otae.priors]\ntorn = my_torn:Mine\n", {"my_torn.py": "\n\n1 / 0\n"})
    assert (
        f"raised ZeroDivisionError: division by zero ({site}/my_torn.py, line 3)"
        in named(plugins(), "prior torn").found
    )


def test_a_plugin_whose_options_no_configuration_can_fill_is_broken(install: Callable[..., Path]) -> None:
    text = "from otae.interfaces import Metric\nclass Mine(Metric):\n    def __init__(self, x): ...\n"
    install("untyped", "[otae.metrics]\nuntyped = my_untyped:Mine\n", {"my_untyped.py": text + "    __call__ = ...\n"})
    found = named(plugins(), "metric untyped")
    assert found.state == "broken"
    assert "gives no type for 'x'" in found.found


@pytest.mark.slow
def test_entry_points_that_cannot_be_read_are_told(install: Callable[..., Path]) -> None:
    install("garbled", "[otae.priors]\nno equals sign\n")
    found = named(plugins(), "entry points")
    assert found.state == "broken"
    assert "garbled" in found.found


@pytest.mark.parametrize(("line", "state", "found", "cure"), [
    ("no-such-library>=1", "broken", "not installed", "pip install 'no-such-library>=1'"),
    ("torch>=99", "broken", f"{torch.__version__}, but >=99 is needed", "pip install 'torch>=99'"),
    ("torch>=2", "well", torch.__version__, ""),
])  # fmt: skip
def test_a_library_is_held_against_what_is_asked_for(
    install: Callable[..., Path], line: str, state: str, found: str, cure: str
) -> None:
    site = install("needy", "")
    with (site / "needy-1.0.dist-info" / "METADATA").open("a") as file:
        file.write(f"Requires-Dist: {line}\nRequires-Dist: never; extra == 'none'\n")
    name = Requirement(line).name
    assert [*libraries("needy")][1:] == [
        Finding("libraries", "needy", "1.0"),
        Finding("libraries", name, found, state, cure),
    ]


def test_a_folder_that_cannot_be_written_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KEOPS_CACHE_FOLDER", str(tmp_path / "file" / "cache"))
    found = named(folders(), "keops")
    assert (found.state, found.cure) == ("broken", "set KEOPS_CACHE_FOLDER to a folder that can be written")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_missing_compiler_is_lacking_and_has_a_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    found = named(keops(), "compiler")
    assert found.state == "lacking"
    assert "g++" in found.cure


def test_the_formulas_that_are_compiled_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEOPS_CACHE_FOLDER", str(tmp_path))
    assert named(keops(), "compiled").found == f"0 formulas in {tmp_path}"
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "pykeops_cpp_0123456789.cpython-311.so").touch()
    assert named(keops(), "compiled").found == f"1 formulas in {tmp_path}"


def test_threads_beyond_the_cores_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1000)
    found = named(devices(), "cpu")
    assert found.state == "lacking"
    assert "OMP_NUM_THREADS" in found.cure


@pytest.mark.parametrize(("built", "available", "found", "state"), [
    (None, False, "none: torch is built for the CPU", "well"),
    ("12.8", False, "no device, for torch's CUDA 12.8", "lacking"),
    ("12.8", True, "A GPU, CUDA 12.8", "well"),
])  # fmt: skip
def test_cuda_is_told(
    monkeypatch: pytest.MonkeyPatch, built: str | None, available: bool, found: str, state: str
) -> None:
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "A GPU")
    told = named(devices(), "cuda")
    assert (told.found, told.state) == (found, state)
